"""Crowded: what it costs an install that thousands of definitions, pods and namespaces are not ours.

usage: python -m bench.crowded [--definitions 1000] [--pods 5000] [--namespaces 200] [--runs 3]

It installs on two rehearsals, and fills one of them with objects through the API server. Then it runs the installer,
which has nothing to do, on both in turn, so that other load of this machine affects both. It prints the medians of
seconds, of the installer's CPU (with helm), of the API server's CPU (with etcd), and of the peak of memory. The exit
status is 1 if the crowd costs more than 2 s or 50 MB.
"""

from __future__ import annotations

import argparse
import math
import operator
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

import psutil

from bench.rig import direct, install, rehearsal, say
from fixtures.cluster.api import Api
from fixtures.cluster.connect import connect
from fixtures.rehearsal.components import pids
from fixtures.rehearsal.session import Rehearsal
from fixtures.vocabulary.objects import Object, dig

SECONDS, MEGABYTES = 2.0, 50.0
AT_ONCE = 8
FIELDS = 120  # of a definition's schema, which comes to some 20 kB of JSON
PREFIX = "crowd"
QUIET, AT_REST = 5.0, 0.1  # seconds, and the share of them for which an idle API server may be busy
DEFINITION = "CustomResourceDefinition.apiextensions.k8s.io"
SERVER = frozenset({"kube-apiserver", "etcd"})


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one run: seconds, CPU seconds of the run and of the API server, peak of memory in megabytes."""

    seconds: float
    cpu: float
    server: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, CPU {self.cpu:.1f} s, API server's {self.server:.1f} s, {self.megabytes:.0f} MB"


def definition(number: int) -> Object:
    """Return a definition that nobody uses, as large as those in service."""
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
    """Return a pod that no scheduler assigns to a node."""
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


def settle(api: Api, server: Sequence[psutil.Process], definitions: int) -> None:
    """Wait until the API server has processed the definitions: each is established, and its schema is published.

    It processes about ten a second in the background, and needs minutes if others use the processors.
    """
    begun = time.monotonic()
    names = [str(definition(number)["metadata"]["name"]) for number in range(definitions)]
    while names := [name for name in names if not _established(api.get(DEFINITION, None, name))]:
        time.sleep(QUIET)
    busy = math.inf
    while busy > AT_REST * QUIET:
        before = _busy(server)
        time.sleep(QUIET)
        busy = _busy(server) - before
    say(f"  the API server has taken them in after {time.monotonic() - begun:.0f} s")


def _established(live: Object | None) -> bool:
    conditions = dig(live or {}, "status", "conditions", default=[])
    return any((each["type"], each["status"]) == ("Established", "True") for each in conditions)


def _account(namespace: str) -> Object:
    """Return the account that every pod needs; its controller would create it later."""
    metadata = {"name": "default", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _make(api: Api, objects: Iterable[Object], *, lenient: bool = False) -> None:
    make = (lambda obj: api.apply(obj, manager=PREFIX)) if lenient else api.create
    begun = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        made = sum(1 for _ in pool.map(make, objects))
    say(f"  {made} objects in {time.monotonic() - begun:.0f} s")


def server_of(running: Rehearsal) -> list[psutil.Process]:
    """Return the processes of a rehearsal's API server and etcd."""
    return [psutil.Process(pid) for name, pid in pids(running.request).items() if name in SERVER]


def measured(running: Rehearsal, place: Path) -> Cost:
    """Run the installer, which has nothing to do, and return the cost."""
    server = server_of(running)
    begun, busy = time.monotonic(), _busy(server)
    run = install(place, running, direct(running, place))
    _, status, usage = os.wait4(run.process.pid, 0)
    took = time.monotonic() - begun
    if status:
        raise SystemExit(f"the install has failed:\n{(place / 'output').read_text()[-3000:]}")
    cost = Cost(took, usage.ru_utime + usage.ru_stime, _busy(server) - busy, usage.ru_maxrss / 1024)
    say(f"  {place.name}: {cost}")
    return cost


def _busy(processes: Sequence[psutil.Process]) -> float:
    """Return the CPU seconds of processes."""
    return sum(float(times.user + times.system) for times in (each.cpu_times() for each in processes))


def typical(costs: Sequence[Cost]) -> Cost:
    """Return the median of each value of some runs."""
    return Cost(*map(statistics.median, zip(*map(astuple, costs), strict=True)))


def trial(definitions: int, pods: int, namespaces: int, runs: int) -> int:
    """Measure on an empty cluster and a full one in turn; return the exit status."""
    with rehearsal("alone") as alone, rehearsal("crowded") as full, tempfile.TemporaryDirectory() as directory:
        place, both = Path(directory), {"alone": alone, "crowded": full}
        for name, running in both.items():
            measured(running, place / f"{name}-first")  # it installs
        say(f"making {namespaces} namespaces, {pods} pods and {definitions} definitions")
        cluster = connect("crowded", full.context, full.kubeconfig)
        crowd(cluster.api, definitions, pods, namespaces)
        settle(cluster.api, server_of(full), definitions)
        cluster.close()
        turns = [[measured(each, place / f"{name}-{turn}") for name, each in both.items()] for turn in range(runs)]
    found = dict(zip(both, map(typical, zip(*turns, strict=True)), strict=True))
    for name, cost in found.items():
        say(f"{name}: {cost} a run")
    seconds, cpu, server, megabytes = map(operator.sub, astuple(found["crowded"]), astuple(found["alone"]))
    say(f"the crowd adds {seconds:.1f} s (at most {SECONDS:.0f}) and {megabytes:.0f} MB (at most {MEGABYTES:.0f});")
    say(f"of CPU, {cpu:.1f} s of the installer's and {server:.1f} s of the API server's")
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
