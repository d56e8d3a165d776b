"""Kill matrix: an installer killed after write number N, then run again, has to end where an undisturbed one ends.

usage: python -m bench.killmatrix [--points 64 | --chain]

Every point has a new rehearsal cluster. Odd points kill the installer alone, as an out-of-memory kill does (its helm is
left to its guard); even ones all of its processes, as a lost node does.
With ``--chain``, all points share a cluster: each run is killed after the first write after which none has been, until
one ends by itself, and that is compared. Lease and record are left out there: each run writes them from the beginning.
Before the second run, rows are written to the database as far as it is there: they have to be there afterwards.
Prints ``killed N, recovered N``, and for what was not recovered why; exit status 0 where nothing failed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil
import psycopg

from bench.killing_proxy import KillingProxy
from bench.outcome import Left, data_uids, left_by_install
from bench.rig import Run, install, rehearsal, say, sql, write_kubeconfig
from fixtures.cluster.api import Api
from fixtures.cluster.connect import connect
from fixtures.lease.stored import COLLECTION
from fixtures.record.sinks import CONFIG_MAP
from fixtures.rehearsal.session import Rehearsal

BOOKKEEPING = re.compile(rf"{COLLECTION}|/{CONFIG_MAP}$")


@dataclass(slots=True)
class Trial:
    """One point: what was written last, and what is wrong after the second run (nothing, if it recovered)."""

    point: int
    killed: bool = False
    after: str = ""
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0  # of the second run


def undisturbed(place: Path) -> tuple[Left, list[str]]:
    """Install once; return what it leaves, and its writes in their order."""
    with rehearsal(f"kill-{os.getpid()}-0") as running:
        proxy = KillingProxy(running.kubeconfig)
        status = _started(place, running, proxy).wait()
        if status:
            raise SystemExit(f"the undisturbed install ended with status {status}: see {place}/output")
        proxy.close()
        return left_by_install(_api(running), running), proxy.written


def trial(point: int, wanted: Left, place: Path) -> Trial:
    """Kill after write ``point``, run again, compare."""
    result = Trial(point)
    with rehearsal(f"kill-{os.getpid()}-{point}") as running:
        proxy = KillingProxy(running.kubeconfig)
        proxy.at = point
        run = _started(place / "killed", running, proxy, armed=point)
        status = run.wait()
        result.killed = status == -signal.SIGKILL
        if not result.killed:
            result.after = f"not reached: {len(proxy.written)} writes, exit status {status}"
            return result
        result.after = proxy.written[point - 1]
        proxy.at = 0
        begun = time.monotonic()
        result.faults = _again(place / "again", running, proxy, wanted)
        result.seconds = time.monotonic() - begun
        proxy.close()
    return result


def chain(points: Sequence[int], wanted: Left, place: Path) -> Trial:
    """Kill run after run on one cluster, each at its own write (Lease and record apart), then let one end; compare."""
    result = Trial(len(points), killed=True)
    with rehearsal(f"chain-{os.getpid()}") as running:
        proxy = KillingProxy(running.kubeconfig, bookkeeping=False)
        for number, point in enumerate(points):
            proxy.written.clear()
            proxy.at = point
            status = _started(place / f"killed-{number}", running, proxy, armed=point).wait()
            result.killed = result.killed and status == -signal.SIGKILL
            result.after += f"{proxy.written[-1]} ({len(proxy.written)}/{point}, status {status}); "
        proxy.at = 0
        result.faults = _again(place / "again", running, proxy, wanted)
        proxy.close()
    return result


def whole_chain(wanted: Left, written: Sequence[str], place: Path) -> Trial:
    """Kill run after run on one cluster, each after the first write after which none was killed; compare the last."""
    result = Trial(0)
    with rehearsal(f"chain-{os.getpid()}") as running:
        proxy = KillingProxy(running.kubeconfig, bookkeeping=False)
        proxy.left, uids = Counter(written), dict[str, str]()
        while True:
            proxy.written.clear()
            result.point += 1
            status = _started(place / str(result.point), running, proxy, armed=result.point).wait()
            if status != -signal.SIGKILL:
                break
            result.killed, result.after = True, f"{proxy.written[-1]} ({result.point})"
            say(f"run {result.point}: killed after {proxy.written[-1]}, write {len(proxy.written)} of the run")
            seen = data_uids(_api(running))
            result.faults += [f"{name} was made anew" for name, uid in uids.items() if seen.get(name) != uid]
            uids |= seen
        result.faults += [f"run {result.point} ended with status {status}"] if status else []
        result.faults += _again(place / "again", running, proxy, wanted)
        say(f"{result.point - 1} killed; never written last: {dict(proxy.left) or 'none'}")
        proxy.close()
    return result


def _again(place: Path, running: Rehearsal, proxy: KillingProxy, wanted: Left) -> list[str]:
    api = _api(running)
    marked, uids = mark(running), data_uids(api)
    status = _started(place, running, proxy).wait()
    if status:
        return [f"the second run ended with status {status}: see {place}/output"]
    left = left_by_install(api, running)
    faults = left.differences(wanted)
    faults += [f"{name} was made anew" for name, uid in uids.items() if left.kept.get(name) != uid]
    faults += [f"{count - there} of {count} rows of {table} are lost" for table, count, there in _rows(running, marked)]
    return faults


def _started(place: Path, running: Rehearsal, proxy: KillingProxy, armed: int = 0) -> Run:
    place.mkdir(parents=True, exist_ok=True)
    kubeconfig = write_kubeconfig(place / "kubeconfig", {"server": proxy.url}, {})
    run = install(place, running, kubeconfig, "--lock-timeout=30s")
    proxy.kill = partial(kill, run.process.pid, everything=bool(armed) and armed % 2 == 0)
    return run


def kill(pid: int, *, everything: bool) -> None:
    """SIGKILL the installer, with all that it has started or without."""
    members = [psutil.Process(pid)]
    if everything:
        members[0].suspend()  # so that it starts nothing more
        members += members[0].children(recursive=True)
    for process in members:
        process.kill()


def _api(running: Rehearsal) -> Api:
    return connect(running.name, running.context, running.kubeconfig).api


def mark(running: Rehearsal) -> dict[str, int]:
    """Write rows into the database as far as it is there; return table → number of them."""
    marked = {}
    try:
        sql(running, "CREATE TABLE IF NOT EXISTS trial_marker (number integer)")
        sql(running, "INSERT INTO trial_marker SELECT generate_series(1, 100)")
        marked["trial_marker"] = 100
        sql(running, "INSERT INTO clusters (name) SELECT 'trial-' || generate_series(1, 100)")
        marked["clusters"] = 100
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable) as error:
        if isinstance(error, psycopg.OperationalError) and "does not exist" not in str(error):
            raise
    return marked


def _rows(running: Rehearsal, marked: dict[str, int]) -> list[tuple[str, int, int]]:
    counted = [(table, count, sql(running, f"SELECT count(*) FROM {table}")[0][0]) for table, count in marked.items()]  # noqa: S608 - own names
    return [(table, count, there) for table, count, there in counted if there != count]


def sample(total: int, points: int) -> list[int]:
    """Return an even sample of 1 … total, both ends included where there is room."""
    if points >= total:
        return list(range(1, total + 1))
    return sorted({1 + round(index * (total - 1) / max(1, points - 1)) for index in range(points)})


def summary(trials: Sequence[Trial]) -> list[str]:
    """Tell what came of it."""
    killed = [each for each in trials if each.killed]
    recovered = [each for each in killed if not each.faults]
    kinds = Counter(each.after.partition(" ")[0] + " " + each.after.rpartition("/")[0][-40:] for each in killed)
    lines = [f"  {number:3} after {kind}" for kind, number in kinds.most_common()]
    lines += [f"  point {each.point}: {each.after}" for each in trials if not each.killed]
    for each in killed:
        lines += [f"  point {each.point}, after {each.after}: {fault}" for fault in each.faults]
    return [*lines, f"killed {len(killed)}, recovered {len(recovered)}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.killmatrix", description=__doc__)
    parser.add_argument(
        "--points", type=int, default=64, help="the last ones may not be reached: installs differ a little"
    )
    parser.add_argument("--chain", action="store_true", help="all points on one cluster, one after the other")
    parser.add_argument("--jobs", type=int, default=1, help="points tried side by side")
    parser.add_argument("--place", type=Path, default=None, help="directory of the runs' outputs")
    chosen = parser.parse_args(arguments)
    place = chosen.place or Path(tempfile.mkdtemp(prefix="killmatrix-"))
    wanted, written = undisturbed(place / "undisturbed")
    if chosen.chain:
        done = whole_chain(wanted, [each for each in written if not BOOKKEEPING.search(each)], place / "chain")
        say("; ".join(done.faults) or "recovered")
        return 1 if done.faults or not done.killed else 0
    points = sample(len(written), chosen.points)
    say(f"{len(written)} writes in an undisturbed install, {len(points)} of them are tried; outputs in {place}")
    order = random.Random(4).sample(points, len(points))  # noqa: S311 - so that what Ctrl-C leaves is a fair sample too
    trials: list[Trial] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    pool = ThreadPoolExecutor(chosen.jobs)
    try:
        for each in pool.map(lambda point: trial(point, wanted, place / str(point)), order):
            trials.append(each)
            came = each.faults or (f"recovered in {each.seconds:.1f} s" if each.killed else "not killed")
            say(f"point {each.point}: {each.after}: {came}")
    except KeyboardInterrupt:
        say(f"interrupted: {len(order) - len(trials)} points are left")
    pool.shutdown(cancel_futures=True)
    for line in summary(sorted(trials, key=lambda each: each.point)):
        say(line)
    return 1 if any(each.faults for each in trials) or not any(each.killed for each in trials) else 0


if __name__ == "__main__":
    sys.exit(main())
