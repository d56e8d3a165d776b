"""Compare the splitting of SQL files and the running of migrations with PostgreSQL's own parser and psql.

``python -m bench.sql_corpus DIR…`` reads every ``*.sql`` below the directories. It asks its own PostgreSQL about each
statement without running it: the server's parser detects a statement that was joined with another, or cut. ``--run``
instead takes each directory as a set of migrations and runs it: fresh, cut off and resumed, on its own ledger, and by
psql. It downloads nothing. psql's own commands and COPY rows are blanked out before the split.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from fixtures.database.lexer import UnreadableSqlError
from fixtures.database.migrations import Migration, MigrationError, read_directory
from fixtures.database.runner import Course, migrate
from fixtures.database.standing import Difference
from fixtures.database.statements import split
from fixtures.rehearsal.postgres import programs
from fixtures.tests.postgres_server import Server, running

COMMAND = re.compile(r"^[ \t]*\\.*$|(?<=;)[ \t]*\\.*$", re.MULTILINE)
ENDS = re.compile(r"\\;|\\(?:g|gset|gexec|gdesc|gx|crosstabview|watch)\b[^\n]*")
ROWS = re.compile(r"(^[ \t]*copy\b[^;]*?\bfrom\s+stdin\b[^;\n]*);(.*?)^\\\.$", re.IGNORECASE | re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"(?<![:\w])::?(?:'(\w+)'|\"(\w+)\")")
SYNTAX = b"42601"  # after any other error (25P02, in_failed_sql_transaction), the parser has accepted the statement
DUMP = ("--schema-only", "--no-owner", "--no-privileges", "--exclude-table=schema_migrations*")


@dataclass(frozen=True, slots=True)
class Found:
    """The parser's verdict on a file's statements; ``unread``: why the file is refused as a whole."""

    statements: int = 0
    joined: int = 0
    faulty: int = 0  # syntax errors: some are intended, in the test files of a parser
    unread: str = ""

    def __str__(self) -> str:
        return self.unread or f"{self.statements} statements, {self.joined} joined, {self.faulty} with a syntax error"


def blanked(text: str) -> str:
    """Return the text without what only psql reads; line numbers stay."""
    text = ROWS.sub(lambda found: "SELECT 1;" + "\n" * found[0].count("\n"), text)
    return VARIABLE.sub("'x'", COMMAND.sub("", ENDS.sub(";", text)))


def parsed(connection: psycopg.Connection[tuple[object, ...]], path: Path) -> Found:
    """Ask the parser about each statement of a file, in a failed transaction, so that nothing is run."""
    try:
        texts = [each.text for each in split(blanked(path.read_text(encoding="utf-8")))]
    except (UnreadableSqlError, UnicodeDecodeError) as error:
        return Found(unread=f"refused: {error}")
    joined = faulty = 0
    for text in texts:
        result = connection.pgconn.prepare(b"", text.encode())
        state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or b""
        words = result.error_field(psycopg.pq.DiagnosticField.MESSAGE_PRIMARY) or b""
        joined += b"multiple commands" in words
        faulty += state == SYNTAX and b"multiple commands" not in words
    return Found(len(texts), joined, faulty)


def parse_all(server: Server, directories: Sequence[Path]) -> int:
    """Print the parser's verdict on each file, and the totals; return how many statements were joined."""
    total = Found()
    files = refused = 0
    with server.connect() as connection:
        connection.execute("BEGIN")
        connection.pgconn.exec_(b"SELECT 1/0")
        for path in sorted(path for directory in directories for path in directory.rglob("*.sql")):
            found = parsed(connection, path)
            print(f"{path}: {found}")  # noqa: T201 - what it is for
            files, refused = files + 1, refused + bool(found.unread)
            total = Found(total.statements + found.statements, total.joined + found.joined, total.faulty + found.faulty)
    print(f"total: {files} files, {refused} refused; {total}")  # noqa: T201 - what it is for
    return total.joined


class Trial:
    """One set of migrations, which runs on databases of its own."""

    def __init__(self, server: Server, directory: Path, number: int) -> None:
        self.server, self.directory, self.name = server, directory, f"corpus_{number}"

    def database(self, kind: str) -> str:
        """Create an empty database."""
        self.server.query(f'CREATE DATABASE "{self.name}_{kind}"')
        return f"{self.name}_{kind}"

    def migrate(self, dbname: str, *, until: int | None = None) -> tuple[float, Difference | None]:
        """Run the files that are not in the ledger, at most ``until``; return the seconds, and what is left."""
        stop, begun = threading.Event(), time.monotonic()
        started: list[str] = []

        def say(*words: str) -> None:
            started.append(words[0])
            if until is not None and len(started) >= until:
                stop.set()

        with self.server.connect(dbname) as connection:
            try:
                left = migrate(connection, read_directory(self.directory), Course(stop, say, lambda _: None))
            except InterruptedError:
                left = None
        return time.monotonic() - begun, left

    def schema(self, dbname: str) -> str:
        """Return pg_dump's schema, without the parts that differ between dumps."""
        dump = self._call("pg_dump", *DUMP, dbname)
        return "\n".join(
            line for line in dump.splitlines() if not line.startswith(("--", "\\restrict", "\\unrestrict"))
        )

    def by_psql(self, migrations: Sequence[Migration]) -> str:
        """Run the files with psql, each in its own session; return the database."""
        dbname = self.database("psql")
        for each in migrations:
            self._call("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", "-f", str(each.path), dbname)
        return dbname

    def spent(self, dbname: str) -> object:
        """Return the next transaction id: each write takes one."""
        return self.server.query("SELECT pg_snapshot_xmax(pg_current_snapshot())::text", dbname)

    def results(self) -> Iterator[str]:
        """Yield a line for each way to run the set."""
        migrations = read_directory(self.directory)
        statements = sum(len(each.statements) for each in migrations)
        fresh = self.database("fresh")
        seconds, left = self.migrate(fresh)
        yield f"fresh: {len(migrations)} files, {statements} statements, {seconds:.1f} s, {left}"
        before = self.spent(fresh)
        seconds, left = self.migrate(fresh)
        yield f"on its own ledger: {seconds:.2f} s, writes nothing: {self.spent(fresh) == before}, {left}"
        self.server.query("UPDATE schema_migrations SET version = version || '.sql'", fresh)
        before = self.spent(fresh)
        self.migrate(fresh)
        yield f"on a ledger with suffixes: writes nothing: {self.spent(fresh) == before}"
        resumed = self.database("resumed")
        for count in range(2, len(migrations), max(2, len(migrations) // 10)):
            self.migrate(resumed, until=count)
        _, left = self.migrate(resumed)
        yield f"cut off ten times and resumed: {left}, schema as fresh: {self.schema(resumed) == self.schema(fresh)}"
        yield f"schema as psql's: {self.schema(self.by_psql(migrations)) == self.schema(fresh)}"

    def _call(self, program: str, *arguments: str) -> str:
        place = ["-h", "127.0.0.1", "-p", str(self.server.port), "-U", "postgres"]
        command = [str(programs(self.server.directory) / program), *place, *arguments]
        found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - PostgreSQL's own
        if found.returncode:
            raise RuntimeError(f"{program}: {found.stderr.strip()}")
        return found.stdout


def main() -> int:
    """Check or run the directories of the command line; return 1 if a statement was joined or failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--run", action="store_true", help="run each directory as a set of migrations")
    parser.add_argument(
        "--before", default="", metavar="SQL", help="run this first: roles and extensions that files want"
    )
    options = parser.parse_args()
    failed = 0
    with running() as server:
        if options.before:
            server.query(options.before)
        if not options.run:
            return 1 if parse_all(server, options.directories) else 0
        for number, directory in enumerate(options.directories):
            try:
                for line in Trial(server, directory, number).results():
                    print(f"{directory}: {line}")  # noqa: T201 - what it is for
            except (MigrationError, RuntimeError, psycopg.Error) as error:
                print(f"{directory}: {error}")  # noqa: T201 - what it is for
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
