"""Compare an install with the cluster's own work: makespan, delays, CPU and memory in one table.

usage: python -m bench.makespan [--profile typical] [--runs 1] [--no-serial]

Each run has a new rehearsal cluster. The schedule is compared with pytest's own loop (``-p no:stages-schedule``), which
runs one stage after another. The makespan is run.json's duration, from start to end of the session. The critical path
is the cluster's own work only (critical_path.py). What lies between the two is told stretch by stretch (account.py).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.account import Stretch, account, overhead
from bench.audit import writes
from bench.critical_path import delays, longest, works
from bench.rig import direct, install, rehearsal, say
from bench.sampling import Peaks, Sampler
from fixtures.readiness.settling import UNTRIED_SECONDS
from fixtures.rehearsal.profiles import PROFILES

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """One install. Times in seconds; ``delays`` by stage."""

    makespan: float
    path: float
    stages: list[tuple[str, float]]
    delays: dict[str, float]
    account: list[Stretch]
    peaks: Peaks


def measure(place: Path, profile: str, *options: str) -> Measured:
    """Install on a new rehearsal. Raises SystemExit if that is not green."""
    with rehearsal("span", profile, audit=True) as running:
        run = install(place, running, direct(running, place), *options)
        sampler = Sampler(run.process.pid)
        status = run.wait(900)
        peaks = sampler.stop()
        if status:
            raise SystemExit(f"the install ended with status {status}: see {place}/output")
        lines = running.players_log.read_text(encoding="utf-8").splitlines()
        made, told = list(writes(running.audit_log)), list(map(json.loads, lines))
    document = run.document()
    graph, done = document["stages"], works(made, told, UNTRIED_SECONDS)
    path, stages = longest(graph, done)
    found = account(document["run"], graph, done)
    return Measured(document["run"]["duration"], path, stages, delays(graph, done), found, peaks)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def rows(runs: Sequence[Measured]) -> list[tuple[str, str]]:
    """Return the first column and another one for some runs: the times of the median run, the most memory."""
    median = sorted(runs, key=lambda run: run.makespan / run.path)[(len(runs) - 1) // 2]
    waited = [delay for run in runs for delay in run.delays.values()]
    peaks = max(runs, key=lambda run: run.peaks.together["pss"]).peaks
    alone, together = peaks.alone, peaks.together
    return [
        ("makespan", f"{median.makespan:.1f} s"),
        ("critical path: the cluster's own work", f"{median.path:.1f} s"),
        ("makespan ÷ critical path (goal 1.03)", f"{median.makespan / median.path:.3f}"),
        (
            "ready → decided, p50 / p95 (goal 0.2 s)",
            f"{percentile(waited, 0.5):.3f} / {percentile(waited, 0.95):.3f} s",
        ),
        ("CPU: harness / with helm", f"{peaks.cpu_alone:.1f} / {peaks.cpu_together:.1f} s"),
        ("peak PSS: harness / with helm (goal 256 MB)", _megabytes(alone["pss"], together["pss"])),
        ("peak RSS: harness / with helm", _megabytes(alone["rss"], together["rss"])),
        ("processes at once", str(peaks.processes)),
    ]


def _megabytes(*values: int) -> str:
    return " / ".join(f"{value / MEGABYTE:.0f}" for value in values) + " MB"


def table(columns: dict[str, Sequence[Measured]]) -> list[str]:
    """Return the lines of the table, with one column per way to run."""
    filled = {name: rows(runs) for name, runs in columns.items()}
    first = next(iter(filled.values()))
    lines = [f"{'':46}" + "".join(f"{name:>22}" for name in filled)]
    for number, (label, _) in enumerate(first):
        lines.append(f"{label:46}" + "".join(f"{column[number][1]:>22}" for column in filled.values()))
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.makespan", description=__doc__)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="typical")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--no-serial", action="store_true", help="measure the schedule alone")
    chosen = parser.parse_args(arguments)
    place = Path(tempfile.mkdtemp(prefix="makespan-"))
    ways: dict[str, tuple[str, ...]] = {"schedule": ()}
    ways |= {} if chosen.no_serial else {"serial": ("-p", "no:stages-schedule")}
    columns: dict[str, Sequence[Measured]] = {}
    for name, options in ways.items():
        columns[name] = [measure(place / f"{name}-{n}", chosen.profile, *options) for n in range(chosen.runs)]
        for run in columns[name]:
            chain = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in run.stages if seconds)
            slow = ", ".join(f"{stage} {delay:.3f}" for stage, delay in run.delays.items())
            say(f"{name}: makespan {run.makespan:.1f} s; critical path: {chain}; delays: {slow}")
            for each in run.account:
                say(f"  {each}")
            say(f"  {overhead(run.account):7.3f} s of these are no work of the cluster")
    say(f"profile {chosen.profile}, {chosen.runs} run(s) each; load average {os.getloadavg()[0]:.1f}; see {place}")
    for line in table(columns):
        say(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
