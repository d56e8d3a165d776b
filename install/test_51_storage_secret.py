"""Stage 5.1: the Secret that tells the applications the storage's addresses, users and passwords.

A Secret that no longer matches the live credentials is updated. External storage gets Services, so
that the applications can resolve its names.
"""

import pytest

from fixtures.applying.plugin import AppliedObjects, Manifests
from fixtures.cluster.connect import Cluster
from fixtures.dataplane.applications import wanted_secret
from fixtures.dataplane.copied_credentials import followed
from fixtures.dataplane.external_storage import services
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.settings.layers import DataplaneConfig
from fixtures.vocabulary import names
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "storage-secret",
    needs={
        "infra-postgres": "the Secret contains the password of its user",
        "infra-victoriametrics": "the Secret contains its addresses",
        "infra-opensearch": "the Secret contains the password of its administrator",
    },
    within="1m",
)


@pytest.fixture(scope="session")
def connections(manifests: Manifests, cluster: Cluster, config: DataplaneConfig) -> AppliedObjects:
    """Apply Secret `primus-lens-storage-config`, made from the live credentials, and the names of external storage."""
    return manifests.apply_objects([wanted_secret(cluster, config), *services(config)])


@pytest.fixture(scope="session")
def credentials(
    connections: AppliedObjects, pytestconfig: pytest.Config, cluster: Cluster, config: DataplaneConfig
) -> Handle:
    """Follow the Secrets that it was made from: a password may change until the run ends."""
    return followed(pytestconfig, cluster, config, connections)


@pytest.fixture(scope="session")
def undo(removals: Removals, config: DataplaneConfig) -> Handle:
    """Delete the Secret, and the Services of external storage."""
    return removals.secret(names.STORAGE_SECRET, *services(config))


def test_the_secret_is_accepted(connections: AppliedObjects, credentials: Handle) -> None:
    """After this stage, the API server has accepted the Secret."""
    assert_applied(connections)
    assert_applied(credentials)


def test_the_secret_holds_the_live_credentials(connections: AppliedObjects, credentials: Handle) -> None:
    """After this stage, the content of the Secret agrees with the storage's own Secrets."""
    assert_ready(connections)
    assert_ready(credentials)
