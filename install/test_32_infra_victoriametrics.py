"""Stage 3.2: VictoriaMetrics, which keeps the dataplane's metrics."""

import pytest

from fixtures.dataplane.infrastructure import Infrastructure
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "infra-victoriametrics",
    needs={"operator-victoriametrics": "it creates VictoriaMetrics from the VMCluster"},
    within="10m",
    wanted_if="vm_managed",
    requires=["vm_storage_class"],
)


@pytest.fixture(scope="session")
def metrics_storage(infrastructure: Infrastructure) -> Handle:
    """Apply VMCluster `primus-lens-vmcluster`, or a chart in service if `--charts-dir` contains one."""
    return infrastructure.apply("victoriametrics")


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Delete the VMCluster and its claims, if data may be deleted."""
    return removals.storage("victoriametrics")


def test_the_vmcluster_is_accepted(metrics_storage: Handle) -> None:
    """After this stage, the API server has accepted the VMCluster."""
    assert_applied(metrics_storage)


def test_metrics_storage_is_operational(metrics_storage: Handle) -> None:
    """After this stage, the VMCluster is operational and vmstorage, vmselect and vminsert are rolled out."""
    assert_ready(metrics_storage)
