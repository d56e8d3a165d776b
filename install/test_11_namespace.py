"""Stage 1.1: the namespace that holds the dataplane; everything but the operators lives in it.

Another owner's namespace is used as it is. OpenSearch, Fluent Bit and two of the applications need privileged
pods. This stage asks whether the namespace accepts such pods, before another stage waits for them.
"""

import pytest

from fixtures.applying.plugin import AppliedObjects, DryRun, Manifests
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary.model import Handle

pytestmark = stage("namespace", within="1m", requires=["nodes"])


@pytest.fixture(scope="session")
def namespace(manifests: Manifests) -> AppliedObjects:
    """Apply the Namespace with the managed-by label and its pod security; another owner's namespace is not changed."""
    return manifests.apply("prerequisites/namespace.yaml.j2")


@pytest.fixture(scope="session")
def privileged(namespace: AppliedObjects, manifests: Manifests) -> DryRun:  # noqa: ARG001 - it has to exist
    """Ask the API server whether it accepts a privileged pod, if the settings need one."""
    return manifests.accepted("prerequisites/privileged-pod.yaml.j2")


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Delete the namespace that we created, if it contains no data and nothing of another owner."""
    return removals.namespace("prerequisites/namespace.yaml.j2")


def test_the_namespace_is_accepted(namespace: AppliedObjects) -> None:
    """After this stage, the API server has accepted the Namespace."""
    assert_applied(namespace)


def test_the_namespace_is_active(namespace: AppliedObjects) -> None:
    """After this stage, the Namespace is Active and not being deleted."""
    assert_ready(namespace)


def test_privileged_pods_are_not_refused(privileged: DryRun) -> None:
    """After this stage, no hard failure has stopped the dry run of a privileged pod."""
    assert_applied(privileged)


def test_privileged_pods_are_taken(privileged: DryRun) -> None:
    """After this stage, no policy refuses the privileged pods that later stages bring."""
    assert_ready(privileged)
