"""Stage 5.3: log collection on every node, and Grafana's datasources and dashboards.

Applied once Grafana answers: an earlier datasource would be looked at again only minutes later.
Undo: delete the FluentBit, GrafanaDatasource and GrafanaDashboard objects before their operators.
"""

import pytest

from fixtures.applying.plugin import AppliedObjects, Manifests
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready

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
def monitoring(manifests: Manifests) -> AppliedObjects:
    """Apply FluentBit and its configuration, the datasources and the dashboards."""
    return manifests.apply(
        "monitoring/credentials.yaml.j2",
        "monitoring/fluentbit.yaml.j2",
        "monitoring/datasources.yaml.j2",
        "monitoring/dashboards.yaml.j2",
    )


def test_monitoring_is_accepted(monitoring: AppliedObjects) -> None:
    """After this stage, the API server has taken all of its objects."""
    assert_applied(monitoring)


def test_logs_are_collected_and_dashboards_shown(monitoring: AppliedObjects) -> None:
    """After this stage, Fluent Bit runs on every node, and datasources and dashboards are synchronised."""
    assert_ready(monitoring)
