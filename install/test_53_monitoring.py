"""Stage 5.3: log collection on every node, and Grafana's datasources and dashboards; proven by a line that arrives.

Applied once Grafana answers: an earlier datasource would be checked again only minutes later. The index template goes
before Fluent Bit: the first line makes the index of the day, and a template is for indices to come.
"""

import pytest

from fixtures.applying.plugin import AppliedObjects, Manifests
from fixtures.dataplane.monitoring import Monitoring
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary.model import Handle

TEMPLATES = (
    "monitoring/credentials.yaml.j2",
    "monitoring/fluentbit.yaml.j2",
    "monitoring/datasources.yaml.j2",
    "monitoring/dashboards.yaml.j2",
)

pytestmark = stage(
    "monitoring",
    needs={
        "applications": "its Grafana shows the datasources and dashboards",
        "operator-fluent": "makes the DaemonSet that collects logs",
        "operator-grafana": "brings datasources and dashboards into Grafana",
    },
    within="5m",
)


@pytest.fixture(scope="session")
def log_indices(manifests: Manifests) -> AppliedObjects:
    """Apply the index template and, where logs are not kept for ever, the policy that deletes old ones."""
    return manifests.apply("monitoring/log-retention.yaml.j2")


@pytest.fixture(scope="session")
def monitoring(
    log_indices: AppliedObjects,  # noqa: ARG001 - it comes first
    manifests: Manifests,
    monitoring_parts: Monitoring,
) -> AppliedObjects:
    """Apply FluentBit and its configuration, the datasources and the dashboards."""
    return manifests.apply(*TEMPLATES, made=monitoring_parts.finished)


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Delete all of its objects, those that others name last."""
    return removals.of("monitoring/log-retention.yaml.j2", *TEMPLATES)


@pytest.fixture(scope="session")
def log_lines(monitoring: AppliedObjects, monitoring_parts: Monitoring) -> Handle:
    """Ask OpenSearch for a line that was logged since."""
    return monitoring_parts.logs(monitoring)


@pytest.fixture(scope="session")
def dashboards(monitoring: AppliedObjects, monitoring_parts: Monitoring) -> Handle:
    """Ask Grafana for its health, and through it each datasource and the first panel of each dashboard."""
    return monitoring_parts.grafana(monitoring)


def test_the_log_indices_are_accepted(log_indices: AppliedObjects) -> None:
    """After this stage, the API server has accepted the index template and the policy."""
    assert_applied(log_indices)


def test_logs_have_their_fields_and_their_days(log_indices: AppliedObjects) -> None:
    """After this stage, OpenSearch has the template for indices of logs, and the policy for their age."""
    assert_ready(log_indices)


def test_monitoring_is_accepted(monitoring: AppliedObjects) -> None:
    """After this stage, the API server has accepted all of its objects."""
    assert_applied(monitoring)


def test_logs_are_collected_and_dashboards_shown(monitoring: AppliedObjects) -> None:
    """After this stage, Fluent Bit runs on every node, and datasources and dashboards are synchronised."""
    assert_ready(monitoring)


def test_storage_and_grafana_are_asked(log_lines: Handle, dashboards: Handle) -> None:
    """After this stage, nothing speaks against asking OpenSearch for the line, and Grafana for what it shows."""
    assert_applied(log_lines)
    assert_applied(dashboards)


def test_a_line_arrives(log_lines: Handle) -> None:
    """After this stage, a line that a pod has logged is found in OpenSearch."""
    assert_ready(log_lines)


def test_datasources_answer(dashboards: Handle) -> None:
    """After this stage, Grafana is well, each datasource answers, and no dashboard's first panel is red."""
    assert_ready(dashboards)
