"""Stage 1.3 (optional): the credentials with which nodes pull the applications' images.

Wanted where `registry_server` is set.
"""

import pytest

from fixtures.applying.plugin import AppliedObjects, Manifests
from fixtures.cluster.connect import Cluster
from fixtures.dataplane.pull_secret import assert_registry_named
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.settings.layers import DataplaneConfig
from fixtures.vocabulary import names
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "pull-secrets", needs={"namespace": "the Secret lives in it"}, within="1m", wanted_if="pull_secret_wanted"
)


@pytest.fixture(scope="session")
def pull_secret(manifests: Manifests) -> AppliedObjects:
    """Apply the Secret of type kubernetes.io/dockerconfigjson."""
    return manifests.apply("prerequisites/pull-secret.yaml.j2")


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Delete the Secret."""
    return removals.secret(names.PULL_SECRET)


def test_the_pull_secret_is_accepted(pull_secret: AppliedObjects) -> None:
    """After this stage, the API server has taken the Secret."""
    assert_applied(pull_secret)


def test_the_pull_secret_names_the_registry(
    pull_secret: AppliedObjects, cluster: Cluster, config: DataplaneConfig
) -> None:
    """After this stage, the Secret has credentials for the registry of the settings, where the kubelet reads them."""
    assert_ready(pull_secret)
    assert_registry_named(cluster, config)
