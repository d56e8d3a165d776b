"""One install on a rehearsal with faults: its messages, its end, and the time from a fault to its failure.

A fault shows when the players' log says so or, if the API server causes it, at the first refusal in its audit log. If
helm or a check refuses something, the fault shows when the stage begins.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.rig import launch
from fixtures.dataplane.operators import OPERATORS
from fixtures.rehearsal.faults import targets
from fixtures.rehearsal.faults.catalogue import checked
from fixtures.rehearsal.faults.entries import CATALOGUE
from fixtures.rehearsal.faults.entry import TIMED
from fixtures.rehearsal.faults.targets import BEFORE_STAGES, DATAPLANE, operator_of
from fixtures.rehearsal.request import Options
from fixtures.rehearsal.session import Rehearsal, start
from fixtures.vocabulary.times import epoch

TIMEOUT = "20s"  # the timeout of a stage that fails only by timeout
REFUSING = {"the API server", "admission", "RBAC", "API priority and fairness"}


@dataclass(frozen=True, slots=True)
class Struck:
    """``line``: the first fault's first line; ``seconds`` until its stage had failed; ``lines``: of all faults."""

    line: str
    seconds: float | None
    status: int
    lines: dict[str, str]


def stage_hit(name: str) -> str:
    """Return the stage that fails because of a fault, spelled as in ``--fault``."""
    fault = checked(name)
    return targets.stage_hit(fault.name, fault.target)


def shows_by(name: str) -> tuple[str, ...]:
    """Return the options of a second install that shows a fault as ``--fault`` spells it; none if the first does."""
    fault = checked(name)
    return CATALOGUE[fault.name].shows_by.get(fault.target, ())


def options_of(names: Sequence[str]) -> list[str]:
    """Return the options of the run with the faults: changed settings, and short limits for what waits."""
    waits = {stage_hit(name) for name in names if CATALOGUE[checked(name).name].judged == TIMED}
    timed = [f"--stage-timeout={stage}={TIMEOUT}" for stage in sorted(waits)]
    return [*(option for name in names for option in shows_by(name)), *timed]


def struck(place: Path, names: Sequence[str], grace: float) -> Struck:
    """Install on a new rehearsal with these faults."""
    running = start(Options(f"fault-{os.getpid()}", keep=True, faults=tuple(names), audit=True), lambda _: None)
    try:
        options = ("--cluster=rehearsal", f"--rehearsal-name={running.name}", f"--grace={grace:g}s")
        if any(map(shows_by, names)):
            launch(place / "before", *options).wait()
        run = launch(place, *options, *options_of(names))
        status, output = run.wait(), run.output()
        lines = {name: _line(name, output) for name in names}
        return Struck(lines[names[0]], _seconds(place, running, names[0]), status, lines)
    finally:
        running.stop()


def _line(name: str, output: str) -> str:
    stage = stage_hit(name)
    begin = "ERROR: " if stage in BEFORE_STAGES else f"{stage}: "
    return next((line for line in output.splitlines() if line.startswith(begin)), "")


def _seconds(place: Path, running: Rehearsal, name: str) -> float | None:
    """Return the seconds from the moment the fault shows to the end of its stage; None if there is no such stage."""
    path = place / "run.json"
    stages = json.loads(path.read_text(encoding="utf-8"))["stages"] if path.is_file() else []
    stage = next((each for each in stages if each["name"] == stage_hit(name)), None)
    if stage is None or stage["outcome"] != "failed":
        return None
    begun, failed = epoch(stage["times"]["apply_begun"]) or 0.0, epoch(stage["times"]["finished"])
    if failed is None:
        return None
    by = CATALOGUE[checked(name).name].by
    shown = _refused(running, name) if by in REFUSING else _played(running)
    if by == "helm":
        shown = _last_of_helm(running, name, failed)
    return round(failed - max(begun, shown), 1)


def _played(running: Rehearsal) -> float:
    """Return when the players first logged that a fault shows; 0 if they did not."""
    entries = _entries(running.players_log)
    return min((float(entry["t"]) for entry in entries if entry["event"] == "fault"), default=0.0)


def _refused(running: Rehearsal, name: str) -> float:
    """Return when the API server first refused the installer an object of the operator's kinds; 0 if never."""
    operator = OPERATORS.get(operator_of(checked(name).target))
    groups = {kind.partition(".")[2] for kind in operator.kinds} if operator else set()
    for entry in _entries(running.audit_log):
        about = entry.get("objectRef", {})
        writes = entry["verb"] in {"patch", "create"} and about.get("apiGroup") in groups
        if (
            writes
            and entry.get("responseStatus", {}).get("code", 0) >= 400
            and "Helm" not in entry.get("userAgent", "")
        ):
            return epoch(entry["stageTimestamp"]) or 0.0
    return 0.0


def _last_of_helm(running: Rehearsal, name: str, failed: float) -> float:
    """Return when the API server last answered helm about the release before the stage failed; 0 if never."""
    operator = OPERATORS.get(checked(name).target)
    space = operator.namespace if operator else DATAPLANE
    helms = (entry for entry in _entries(running.audit_log) if "Helm" in entry.get("userAgent", ""))
    about = (entry for entry in helms if entry.get("objectRef", {}).get("namespace") == space)
    moments = (epoch(entry["stageTimestamp"]) or 0.0 for entry in about)
    return max((moment for moment in moments if moment <= failed), default=0.0)


def _entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
