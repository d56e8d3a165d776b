"""Stage 3.3: OpenSearch, which keeps the logs of the cluster.

Undo: `kubectl delete opensearchismpolicy,opensearchindextemplate,opensearchcluster primus-lens-logs`; its
PersistentVolumeClaim stays.
"""

import pytest

from fixtures.applying.plugin import AppliedObjects, Manifests
from fixtures.dataplane.infrastructure import Infrastructure
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "infra-opensearch",
    needs={"operator-opensearch": "makes it out of the OpenSearchCluster"},
    within="15m",
    wanted_if="opensearch_managed",
    requires=["storage_class"],
)


@pytest.fixture(scope="session")
def log_storage(infrastructure: Infrastructure) -> Handle:
    """Apply OpenSearchCluster `primus-lens-logs`, by a chart in service where `--charts-dir` has one."""
    return infrastructure.apply("opensearch")


@pytest.fixture(scope="session")
def retention(log_storage: Handle, manifests: Manifests) -> AppliedObjects:  # noqa: ARG001 - only one that answers
    """Apply the index template and, where logs are not kept for ever, the policy that deletes old ones."""
    return manifests.apply("infrastructure/log-retention.yaml.j2")


def test_the_opensearch_cluster_is_accepted(log_storage: Handle) -> None:
    """After this stage, the API server has taken the OpenSearchCluster."""
    assert_applied(log_storage)


def test_log_storage_is_healthy(log_storage: Handle) -> None:
    """After this stage, its health is green or yellow and all nodes are available."""
    assert_ready(log_storage)


def test_logs_have_their_fields_and_their_days(retention: AppliedObjects) -> None:
    """After this stage, OpenSearch has the template for indices of logs, and the policy for their age."""
    assert_ready(retention)
