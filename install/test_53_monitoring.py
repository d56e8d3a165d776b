"""Stage 5.3: log collection on every node, and Grafana's datasources and dashboards.

These objects are applied when Grafana answers: Grafana's operator would check an earlier datasource again only after
minutes. The index template comes before Fluent Bit: the first line creates the index of the day, and a template changes
only later indices. The stage is ready when a new line has arrived in OpenSearch and Grafana shows its dashboards.
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
        "applications": "Grafana comes with them, and shows the datasources and dashboards",
        "operator-fluent": "it creates the DaemonSet that collects logs",
        "operator-grafana": "it writes datasources and dashboards to Grafana",
    },
    within="5m",
)


@pytest.fixture(scope="session")
def log_indices(manifests: Manifests) -> AppliedObjects:
    """Apply the index template, and the policy that deletes old logs unless they are kept for ever."""
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
    """Delete all objects of the stage; objects to which others refer are deleted last."""
    return removals.of("monitoring/log-retention.yaml.j2", *TEMPLATES)


@pytest.fixture(scope="session")
def log_lines(monitoring: AppliedObjects, monitoring_parts: Monitoring) -> Handle:
    """Ask OpenSearch for a line that was logged since the stage began."""
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


def test_monitoring_is_accepted(monitoring: AppliedObjects, log_lines: Handle, dashboards: Handle) -> None:
    """After this stage, the API server has accepted all of its objects; OpenSearch and Grafana are asked meanwhile."""
    assert_applied(monitoring)
    assert_applied(log_lines)
    assert_applied(dashboards)


def test_logs_are_collected_and_dashboards_shown(monitoring: AppliedObjects) -> None:
    """After this stage, Fluent Bit runs on every node, and datasources and dashboards are synchronised."""
    assert_ready(monitoring)


def test_a_line_arrives(log_lines: Handle) -> None:
    """After this stage, a line that a pod has logged is found in OpenSearch."""
    assert_ready(log_lines)


def test_datasources_answer(dashboards: Handle) -> None:
    """After this stage, Grafana is healthy, each datasource answers, and no dashboard's first panel shows an error."""
    assert_ready(dashboards)
