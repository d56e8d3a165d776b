"""Stage 4.1: the database, the application user's rights on it, and a user for Grafana that may only read.

Works on an external PostgreSQL (`postgres_host`) too, where Grafana's role stays when the dataplane is removed:
`DROP OWNED BY primus_lens_grafana; DROP ROLE primus_lens_grafana`.
"""

import pytest

from fixtures.database.plugin import StageDatabase
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary import names
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "database-init",
    needs={"infra-postgres": "it contains the database"},
    within="2m",
    wanted_if="postgres_used",
)


@pytest.fixture(scope="session")
def initialised(database: StageDatabase) -> Handle:
    """Create the database and grant rights on it, if they are missing."""
    return database.initialised()


@pytest.fixture(scope="session")
def grafana_user(initialised: Handle, database: StageDatabase) -> Handle:  # noqa: ARG001 - it comes first
    """Create the role with which Grafana reads, and its Secret, if they are missing."""
    return database.read_by_grafana()


@pytest.fixture(scope="session")
def undo(removals: Removals) -> Handle:
    """Keep the rights, which are deleted with the database; keep the Secret of Grafana's role until then."""
    return removals.with_database("the database and the rights on it", names.GRAFANA_POSTGRES_SECRET)


def test_the_user_is_not_refused(initialised: Handle) -> None:
    """After this stage, no hard failure has stopped the connection or the statements."""
    assert_applied(initialised)


def test_the_user_creates_and_drops_tables(initialised: Handle) -> None:
    """After this stage, the application user can create and drop a table in its database."""
    assert_ready(initialised)


def test_a_user_for_grafana_is_not_refused(grafana_user: Handle) -> None:
    """After this stage, no hard failure has stopped the creation of a role that may only read."""
    assert_applied(grafana_user)


def test_grafana_reads_as_a_user_of_its_own(grafana_user: Handle) -> None:
    """After this stage, Grafana's user can connect to the database, or the outcome says why another user is used."""
    assert_ready(grafana_user)
