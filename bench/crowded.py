"""Crowded: what it costs an install that thousands of definitions, pods and namespaces are not ours.

usage: python -m bench.crowded [--definitions 1000] [--pods 5000] [--namespaces 200] [--runs 3]

Installs on a rehearsal; then runs the installer again, with nothing to do, before and after the cluster is filled
with objects made straight through the API server. Prints the median of seconds, of the installer's own CPU and of the
peak of memory. Ends with status 1 where the crowd costs more than 2 s or 50 MB.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.rig import direct, install, rehearsal, say
from fixtures.cluster.api import Api
from fixtures.cluster.connect import connect
from fixtures.rehearsal.session import Rehearsal
from fixtures.vocabulary.objects import Object

SECONDS, MEGABYTES = 2.0, 50.0
AT_ONCE = 8
FIELDS = 120  # of a definition's schema, which comes to some 20 kB of JSON
PREFIX = "crowd"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: wall-clock seconds, its own seconds of CPU, and the peak of its memory in megabytes."""

    seconds: float
    cpu: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, {self.cpu:.1f} s of CPU, {self.megabytes:.0f} MB"


def definition(number: int) -> Object:
    """Return a definition of nobody's interest, of the size that they have in service."""
    text = "A field of somebody's, with a description as long as the generators of such schemas write them. "
    fields = {f"field{index}": {"type": "string", "description": text} for index in range(FIELDS)}
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}
    group, plural = f"{PREFIX}{number % 50}.example.com", f"things{number}"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": f"Thing{number}", "plural": plural, "singular": f"thing{number}"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def pod(number: int, namespaces: int) -> Object:
    """Return a pod that no scheduler takes."""
    metadata = {"name": f"{PREFIX}-{number}", "namespace": f"{PREFIX}-{number % namespaces}", "labels": {"app": PREFIX}}
    container = {"name": "main", "image": "example.com/crowd:1"}
    spec = {"schedulerName": "nobody", "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def crowd(api: Api, definitions: int, pods: int, namespaces: int) -> None:
    """Fill the cluster."""
    spaces = [f"{PREFIX}-{number}" for number in range(namespaces)]
    _make(api, ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in spaces))
    _make(api, (_account(name) for name in spaces), lenient=True)
    _make(api, (pod(number, namespaces) for number in range(pods)))
    _make(api, (definition(number) for number in range(definitions)))


def _account(namespace: str) -> Object:
    """Return the account without which no pod is taken; its controller comes to it, too, but later."""
    metadata = {"name": "default", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _make(api: Api, objects: Iterable[Object], *, lenient: bool = False) -> None:
    make = (lambda obj: api.apply(obj, manager=PREFIX)) if lenient else api.create
    begun = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        made = sum(1 for _ in pool.map(make, objects))
    say(f"  {made} objects in {time.monotonic() - begun:.0f} s")


def measured(running: Rehearsal, kubeconfig: Path, place: Path) -> Cost:
    """Run the installer with nothing to do."""
    begun = time.monotonic()
    run = install(place, running, kubeconfig)
    _, status, usage = os.wait4(run.process.pid, 0)
    took = time.monotonic() - begun
    if status:
        raise SystemExit(f"the install has failed:\n{(place / 'output').read_text()[-3000:]}")
    cost = Cost(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    say(f"  {place.name}: {cost}")
    return cost


def typical(costs: Sequence[Cost]) -> Cost:
    """Return the median of some runs, in each respect."""
    columns = [[each.seconds, each.cpu, each.megabytes] for each in costs]
    return Cost(*map(statistics.median, zip(*columns, strict=True)))


def trial(definitions: int, pods: int, namespaces: int, runs: int) -> int:
    """Measure before and after the cluster is filled; return the exit status."""
    found: list[Cost] = []
    with rehearsal("crowded") as running, tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        kubeconfig = direct(running, place)
        measured(running, kubeconfig, place / "first")  # it installs
        cluster = connect("crowded", running.context, running.kubeconfig)
        for filled in (False, True):
            if filled:
                say(f"making {namespaces} namespaces, {pods} pods and {definitions} definitions")
                crowd(cluster.api, definitions, pods, namespaces)
            measured(running, kubeconfig, place / f"{filled}-warm")  # the API server takes in what was made
            costs = [measured(running, kubeconfig, place / f"{filled}-{number}") for number in range(runs)]
            found.append(typical(costs))
            say(f"{'crowded' if filled else 'alone'}: {found[-1]} a run")
        cluster.close()
    seconds, megabytes = found[1].seconds - found[0].seconds, found[1].megabytes - found[0].megabytes
    cpu = found[1].cpu - found[0].cpu
    say(f"the crowd adds {seconds:.1f} s (at most {SECONDS:.0f}), of which {cpu:.1f} s are the installer's own CPU,")
    say(f"and {megabytes:.0f} MB (at most {MEGABYTES:.0f}); the rest of the time is the API server's")
    return int(seconds > SECONDS or megabytes > MEGABYTES)


def main() -> int:
    """Read the options, and measure."""
    parser = argparse.ArgumentParser(description="what the cluster's own life costs an install")
    for name, default in (("definitions", 1000), ("pods", 5000), ("namespaces", 200), ("runs", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    return trial(given.definitions, given.pods, given.namespaces, given.runs)


if __name__ == "__main__":
    sys.exit(main())
