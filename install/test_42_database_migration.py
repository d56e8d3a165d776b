"""Stage 4.2: the schema: run every SQL file of the set that is not in the ledger `schema_migrations`.

The set is `--migrations DIR` or MIGRATIONS_PATH; without them, the starter set in migrations/ (docs/migrations.md).
"""

import pytest

from fixtures.database.plugin import StageDatabase
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "database-migration",
    needs={"database-init": "migrations create tables with the rights of its user"},
    within="10m",
    wanted_if="postgres_used",
)


@pytest.fixture(scope="session")
def migrated(database: StageDatabase) -> Handle:
    """Run the migrations that are not in the ledger."""
    return database.migrated()


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Keep the tables, which are deleted with the database: an uninstall undoes no migrations."""
    return removals.with_database("the tables of the migrations")


def test_no_migration_is_refused(migrated: Handle) -> None:
    """After this stage, all files could be read, and no hard failure has stopped them."""
    assert_applied(migrated)


def test_the_ledger_equals_the_directory(migrated: Handle) -> None:
    """After this stage, the ledger contains every file of the directory."""
    assert_ready(migrated)
