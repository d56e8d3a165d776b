"""Fleet: many pending tasks for as many clusters, several controllers; one is killed, and the database restarted once.

usage: python -m bench.fleet [--tasks 1000] [--controllers 3] [--limit 100]

The Jobs are created on a rehearsal. Its Job controller creates their pods on fake nodes, and this program plays each
pod: it ends the task, and then the pod. It prints the time, the Jobs that were created twice (none), the statements per
round, and the memory.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.rig import rehearsal, say
from fixtures.cluster.api import Api, ApiError
from fixtures.cluster.connect import connect
from fixtures.rehearsal.places import ROOT
from fixtures.rehearsal.session import Rehearsal
from fixtures.tests.control_plane_kit import Tables, stopped, tables_in
from fixtures.tests.job_player import played_template
from fixtures.tests.postgres_server import free_port, running

NAMESPACE = "fleet"
APPLICATION = "primus-lens-controller"
PATIENCE = 900.0  # seconds


@dataclass(slots=True)
class Fleet:
    """Controllers and the player of their pods."""

    rehearsal: Rehearsal
    api: Api
    tables: Tables
    template: Path
    limit: int
    made: Counter[str] = field(default_factory=Counter)  # Job -> how often it was created
    peak: int = 0  # bytes of the largest controller
    stop: threading.Event = field(default_factory=threading.Event)

    def controller(self) -> subprocess.Popen[bytes]:
        """Start a controller, and return its process."""
        given = [f"--context={self.rehearsal.context}", f"--namespace={NAMESPACE}", f"--port={free_port()}"]
        given += [f"--job-template={self.template}", f"--limit={self.limit}", "--interval=30s"]
        environment = {**os.environ, **self.tables.environment, "KUBECONFIG": str(self.rehearsal.kubeconfig)}
        command = [sys.executable, "-m", "fixtures.control_plane.controller", *given]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own

    def play(self) -> None:
        """End each new pod, and its task before it."""
        ended: set[str] = set()
        seen: set[str] = set()
        with ThreadPoolExecutor(4) as pool:
            while not self.stop.wait(0.3):
                for job in self.api.list("Job.batch", NAMESPACE):
                    if job["metadata"]["uid"] not in seen:
                        seen.add(job["metadata"]["uid"])
                        self.made[job["metadata"]["name"]] += 1
                pods = [pod for pod in self.api.list("Pod", NAMESPACE) if pod["metadata"]["uid"] not in ended]
                ended |= {pod["metadata"]["uid"] for pod in pods}
                list(pool.map(self._end, pods))

    def _end(self, pod: dict[str, object]) -> None:
        metadata = pod["metadata"]
        assert isinstance(metadata, dict)  # noqa: S101 - for the type
        task = int(metadata["labels"]["primus-lens/task-id"])
        while True:
            with contextlib.suppress(Exception):  # the database may be unreachable for a moment
                self.tables.rows(
                    "UPDATE dataplane_install_tasks SET status = 'completed', completed_at = now(), updated_at = now()"
                    " WHERE id = %s",
                    task,
                )
                break
            self.stop.wait(0.2)
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{metadata['name']}/status"
        with contextlib.suppress(ApiError):
            body = {"status": {"phase": "Succeeded"}}
            self.api.request("PATCH", path, body=body, content_type="application/merge-patch+json")

    def left(self) -> int:
        """Return how many tasks are not completed; all of them while the database is unreachable."""
        try:
            found = self.tables.rows("SELECT count(*) AS n FROM dataplane_install_tasks WHERE status <> 'completed'")
        except Exception:  # noqa: BLE001 - asked again in a moment
            return sys.maxsize
        return int(found[0]["n"])

    def measure(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        """Note the memory of the controllers."""
        for process in processes:
            with contextlib.suppress(psutil.Error):
                self.peak = max(self.peak, psutil.Process(process.pid).memory_info().rss)


def main() -> int:
    """Run the trial and print the results; return 1 if a Job was created twice or a task is not completed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--controllers", type=int, default=3)
    parser.add_argument("--limit", type=int, default=100)
    given = parser.parse_args()
    with running() as server, _fleet(tables_in(server), given.limit) as fleet:
        server.query("ALTER SYSTEM SET log_line_prefix = '%a '")
        server.query("ALTER SYSTEM SET log_statement = 'all'")
        server.query("SELECT pg_reload_conf()")
        for number in range(given.tasks):
            fleet.tables.task(f"cluster-{number}")
        return _trial(fleet, given.tasks, given.controllers)


def _trial(fleet: Fleet, tasks: int, count: int) -> int:
    begun = time.monotonic()
    controllers = [fleet.controller() for _ in range(count)]
    killed = restarted = False
    pause = threading.Event()
    try:
        while (left := fleet.left()) and time.monotonic() - begun < PATIENCE:
            fleet.measure(controllers)
            if not killed and left < tasks * 2 // 3:
                killed = True
                controllers[0].kill()
                say(f"{time.monotonic() - begun:.0f} s: {left} tasks left, one controller is killed")
            if not restarted and left < tasks // 3:
                restarted = True
                with stopped(fleet.tables.server):
                    pause.wait(3)
                say(f"{time.monotonic() - begun:.0f} s: {left} tasks left, the database was restarted")
            pause.wait(1)
    finally:
        for process in controllers:
            process.kill()
            process.wait()
    return _told(fleet, tasks, time.monotonic() - begun)


def _told(fleet: Fleet, tasks: int, seconds: float) -> int:
    twice = {name: count for name, count in fleet.made.items() if count > 1}
    retried = fleet.tables.rows("SELECT count(*) AS n FROM dataplane_install_tasks WHERE retry_count > 0")[0]["n"]
    log = (fleet.tables.server.directory / "log").read_text(encoding="utf-8", errors="replace")
    lines = [line for line in log.splitlines() if line.startswith(f"{APPLICATION} ")]
    rounds = sum("<> '' ORDER BY id" in line for line in lines)
    say(f"{tasks} tasks in {seconds:.0f} s, {fleet.left()} left; {len(fleet.made)} Jobs, made twice: {len(twice)}")
    say(f"set back: {retried}; {len(lines) / max(rounds, 1):.1f} statements a round in {rounds} rounds")
    say(f"largest controller: {fleet.peak / 2**20:.0f} MiB")
    return int(bool(twice or fleet.left()))


@contextlib.contextmanager
def _fleet(tables: Tables, limit: int) -> Iterator[Fleet]:
    place = Path(tempfile.mkdtemp(prefix="fleet-"))
    with rehearsal("fleet") as found:
        cluster = connect("fleet", found.context, found.kubeconfig)
        cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        account = {"name": "primus-lens-sa", "namespace": NAMESPACE}
        cluster.api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
        fleet = Fleet(found, cluster.api, tables, played_template(place), limit)
        player = threading.Thread(target=fleet.play, daemon=True)
        player.start()
        yield fleet
        fleet.stop.set()
        player.join(30)
        cluster.close()


if __name__ == "__main__":
    sys.exit(main())
