"""Account for each second of an install: what the stage that ended last has waited for, in the order of time. Pure.

The stretches lie end to end, from the start of the session to its end, so their sum is the makespan. Within a stage
they follow the objects of which each was asked for after the one before it was ready.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.critical_path import Work
from fixtures.vocabulary.times import epoch

Stage = Mapping[str, Any]  # as run.json has it


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some seconds of the run. ``own``: the cluster worked in them."""

    seconds: float
    stage: str
    what: str
    own: bool = False

    def __str__(self) -> str:
        return f"{self.seconds:7.3f} s {'work' if self.own else '    '}  {self.stage:26}{self.what}"


def overhead(stretches: Iterable[Stretch]) -> float:
    """Return the seconds in which the cluster did no work for which the run waited."""
    return sum(each.seconds for each in stretches if not each.own)


def account(run: Mapping[str, Any], stages: Sequence[Stage], done: Sequence[Work]) -> list[Stretch]:
    """Return the stretches of a run that has ended; all three as run.json and ``works`` have them."""
    at, found = _moment(run, "started"), []
    chain = _chain(stages)
    for number, stage in enumerate(chain):
        begun = _moment(stage["times"], "apply_begun")
        what = "its turn comes" if number else "imports, settings, connection, Lease, record"
        found.append(Stretch(begun - at, stage["name"], what))
        at = _handed_over(stage, chain[number + 1]) if stage is not chain[-1] else _moment(stage["times"], "finished")
        found += _inside(stage["name"], begun, at, [work for work in done if work.stage == stage["name"]])
    return [*found, Stretch(_moment(run, "finished") - at, "", "the last look, reports")]


def _chain(stages: Sequence[Stage]) -> list[Stage]:
    """Return the stages of which each began when the one before it allowed it; the last one ended last."""
    ran = {stage["name"]: stage for stage in stages if stage["times"]["apply_begun"]}
    chain = [max(ran.values(), key=lambda stage: _moment(stage["times"], "finished"))]
    while before := [ran[need] for need in chain[-1]["needs"] if need in ran]:
        chain.append(max(before, key=lambda stage: _handed_over(stage, chain[-1])))
    return chain[::-1]


def _handed_over(stage: Stage, following: Stage) -> float:
    """Return when a stage let the following one begin: at its end, or before a trial that goes on."""
    end, begun = _moment(stage["times"], "finished"), _moment(following["times"], "apply_begun")
    return end if end <= begun else min(_moment(stage["times"], "decided"), begun)


def _inside(stage: str, begun: float, end: float, done: Sequence[Work]) -> Iterator[Stretch]:
    """Yield the stretches of a stage."""
    steps: list[Work] = []
    until = end
    while earlier := [work for work in done if begun <= work.asked and work.ready <= until]:
        steps.append(max(earlier, key=lambda work: work.ready))
        until = steps[-1].asked
    at = begun
    for work in reversed(steps):
        yield Stretch(work.asked - at, stage, f"until {work.thing} is asked for")
        yield Stretch(work.ready - work.asked, stage, work.thing, own=True)
        at = work.ready
    yield Stretch(end - at, stage, "until it is decided and proved" if steps else "no work of the cluster")


def _moment(times: Mapping[str, Any], name: str) -> float:
    return epoch(times[name]) or 0.0
