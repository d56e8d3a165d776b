"""Stage 4.1: the database and the application user's rights on it.

Works on an external PostgreSQL (`postgres_host`) too. Undo: nothing to undo; the rights go with the database.
"""

import pytest

from fixtures.database.plugin import StageDatabase
from fixtures.database.task import DatabaseTask
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready

pytestmark = stage(
    "database-init",
    needs={"infra-postgres": "the database lives in it"},
    within="2m",
    wanted_if="postgres_used",
)


@pytest.fixture(scope="session")
def initialised(database: StageDatabase) -> DatabaseTask:
    """Create the database and grant rights on it, where they are missing."""
    return database.initialised()


def test_the_user_is_not_refused(initialised: DatabaseTask) -> None:
    """After this stage, nothing speaks against the connection or the statements."""
    assert_applied(initialised)


def test_the_user_creates_and_drops_tables(initialised: DatabaseTask) -> None:
    """After this stage, the application user can create and drop a table in its database."""
    assert_ready(initialised)
