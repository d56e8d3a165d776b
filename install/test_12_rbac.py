"""Stage 1.2: the account of the dataplane's jobs with its role, and the rules about who may reach the pods.

The role has the rights that an install needs (`installer_role`). `network_policies_enabled` adds network policies.
"""

import pytest

from fixtures.applying.plugin import AppliedObjects, Manifests
from fixtures.cluster.identity import Permission
from fixtures.cluster.plugin import Permissions
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary import names
from fixtures.vocabulary.model import Handle

pytestmark = stage("rbac", needs={"namespace": "it contains the ServiceAccount"}, within="1m")
TEMPLATES = ("prerequisites/rbac.yaml.j2", "prerequisites/network-policies.yaml.j2")


@pytest.fixture(scope="session")
def account(manifests: Manifests) -> AppliedObjects:
    """Apply the ServiceAccount, the ClusterRole and the binding, and the network policies."""
    return manifests.apply(*TEMPLATES)


@pytest.fixture(scope="session")
def permission(account: AppliedObjects, permissions: Permissions) -> Permission:  # noqa: ARG001 - one that is bound
    """Ask, as the account itself, whether it may create what later stages create."""
    return permissions.of(names.SERVICE_ACCOUNT, "create", "apps", "deployments")


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Delete the account, the binding, the role and the network policies."""
    return removals.of(*TEMPLATES)


def test_the_account_is_accepted(account: AppliedObjects) -> None:
    """After this stage, the API server has accepted the account, the role and the binding."""
    assert_applied(account)


def test_the_account_is_there(account: AppliedObjects) -> None:
    """After this stage, all objects exist."""
    assert_ready(account)


def test_its_rights_are_asked_for(permission: Permission) -> None:
    """After this stage, no hard failure has stopped the question what the account may do."""
    assert_applied(permission)


def test_the_account_may_install(permission: Permission) -> None:
    """After this stage, the API server tells the account that it may create what later stages create."""
    assert_ready(permission)
