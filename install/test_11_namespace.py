"""Stage 1.1: the namespace that holds the dataplane; everything but the operators lives in it.

Undo: `kubectl delete namespace NAME`, which takes all of the dataplane with it.
"""

import pytest

from fixtures.applying.plugin import AppliedObjects, Manifests
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready

pytestmark = stage("namespace", within="1m", requires=["nodes"])


@pytest.fixture(scope="session")
def namespace(manifests: Manifests) -> AppliedObjects:
    """Apply the Namespace with the managed-by label."""
    return manifests.apply("prerequisites/namespace.yaml.j2")


def test_the_namespace_is_accepted(namespace: AppliedObjects) -> None:
    """After this stage, the API server has taken the Namespace."""
    assert_applied(namespace)


def test_the_namespace_is_active(namespace: AppliedObjects) -> None:
    """After this stage, the Namespace is Active and not being deleted."""
    assert_ready(namespace)
