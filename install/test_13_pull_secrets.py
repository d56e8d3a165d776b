"""Stage 1.3 (optional): the credentials with which nodes pull the images of operators, storage and applications.

Wanted if `registry_server` is set. The namespaces of the dataplane and of each installed operator get a Secret.
"""

import pytest

from fixtures.applying.plugin import AppliedObjects
from fixtures.dataplane.pull_secret import PullSecrets
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary import names
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "pull-secrets", needs={"namespace": "it contains the Secret"}, within="1m", wanted_if="pull_secret_wanted"
)


@pytest.fixture(scope="session")
def pull_secret(pull_secrets: PullSecrets) -> AppliedObjects:
    """Apply the Secrets of type kubernetes.io/dockerconfigjson, and the namespaces of operators that do not exist."""
    return pull_secrets.apply()


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Delete the Secret in the dataplane's namespace; an operator's Secret is deleted with the operator."""
    return removals.secret(names.PULL_SECRET)


def test_the_pull_secret_is_accepted(pull_secret: AppliedObjects) -> None:
    """After this stage, the API server has accepted the Secrets and their namespaces."""
    assert_applied(pull_secret)


def test_the_pull_secret_names_the_registry(pull_secret: AppliedObjects, pull_secrets: PullSecrets) -> None:
    """After this stage, each Secret has credentials for the registry of the settings, where the kubelet reads them."""
    assert_ready(pull_secret)
    pull_secrets.assert_registry_named()
