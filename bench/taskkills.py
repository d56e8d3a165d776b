"""Task kills: the runs of tasks are killed again and again, and each time the controller, too.

usage: python -m bench.taskkills [--points 30]

The controller runs in its own process. Its Jobs' pods are played here: each runs the Job's command on a rehearsal. In
the end each task is completed, was reset once for each killed run, and had one Job per attempt. If a task is completed
before all points were reached, another task with its own rehearsal takes the rest.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
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
LONGEST = 20.0  # the longest a run lasts before it is killed, in seconds
BEHIND = 3.0  # seconds at most from a run's end to its controller's, which resets, claims and creates meanwhile
EARLY = "UPDATE dataplane_install_tasks SET updated_at = now() - interval '1 hour' WHERE status = 'pending'"
PATIENCE = 1800.0  # seconds for one task


class Trial:
    """A task, its runs, and its controllers."""

    def __init__(self, found: Rehearsal, tables: Tables, points: int, chance: random.Random) -> None:
        self.rehearsal, self.tables, self.chance = found, tables, chance
        self.place = Path(tempfile.mkdtemp(prefix="task-kills-"))
        self.template = played_template(self.place)
        self.cluster = connect("jobs", found.context, found.kubeconfig)
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

    def kill(self, number: int) -> tuple[signal.Signals, Callable[[], bool]] | None:
        """Return when a run has to be killed; None if it may end by itself."""
        if number >= len(self.after):
            return None
        moment = time.monotonic() + self.after[number]
        return signal.SIGKILL, lambda: time.monotonic() > moment

    def prepare(self) -> JobPlayer:
        """Create what the Jobs need, and begin to play their pods."""
        api, inside = self.cluster.api, {"namespace": NAMESPACE}
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "primus-lens-sa", **inside}})
        values = {"user": "postgres", "password": "none"}
        api.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, **inside}, "stringData": values})
        options = (*Target(self.rehearsal).options, "--set=image_tag=latest")  # no release names one
        return JobPlayer(api, NAMESPACE, self.place, options, self.kill)

    def follow(self, task: int, player: JobPlayer) -> bool:
        """Follow the task to its end; after each killed run, another controller takes over."""
        begun, seen, pause = time.monotonic(), 0, threading.Event()
        while self.tables.state(task)["status"] not in {"completed", "failed"}:
            if time.monotonic() - begun > PATIENCE:
                return False
            if len(player.runs) > seen and player.runs[-1].process.poll() is not None:
                seen = len(player.runs)
                pause.wait(self.chance.uniform(0.0, BEHIND))
                self.controller.kill()
                self.controller.wait()
                self.controllers_killed += 1
                self.controller = self._controller()
            self.tables.rows(EARLY)
            pause.wait(0.3)
        return True


def one_task(found: Rehearsal, tables: Tables, points: int, chance: random.Random) -> tuple[int, bool]:
    """Kill a task's runs at up to ``points`` moments; return their number, and whether all was well in the end."""
    trial = Trial(found, tables, points, chance)
    player = trial.prepare()
    begun = time.monotonic()
    task = tables.task(row=Target(found).row, max_retries=10 * points)
    try:
        trial.follow(task, player)
    finally:
        trial.controller.kill()
        player.close()
    state = tables.state(task)
    killed = sum(run.process.poll() == -signal.SIGKILL for run in player.runs)
    jobs = {pod["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] for pod in player.pods}
    say(f"{state['status']} after {time.monotonic() - begun:.0f} s: {killed} runs killed, {len(player.runs)} in all")
    say(f"set back {state['retry_count']} times, {len(jobs)} Jobs for {len(player.pods)} pods")
    say(f"controllers killed: {trial.controllers_killed}; {state['error_message']}")
    trial.cluster.close()
    return killed, state["status"] == "completed" and len(jobs) == len(player.runs) == state["retry_count"] + 1


def main() -> int:
    """Run tasks until all points are reached, and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--points", type=int, default=30)
    points = parser.parse_args().points
    chance = random.Random(points)  # noqa: S311 - the same points each time
    killed, good, number = 0, True, 0
    with running() as server:
        while killed < points and good:
            number += 1
            with rehearsal(f"task-kills-{number}") as found:
                died, good = one_task(found, tables_in(server), points - killed, chance)
                killed += died
                good = good and died > 0
    say(f"{killed} runs killed in {number} tasks: {'all are well' if good else 'the last one is not as it should be'}")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
