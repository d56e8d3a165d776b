"""The cluster's own work in an install, and its longest chain through the graph of the stages. Pure.

The work for an object lasts from the API server's answer to the write that requests it until it is ready for the last
time. The players' log says which time was the last one. Its moment is that of the controllers' write beside that line,
because a player logs a little later. Time for helm, the installer and the network is overhead, not work. A program
without a probe has to run for some seconds (``tried``), which is also work, but no later stage waits for it; it begins
when the cluster says that the program runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.audit import Write
from fixtures.dataplane.operators import OPERATORS
from fixtures.vocabulary.times import epoch

NEAR = 0.2  # seconds between a write and the player's line for it
AGENTS = ("primus-lens-install", "Helm/")
STAGE_OF_KIND = {
    "PostgresCluster": "infra-postgres",
    "VMCluster": "infra-victoriametrics",
    "OpenSearchCluster": "infra-opensearch",
    "VMAgent": "infra-metrics-collection",
    "Grafana": "applications",
    "OpensearchIndexTemplate": "monitoring",
    "OpenSearchISMPolicy": "monitoring",
    "FluentBit": "monitoring",
    "GrafanaDatasource": "monitoring",
    "GrafanaDashboard": "monitoring",
}
SHOWN_BY = {"FluentBit": "DaemonSet"}  # its operator writes no status: another object shows that it is ready
OPERATOR = {f"Deployment {each.namespace}/{each.deployment}": stage for stage, each in OPERATORS.items()}
EXPORTER = "-kube-state-metrics"
UNPROBED = {"system-tuner": "applications"}  # DaemonSets without probes; the players do not log them


@dataclass(frozen=True, slots=True)
class Work:
    """The cluster's work for one object of a stage; times in seconds since the epoch."""

    stage: str
    thing: str  # Kind namespace/name
    asked: float
    ready: float
    tried: float = 0.0  # seconds from then on; later stages begin meanwhile


def works(made: Iterable[Write], players: Iterable[Mapping[str, Any]], untried: float = 0.0) -> list[Work]:
    """Return the work for each object that the installer or helm wrote and the players logged as ready.

    ``untried``: seconds for which a program without a probe has to run.
    """
    asked: dict[str, float] = {}
    written: dict[str, list[Write]] = {}
    for write in made:
        place = f"{write.resource} {write.namespace}/{write.name}"
        if write.agent.startswith(AGENTS):
            asked.setdefault(place, write.ended)
        else:
            written.setdefault(place, []).append(write)
    told = {line["object"]: float(line["t"]) for line in players if line["event"] == "ready"}
    found = []
    for thing, moment in told.items():
        kind, _, name = thing.partition(" ")
        begun = asked.get(f"{kind.lower()}s {name}")
        stage = _stage_of(kind, thing)
        if begun is not None and stage is not None:
            shown = written.get(f"{SHOWN_BY.get(kind, kind).lower()}s {name}", [])
            found.append(Work(stage, thing, begun, _stored(shown, moment)))
    return [*found, *_unprobed(asked, written, untried)]


def _unprobed(asked: Mapping[str, float], written: Mapping[str, list[Write]], untried: float) -> Iterator[Work]:
    """Yield the work for DaemonSets without a probe: it ends with the last write of their controller."""
    for place, begun in asked.items():
        resource, _, name = place.partition(" ")
        stage = next(
            (stage for end, stage in UNPROBED.items() if resource == "daemonsets" and name.endswith(end)), None
        )
        if stage is not None and place in written:
            yield Work(stage, f"DaemonSet {name}", begun, written[place][-1].ended, untried)


def _stage_of(kind: str, thing: str) -> str | None:
    """Return the stage that applies an object; None if that is not known, so that it counts for no other stage."""
    if kind != "Deployment":
        return STAGE_OF_KIND.get(kind)
    return "infra-metrics-collection" if thing.endswith(EXPORTER) else OPERATOR.get(thing, "applications")


def _stored(shown: Iterable[Write], moment: float) -> float:
    """Return when the API server stored what a player logged at ``moment``; some log right before they write."""
    near = [each.ended for each in shown if abs(each.ended - moment) < NEAR]
    before = [each for each in near if each <= moment]
    return max(before) if before else min(near, default=moment)


def longest(stages: Iterable[Mapping[str, Any]], done: Iterable[Work]) -> tuple[float, list[tuple[str, float]]]:
    """Return the seconds of the critical path, and its stages with their work, the first stage first.

    ``stages`` come from run.json, in the order of their files, which is an order of the graph.
    """
    weight: dict[str, float] = {}
    tried: dict[str, float] = {}
    for work in done:
        weight[work.stage] = max(weight.get(work.stage, 0.0), work.ready - work.asked)
        tried[work.stage] = max(tried.get(work.stage, 0.0), work.ready + work.tried - work.asked)
    paths: dict[str, tuple[float, list[tuple[str, float]]]] = {}
    ends: list[tuple[float, list[tuple[str, float]]]] = []
    for stage in stages:
        before = max((paths[need] for need in stage["needs"]), key=lambda path: path[0], default=(0.0, []))
        own = weight.get(stage["name"], 0.0)
        paths[stage["name"]] = (before[0] + own, [*before[1], (stage["name"], own)])
        whole = tried.get(stage["name"], 0.0)
        ends.append((before[0] + whole, [*before[1], (stage["name"], whole)]))
    return max(ends, key=lambda path: path[0])


def delays(stages: Iterable[Mapping[str, Any]], done: Iterable[Work]) -> dict[str, float]:
    """Return stage → seconds from the moment its last object was ready until its test was decided.

    If a stage has several steps, its first handle is decided early; then the end of the stage counts, proofs included.
    If something is tried, the end of the stage is compared with the end of the trial, too.
    """
    last: dict[str, float] = {}
    tried: dict[str, float] = {}
    for work in done:
        last[work.stage] = max(last.get(work.stage, 0.0), work.ready)
        if work.tried:
            tried[work.stage] = work.ready + work.tried
    ends = {stage["name"]: [epoch(stage["times"][each]) or 0.0 for each in ("decided", "finished")] for stage in stages}
    found = {name: next((end - at for end in ends.get(name, ()) if end >= at), 0.0) for name, at in last.items()}
    late = {name: ends[name][1] - at for name, at in tried.items() if name in ends}
    return {name: max(delay, late.get(name, 0.0)) for name, delay in found.items()}
