"""A rehearsal and the real command line in its own process, for all measurements and trials.

An install connects to the rehearsal as to any cluster: by a context of a kubeconfig, with charts and helm given. The
cluster has the name that ``--cluster=rehearsal`` gives, so that the results of both can be compared.
Promise: reports, cache and output of a run stay below the given directory, and all that was started is ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import yaml

from fixtures.rehearsal.places import ROOT
from fixtures.rehearsal.request import Options
from fixtures.rehearsal.session import Rehearsal, start

TAGGED = ROOT / "bench" / "rehearsed.yaml"
CONTEXT = "bench"
LONGEST = 600.0  # seconds after which an install on the rehearsal is given up
LAST_WORDS = 30.0  # seconds
FOREIGN = (
    *("PYTEST_", "PYTHON", "CHARTS_DIR", "HELM_", "MIGRATIONS_PATH", "KUBECONFIG"),
    *("FORCE_COLOR", "PY_COLORS", "NO_COLOR", "GITHUB_"),
)
"""Variables that would change what is run."""
DATABASE = "primus_lens"


def say(text: str) -> None:
    """Write a line and flush it, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def rehearsal(name: str, profile: str = "fast", *, audit: bool = False) -> Iterator[Rehearsal]:
    """Start a rehearsal of this process's own; stop it at the end."""
    running = start(Options(name=f"{name}-{os.getpid()}", profile=profile, audit=audit), lambda _: None)
    try:
        yield running
    finally:
        running.stop()


@dataclass(frozen=True, slots=True)
class Run:
    """An install that was started. ``place`` is the directory of its files."""

    process: subprocess.Popen[bytes]
    place: Path

    def wait(self, seconds: float = LONGEST) -> int:
        """Return its exit status; negative if a signal ended it. Raises TimeoutError after ``seconds``, and ends it.

        SIGABRT makes it print the stack of each thread, because pytest enables faulthandler.
        """
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(LAST_WORDS)
            raise TimeoutError(f"the install has not ended after {seconds:.0f} s:\n{self.output()}") from None
        finally:
            self.process.kill()  # also if this process is interrupted
            self.process.wait()

    def output(self) -> str:
        """Return its output."""
        return (self.place / "output").read_text(encoding="utf-8", errors="replace")

    def document(self) -> dict[str, Any]:
        """Return its run.json (docs/report-schema.md)."""
        content: dict[str, Any] = json.loads((self.place / "run.json").read_text(encoding="utf-8"))
        return content


def launch(place: Path, *options: str, environment: Mapping[str, str] | None = None) -> Run:
    """Start ``pytest install`` with reports, cache and output below ``place``; return at once.

    It knows no kubeconfig except the one in ``environment``.
    """
    place.mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    own = {"KUBECONFIG": str(place / "no-kubeconfig"), **(environment or {})}
    command = [sys.executable, "-m", "pytest", "install", f"--reports={place}", "-o", f"cache_dir={place}/cache"]
    with (place / "output").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - this Python
            [*command, *options],
            cwd=ROOT,
            env={**inherited, **own},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # signals from the trial's terminal must not reach the runs
        )
    return Run(process, place)


def install(place: Path, rehearsal: Rehearsal, kubeconfig: Path, *options: str, context: str = CONTEXT) -> Run:
    """Start an install with a context of ``kubeconfig`` for ``rehearsal``; return at once."""
    settings = ("--set=postgres_ssl_mode=disable", "--set=cluster_name=rehearsal")
    charts = (f"--charts-dir={rehearsal.charts}", f"--helm={rehearsal.helm}")
    given = (f"--cluster={context}", f"--values={TAGGED}", *settings, *charts, "-o", "addopts=", "-v", *options)
    return launch(place, *given, environment={"KUBECONFIG": str(kubeconfig), "COLUMNS": "200"})


def write_kubeconfig(path: Path, cluster: Mapping[str, str], user: Mapping[str, str], context: str = CONTEXT) -> Path:
    """Write a kubeconfig with one context that only its owner can read."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": dict(cluster)}],
        "users": [{"name": context, "user": dict(user)}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def direct(rehearsal: Rehearsal, place: Path, context: str = CONTEXT) -> Path:
    """Write a kubeconfig for the rehearsal's API server as its administrator."""
    found = yaml.safe_load(rehearsal.kubeconfig.read_text(encoding="utf-8"))
    place.mkdir(parents=True, exist_ok=True)
    return write_kubeconfig(place / "kubeconfig", found["clusters"][0]["cluster"], found["users"][0]["user"], context)


def sql(rehearsal: Rehearsal, statement: str, *values: object, dbname: str = DATABASE) -> list[tuple[Any, ...]]:
    """Return the rows of one statement of the superuser; no rows if it has none."""
    socket, port = str(rehearsal.postgres_socket), rehearsal.postgres_port
    with psycopg.connect(host=socket, port=port, user="postgres", dbname=dbname, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values or None)
        return cursor.fetchall() if cursor.description else []
