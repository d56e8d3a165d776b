"""Stage 2.4: the operator that creates Grafana, its datasources and its dashboards."""

import pytest

from fixtures.applying.plugin import DryRun, Manifests
from fixtures.dataplane.operating import Operating
from fixtures.dataplane.plugin import Operators
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "operator-grafana",
    needs={
        "namespace": "a dry run of its objects needs the namespace",
        "rbac": "helm installs charts with its role",
        "pull-secrets": "nodes pull its image with these credentials",
    },
    within="5m",
)


@pytest.fixture(scope="session")
def operator(operators: Operators) -> Operating:
    """Install the operator's chart, or leave an existing operator as it is."""
    return operators.apply("operator-grafana")


@pytest.fixture(scope="session")
def accepted(operator: Operating, manifests: Manifests) -> DryRun:  # noqa: ARG001 - only an operator that runs is asked
    """Ask the API server whether it accepts the objects of stage 5.3."""
    return manifests.accepted("monitoring/datasources.yaml.j2", "monitoring/dashboards.yaml.j2")


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Uninstall the operator and its CRDs, if no objects of its kinds exist any more."""
    return removals.operator("operator-grafana")


def test_the_chart_is_applied(operator: Operating) -> None:
    """After this stage, helm has accepted the operator's chart, or another owner's operator serves the dataplane."""
    assert_applied(operator)


def test_the_operator_is_available(operator: Operating) -> None:
    """After this stage, all objects of its release are ready, or the Deployment of another owner's operator is."""
    assert_ready(operator)


def test_its_kinds_are_served(accepted: DryRun) -> None:
    """After this stage, the API server serves the operator's kinds."""
    assert_applied(accepted)


def test_its_objects_are_accepted(accepted: DryRun) -> None:
    """After this stage, its objects pass the schema and the webhooks in a dry run."""
    assert_ready(accepted)
