"""Stage 1.2: the account of the dataplane's applications and jobs, and the role that it is bound to.

Undo: delete ServiceAccount `primus-lens-sa`, ClusterRoleBinding and ClusterRole `primus-lens-installer`.
"""

import pytest

from fixtures.applying.plugin import AppliedObjects, Manifests
from fixtures.cluster.identity import Permission
from fixtures.cluster.plugin import Permissions
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.vocabulary import names

pytestmark = stage("rbac", needs={"namespace": "the ServiceAccount lives in it"}, within="1m")


@pytest.fixture(scope="session")
def account(manifests: Manifests) -> AppliedObjects:
    """Apply the ServiceAccount, the ClusterRole and the binding."""
    return manifests.apply("prerequisites/rbac.yaml.j2")


@pytest.fixture(scope="session")
def permission(account: AppliedObjects, permissions: Permissions) -> Permission:  # noqa: ARG001 - one that is bound
    """Ask, as the account itself, whether it may create what later stages create."""
    return permissions.of(names.SERVICE_ACCOUNT, "create", "apps", "deployments")


def test_the_account_is_accepted(account: AppliedObjects) -> None:
    """After this stage, the API server has taken account, role and binding."""
    assert_applied(account)


def test_the_account_is_there(account: AppliedObjects) -> None:
    """After this stage, all three objects are there."""
    assert_ready(account)


def test_the_account_may_install(permission: Permission) -> None:
    """After this stage, the account itself is told that it may create what later stages create."""
    assert_ready(permission)
