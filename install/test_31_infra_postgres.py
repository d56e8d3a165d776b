"""Stage 3.1: PostgreSQL, which keeps the dataplane's state."""

import pytest

from fixtures.database.plugin import StageDatabase
from fixtures.dataplane.infrastructure import Infrastructure
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "infra-postgres",
    needs={"operator-pgo": "it creates PostgreSQL from the PostgresCluster"},
    within="10m",
    wanted_if="postgres_managed",
    requires=["postgres_storage_class", "postgres_backup_s3_secret"],
)


@pytest.fixture(scope="session")
def postgres_cluster(infrastructure: Infrastructure) -> Handle:
    """Apply PostgresCluster `primus-lens`, or a chart in service if `--charts-dir` contains one."""
    return infrastructure.apply("postgres")


@pytest.fixture(scope="session")
def answer(postgres_cluster: Handle, database: StageDatabase) -> Handle:  # noqa: ARG001 - only a ready one is asked
    """Ask the database as its user, directly or through the API server's port-forward."""
    return database.answers()


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Delete the PostgresCluster if data may be deleted; PGO then deletes its volumes."""
    return removals.storage("postgres")


def test_the_postgres_cluster_is_accepted(postgres_cluster: Handle) -> None:
    """After this stage, the API server has accepted the PostgresCluster."""
    assert_applied(postgres_cluster)


def test_every_instance_is_ready(postgres_cluster: Handle) -> None:
    """After this stage, all instances are ready, and the operator has created databases and users."""
    assert_ready(postgres_cluster)


def test_its_user_is_not_refused(answer: Handle) -> None:
    """After this stage, no hard failure has stopped the connection of its user."""
    assert_applied(answer)


def test_it_answers(answer: Handle) -> None:
    """After this stage, PostgreSQL answers `SELECT 1` of the user."""
    assert_ready(answer)
