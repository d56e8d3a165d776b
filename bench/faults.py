"""The fault catalogue, one rehearsal per fault: what the install reports and when, and what helm reports.

usage: python -m bench.faults [NAME[:TARGET]…] [--grace 4] [--no-helm] [--examples] [--json FILE]

It prints a table: the first line, the seconds from the moment the fault shows on the cluster until the stage has
failed, and the exit status; for charts also helm's report of the same fault and its seconds. ``--examples`` instead
runs the groups of the troubleshooting page (those with NAME), and writes its examples again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.fault_helm import HelmSaid, helm_says
from bench.rig import say
from bench.struck import Struck, struck
from fixtures.rehearsal.faults.catalogue import checked
from fixtures.rehearsal.faults.entries import CATALOGUE
from fixtures.rehearsal.faults.entry import HARD, LAST, LATER, LOCKED, PASSES, TIMED
from fixtures.rehearsal.faults.examples import GROUPS, masked, rewritten
from fixtures.rehearsal.places import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
SLACK = 2.0  # seconds, beyond the grace where there is one, on a machine whose cores are free


def crowd() -> float:
    """Return how many programs want each core, at least 1: a program's CPU second takes so many times longer."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@dataclass(frozen=True, slots=True)
class Row:
    """The reports of one fault by the install and by helm."""

    name: str
    judged: str
    install: Struck
    helm: HelmSaid | None
    crowd: float = 1.0  # programs that wanted each core

    def in_time(self, grace: float) -> bool:
        """Whether the stage failed in time."""
        graces = {HARD: 0, LATER: 4, LAST: 6, LOCKED: 30 / grace, TIMED: 20 / grace}.get(self.judged, 1)
        return self.install.seconds is None or self.install.seconds <= graces * grace + SLACK * self.crowd


def rows(names: Iterable[str], grace: float, *, helm: bool) -> Iterator[Row]:
    """Run each fault with the installer and with helm."""
    for name in names:
        entry = CATALOGUE[checked(name).name]
        with tempfile.TemporaryDirectory(prefix="bench-fault-") as place:
            found = struck(Path(place), [name], grace)
            crowded = crowd()
            yield Row(name, entry.judged, found, helm_says(Path(place), name) if helm else None, crowded)


def _seconds(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"


def line_of(row: Row) -> str:
    """Return a row of the table, in Markdown."""
    helm = f"{row.helm.words} | {_seconds(row.helm.seconds)}" if row.helm else "— | —"
    told = row.install
    cells = f"`{masked(told.line) or '(none)'}` | {_seconds(told.seconds)} | {told.status} | {helm}"
    return f"| {row.name} | {cells} |".replace("\n", " ")


def write_examples(names: Sequence[str], grace: float) -> int:
    """Run the groups with these faults (no names: all), write the page's examples, and return their number."""
    page = PAGE.read_text(encoding="utf-8")
    lines: dict[str, str] = {}
    for group in [each for each in GROUPS if not names or {*names} & {*each}]:
        with tempfile.TemporaryDirectory(prefix="bench-fault-") as place:
            found = struck(Path(place), group, grace)
        lines |= {name: masked(found.lines[name]) for name in group if found.lines.get(name)}
        for name in group:
            say(f"{name}: {lines.get(name, '(no line)')}")
        PAGE.write_text(rewritten(page, lines), encoding="utf-8")
    return len(lines)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME[:TARGET]", help="faults to run (default: all)")
    parser.add_argument("--grace", type=float, default=4.0, help="seconds (default: %(default)s)")
    parser.add_argument("--no-helm", action="store_true", help="leave helm's side of the table out")
    parser.add_argument("--examples", action="store_true", help="write the examples of docs/troubleshooting.md again")
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    options = parser.parse_args(arguments)
    try:
        for name in options.names:
            checked(name)
    except ValueError as error:
        parser.error(f"{error}; there are: {', '.join(CATALOGUE)}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 if a stage failed too late or not at all."""
    options = _options(arguments)
    if options.examples:
        say(f"{write_examples(options.names, options.grace)} examples written")
        return 0
    place = f"on {os.cpu_count()} cores, {crowd():.1f} programs for each"
    say(f"grace {options.grace:g} s, {place}; helm: `upgrade --install --wait --timeout 30s`")
    say("\n| fault | first line | seconds to failed | exit | helm says | after s |\n|---|---|---|---|---|---|")
    late, told = [], list[Mapping[str, Any]]()
    for row in rows(options.names or CATALOGUE, options.grace, helm=not options.no_helm):
        say(line_of(row))
        told.append(asdict(row))
        if row.judged != PASSES and not (row.install.line and row.in_time(options.grace)):
            late.append(row.name)
        if options.json:
            options.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    say(f"\nlate or untold: {', '.join(late) or 'none'}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
