"""Soak: installs under random pairs of soft faults that heal within the grace, checked from outside at their end.

usage: python -m bench.soak [--minutes 60] [--seed N]

Each round has its own rehearsal. A round is bad if the install ends red (everything healed in time), does not end (a
hang), or ends green while the API server shows something that is not ready. If a fault is active when the install
ends, its end is awaited, and a second run decides. The printed seed makes the same rounds again.
The exit status is 1 if a round was bad, and each round's result is printed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.rig import launch, say
from fixtures.rehearsal.faults.entries import CATALOGUE
from fixtures.rehearsal.faults.entry import LAST, LATER, SOFT
from fixtures.rehearsal.faults.healing import showing
from fixtures.rehearsal.players.client import Client, RequestError
from fixtures.rehearsal.players.kinds import KINDS
from fixtures.rehearsal.request import Options
from fixtures.rehearsal.session import Rehearsal, start

# What these change in an object does not heal; with a definition, all objects of its kind are deleted.
STAYS = {"progress-deadline", "namespace-terminating", "crd-missing"}
BEGINS, LASTS = (0, 20), (3, 14)  # seconds; all are healed long before the grace of 30 s is over
OUTSIDE = 60.0  # seconds for a check from outside, and for faults to end
BUSY = {429, 503}  # the API server asks to try again, as after a definition has changed
COUNTS = {  # kind -> the fields of spec and status that have to be equal
    "Deployment": ("spec.replicas", "status.availableReplicas"),
    "StatefulSet": ("spec.replicas", "status.readyReplicas"),
    "DaemonSet": ("status.desiredNumberScheduled", "status.numberAvailable"),
}
SAYS = {  # kind -> a field of its status, and its value in a healthy custom resource
    "PersistentVolumeClaim": ("status.phase", "Bound"),
    "VMCluster": ("status.clusterStatus", "operational"),
    "OpenSearchCluster": ("status.health", "green"),
    "Grafana": ("status.stageStatus", "success"),
}


@dataclass(frozen=True, slots=True)
class Round:
    """The result of one install: ``good``, ``red``, ``hang`` or ``false green``."""

    came_to: str
    seconds: float
    said: str


def soft() -> list[str]:
    """Return the faults that fail no stage if they heal within the grace."""
    return [name for name, entry in CATALOGUE.items() if entry.judged in {SOFT, LATER, LAST} and name not in STAYS]


def pair(dice: random.Random) -> tuple[str, ...]:
    """Return two faults, each with a target and times of its own."""

    def one(name: str) -> str:
        target = dice.choice(CATALOGUE[name].targets)
        return f"{name}:{target}@{dice.randint(*BEGINS)}+{dice.randint(*LASTS)}"

    return tuple(one(name) for name in dice.sample(soft(), 2))


def field(obj: Any, path: str) -> Any:
    """Return a field by its dotted path; None if there is none."""
    for key in path.split("."):
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj


def unready(client: Client) -> Iterator[str]:
    """Yield what is not ready by the API server, without any code of the installer."""
    for kind in (*COUNTS, *SAYS):
        for obj in _listed(client, kind):
            name = f"{kind} {obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"
            if kind in COUNTS:
                wanted, got = (field(obj, path) or 0 for path in COUNTS[kind])
                old = field(obj, "status.observedGeneration") != obj["metadata"]["generation"]
                if old or wanted != got:
                    yield f"{name}: {got}/{wanted}"
            elif field(obj, SAYS[kind][0]) != SAYS[kind][1]:
                yield f"{name}: {SAYS[kind][0]} is {field(obj, SAYS[kind][0])}"


def _listed(client: Client, kind: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + OUTSIDE
    while True:
        try:
            return list(client.request("GET", KINDS[kind].path())["items"])
        except RequestError as error:
            if error.status == 404:
                return []
            if error.status not in BUSY or time.monotonic() > deadline:
                raise
        time.sleep(1)


def played(faults: Sequence[str]) -> Round:
    """Install once under these faults, and once more if one of them is active at the end."""
    running = start(Options(f"soak-{os.getpid()}", keep=True, faults=tuple(faults)), lambda _: None)
    begun = time.monotonic()
    try:
        came_to, said = _installed(running)
        if came_to != "red" and (on := showing(running.players_log)):
            _passed(running)
            came_to, said = _installed(running)
            said = f"second run, after {', '.join(sorted(on))}  {said}"
        return Round(came_to, time.monotonic() - begun, said)
    finally:
        running.stop()


def _installed(running: Rehearsal) -> tuple[str, str]:
    """Run the installer; return its result and the remarks on it."""
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        run = launch(Path(place), "--cluster=rehearsal", f"--rehearsal-name={running.name}")
        try:
            if run.wait():
                return "red", run.output()[-3000:]
        except TimeoutError:
            return "hang", run.output()[-2000:]
    found = "; ".join(unready(Client(running.kubeconfig)))
    return ("false green" if found else "good"), found


def _passed(running: Rehearsal) -> None:
    """Wait until no fault is active. Raises TimeoutError."""
    deadline = time.monotonic() + OUTSIDE
    while on := showing(running.players_log):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{', '.join(sorted(on))}: still on after {OUTSIDE:.0f} s")
        time.sleep(0.5)


def main() -> int:
    """Run rounds until the time is over; return 1 if one was bad."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = parser.parse_args()
    say(f"seed {given.seed}, {given.minutes:g} minutes, {len(soft())} faults")
    dice, totals = random.Random(given.seed), Counter[str]()  # noqa: S311 - it picks faults, nothing secret
    ends = time.monotonic() + given.minutes * 60
    while time.monotonic() < ends:
        faults = pair(dice)
        came = played(faults)
        totals[came.came_to] += 1
        say(f"{totals.total()}: {came.came_to} after {came.seconds:.0f} s  {' '.join(faults)}  {came.said}".rstrip())
    say(f"{totals.total()} installs: {', '.join(f'{count} {what}' for what, count in totals.items())}")
    return int(bool(totals.keys() & {"red", "hang", "false green"}))


if __name__ == "__main__":
    sys.exit(main())
