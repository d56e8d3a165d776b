"""What measurements and trials share: a rehearsal of their own, and the real command line in a process of its own.

An install reaches the rehearsal as it reaches any cluster: by a context of a kubeconfig, with charts and helm named.
Promise: reports, cache and output of a run stay below the directory given; what was started is ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
import yaml

from fixtures.rehearsal.places import ROOT
from fixtures.rehearsal.request import Options
from fixtures.rehearsal.session import Rehearsal, start

CONTEXT = "bench"
LONGEST = 300.0  # seconds that an install on the rehearsal may take before it is given up
OURS = ("PYTEST_", "CHARTS_DIR", "HELM_", "MIGRATIONS_PATH", "KUBECONFIG")  # variables that would change what is run
DATABASE = "primus_lens"


def say(text: str) -> None:
    """Write a line at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def rehearsal(name: str, profile: str = "fast", *, audit: bool = False) -> Iterator[Rehearsal]:
    """Start a rehearsal; stop it at the end."""
    running = start(Options(name=name, profile=profile, audit=audit), lambda _: None)
    try:
        yield running
    finally:
        running.stop()


@dataclass(frozen=True, slots=True)
class Run:
    """An install that was started. ``place`` holds what it writes."""

    process: subprocess.Popen[bytes]
    place: Path

    def wait(self, seconds: float = LONGEST) -> int:
        """Return its exit status; negative where a signal ended it. Kills it and raises TimeoutExpired if it lasts."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def output(self) -> str:
        """Return what it has printed."""
        return (self.place / "output").read_text(encoding="utf-8", errors="replace")

    def document(self) -> dict[str, Any]:
        """Return its run.json (docs/report-schema.md)."""
        content: dict[str, Any] = json.loads((self.place / "run.json").read_text(encoding="utf-8"))
        return content


def install(place: Path, rehearsal: Rehearsal, kubeconfig: Path, *options: str, context: str = CONTEXT) -> Run:
    """Start ``pytest install`` on a context of ``kubeconfig`` that leads to ``rehearsal``; return at once."""
    place.mkdir(parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    settings = ("--set=postgres_ssl_mode=disable", "--set=cluster_name=bench")
    charts = (f"--charts-dir={rehearsal.charts}", f"--helm={rehearsal.helm}")
    here = (f"--reports={place}", "-o", f"cache_dir={place}/cache", "-o", "addopts=", "-v")
    command = [sys.executable, "-m", "pytest", "install", f"--cluster={context}", *settings, *charts, *here, *options]
    with (place / "output").open("ab") as output:
        process = _launch(command, {**inherited, "KUBECONFIG": str(kubeconfig), "COLUMNS": "200"}, output)
    return Run(process, place)


def _launch(command: list[str], environment: Mapping[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - this Python
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # what is sent to the trial's terminal is not for the runs
    )


def write_kubeconfig(path: Path, cluster: Mapping[str, str], user: Mapping[str, str], context: str = CONTEXT) -> Path:
    """Write a kubeconfig with one context, readable by its owner alone."""
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
    """Write a kubeconfig that leads to the rehearsal's API server as its administrator."""
    found = yaml.safe_load(rehearsal.kubeconfig.read_text(encoding="utf-8"))
    place.mkdir(parents=True, exist_ok=True)
    return write_kubeconfig(place / "kubeconfig", found["clusters"][0]["cluster"], found["users"][0]["user"], context)


def sql(rehearsal: Rehearsal, statement: str, *values: object, dbname: str = DATABASE) -> list[tuple[Any, ...]]:
    """Return the rows of one statement of the superuser; no rows where it has none."""
    socket, port = str(rehearsal.postgres_socket), rehearsal.postgres_port
    with psycopg.connect(host=socket, port=port, user="postgres", dbname=dbname, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []
