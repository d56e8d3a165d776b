"""Stage 2.2: the operator that makes metrics storage out of a VMCluster, and what scrapes out of a VMAgent."""

import pytest

from fixtures.applying.plugin import DryRun, Manifests
from fixtures.dataplane.operating import Operating
from fixtures.dataplane.plugin import Operators
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "operator-victoriametrics",
    needs={
        "namespace": "its objects are tried there",
        "rbac": "charts are installed with its role",
        "pull-secrets": "its image is pulled with them",
    },
    within="5m",
    wanted_if="vm_managed",
)


@pytest.fixture(scope="session")
def operator(operators: Operators) -> Operating:
    """Install the operator's chart, or leave an operator that exists as it is."""
    return operators.apply("operator-victoriametrics")


@pytest.fixture(scope="session")
def accepted(operator: Operating, manifests: Manifests) -> DryRun:  # noqa: ARG001 - only an operator that runs is asked
    """Ask the API server whether it takes what stages 3.2 and 3.4 will apply."""
    return manifests.accepted(
        "infrastructure/victoriametrics.yaml.j2", "infrastructure/scrapes.yaml.j2", "infrastructure/vmagent.yaml.j2"
    )


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Uninstall the operator with its definitions, if nothing of its kinds is left."""
    return removals.operator("operator-victoriametrics")


def test_the_chart_is_applied(operator: Operating) -> None:
    """After this stage, helm has been given the operator's chart, or another operator serves the dataplane."""
    assert_applied(operator)


def test_the_operator_is_available(operator: Operating) -> None:
    """After this stage, all objects of its release are ready, or the Deployment of another owner's operator."""
    assert_ready(operator)


def test_its_kinds_are_served(accepted: DryRun) -> None:
    """After this stage, the API server serves the operator's kinds."""
    assert_applied(accepted)


def test_its_objects_are_accepted(accepted: DryRun) -> None:
    """After this stage, a dry run of its objects passes schema and webhooks."""
    assert_ready(accepted)
