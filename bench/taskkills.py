"""Task kills: one task whose runs die of SIGKILL again and again, and with each of them the controller.

usage: python -m bench.taskkills [--points 30]

The controller is a process of its own; its Jobs' pods are played here: each runs the Job's command on one rehearsal. In
the end the task is completed, it was set back once for each killed run, and each attempt had one Job.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.rig import rehearsal, say
from fixtures.cluster.connect import connect
from fixtures.control_plane.place import SECRET
from fixtures.rehearsal.places import ROOT
from fixtures.rehearsal.session import Rehearsal
from fixtures.tests.control_plane_kit import Tables, tables_in
from fixtures.tests.job_player import JobPlayer, played_template
from fixtures.tests.postgres_server import free_port, running
from fixtures.tests.task_kit import Target

NAMESPACE = "task-kills"
LONGEST = 20.0  # seconds of a run before it is killed
EARLY = "UPDATE dataplane_install_tasks SET updated_at = now() - interval '1 hour' WHERE status = 'pending'"
PATIENCE = 1800.0  # seconds


class Trial:
    """A task, its runs, and the controllers that came and went."""

    def __init__(self, found: Rehearsal, tables: Tables, points: int) -> None:
        self.rehearsal, self.tables = found, tables
        self.place = Path(tempfile.mkdtemp(prefix="task-kills-"))
        self.template = played_template(self.place)
        self.cluster = connect("jobs", found.context, found.kubeconfig)
        chance = random.Random(points)  # noqa: S311 - the same points each time
        self.after = [chance.uniform(0.5, LONGEST) for _ in range(points)]
        self.controllers_killed = 0
        self.controller = self._controller()

    def _controller(self) -> subprocess.Popen[bytes]:
        given = [f"--context={self.rehearsal.context}", f"--namespace={NAMESPACE}", f"--port={free_port()}"]
        given += [f"--job-template={self.template}", "--interval=1s"]
        own = {"KUBECONFIG": str(self.rehearsal.kubeconfig), "CP_DB_SECRET_NAMESPACE": NAMESPACE}
        command = [sys.executable, "-m", "fixtures.control_plane.controller", *given]
        environment = {**os.environ, **self.tables.environment, **own}
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - our own

    def kill(self, number: int) -> Callable[[], bool] | None:
        """Return when a run is to die; None where it may end by itself."""
        if number >= len(self.after):
            return None
        moment = time.monotonic() + self.after[number]
        return lambda: time.monotonic() > moment

    def prepare(self) -> JobPlayer:
        """Make what the Jobs need, and begin to play their pods."""
        api, inside = self.cluster.api, {"namespace": NAMESPACE}
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "primus-lens-sa", **inside}})
        values = {"user": "postgres", "password": "none"}
        api.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, **inside}, "stringData": values})
        return JobPlayer(api, NAMESPACE, self.place, Target(self.rehearsal).options, self.kill)

    def follow(self, task: int, player: JobPlayer) -> bool:
        """Follow the task to its end; with each run that died another controller takes over."""
        begun, seen, pause = time.monotonic(), 0, threading.Event()
        while self.tables.state(task)["status"] not in {"completed", "failed"}:
            if time.monotonic() - begun > PATIENCE:
                return False
            if len(player.runs) > seen and player.runs[-1].process.poll() is not None:
                seen = len(player.runs)
                self.controller.kill()
                self.controller.wait()
                self.controllers_killed += 1
                self.controller = self._controller()
            self.tables.rows(EARLY)
            pause.wait(0.3)
        return True


def main() -> int:
    """Run the trial and print what it came to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--points", type=int, default=30)
    points = parser.parse_args().points
    with running() as server, rehearsal(f"task-kills-{os.getpid()}") as found:
        tables = tables_in(server)
        trial = Trial(found, tables, points)
        player = trial.prepare()
        begun = time.monotonic()
        task = tables.task(row=Target(found).row, max_retries=10 * points)
        try:
            trial.follow(task, player)
        finally:
            trial.controller.kill()
            player.close()
        state = tables.state(task)
        killed = sum(run.process.poll() == -9 for run in player.runs)
        jobs = {pod["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] for pod in player.pods}
        say(
            f"{state['status']} after {time.monotonic() - begun:.0f} s: {killed} runs killed, {len(player.runs)} in all"
        )
        say(f"set back {state['retry_count']} times, {len(jobs)} Jobs for {len(player.pods)} pods")
        say(f"controllers killed: {trial.controllers_killed}; {state['error_message']}")
        good = state["status"] == "completed" and len(jobs) == len(player.runs) == state["retry_count"] + 1
        trial.cluster.close()
        return int(not good)


if __name__ == "__main__":
    sys.exit(main())
