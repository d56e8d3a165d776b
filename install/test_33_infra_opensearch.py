"""Stage 3.3: OpenSearch, which keeps the logs of the cluster."""

import pytest

from fixtures.dataplane.infrastructure import Infrastructure
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "infra-opensearch",
    needs={"operator-opensearch": "it creates OpenSearch from the OpenSearchCluster"},
    within="15m",
    wanted_if="opensearch_managed",
    requires=["opensearch_storage_class"],
)


@pytest.fixture(scope="session")
def log_storage(infrastructure: Infrastructure) -> Handle:
    """Apply OpenSearchCluster `primus-lens-logs`, or a chart in service if `--charts-dir` contains one."""
    return infrastructure.apply("opensearch")


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Delete the OpenSearchCluster, its claims and its accounts, if data may be deleted."""
    return removals.storage("opensearch")


def test_the_opensearch_cluster_is_accepted(log_storage: Handle) -> None:
    """After this stage, the API server has accepted the OpenSearchCluster."""
    assert_applied(log_storage)


def test_log_storage_is_healthy(log_storage: Handle) -> None:
    """After this stage, its health is green or yellow and all nodes are available."""
    assert_ready(log_storage)
