"""Kill matrix: an installer that is killed after write number N and run again has to end like an undisturbed one.

usage: python -m bench.killmatrix [--points 64 | --chain]

Every point has a new rehearsal cluster. Odd points kill the installer only, as an out-of-memory kill does (its guard
then ends helm); even points kill all of its processes, as a lost node does.
With ``--chain``, all points share a cluster: each run is killed after the first write after which none was killed yet,
until one ends by itself, which is compared. Each run writes Lease and record again, so their points are named by what
the write says (a claim, a stage that begins); after one write of each kind, the Lease is renewed before the kill.
Before the last run, rows are written to the existing tables: they have to be there afterwards.
It prints ``killed N, recovered N``, for a chain the points of each kind, and the reasons of what was not recovered. The
exit status is 0 if nothing failed.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.killchain import points_of, whole_chain
from bench.killed import Trial, again, started, undisturbed
from bench.killing_proxy import KillingProxy
from bench.outcome import Left
from bench.rig import rehearsal, say


def trial(point: int, wanted: Left, place: Path) -> Trial:
    """Kill after write ``point``, run again, compare."""
    result = Trial(point)
    with rehearsal(f"kill-{point}") as running:
        proxy = KillingProxy(running.kubeconfig)
        proxy.at = point
        run = started(place / "killed", running, proxy, armed=point)
        status = run.wait()
        result.killed = status == -signal.SIGKILL
        if not result.killed:
            result.after = f"not reached: {len(proxy.written)} writes, exit status {status}"
            return result
        result.after = proxy.written[point - 1]
        proxy.at = 0
        begun = time.monotonic()
        result.faults = again(place / "again", running, proxy, wanted)
        result.seconds = time.monotonic() - begun
        proxy.close()
    return result


def sample(total: int, points: int) -> list[int]:
    """Return an even sample of 1 … total, with both ends if there is room."""
    if points >= total:
        return list(range(1, total + 1))
    return sorted({1 + round(index * (total - 1) / max(1, points - 1)) for index in range(points)})


def summary(trials: Sequence[Trial]) -> list[str]:
    """Return the lines of the result."""
    killed = [each for each in trials if each.killed]
    recovered = [each for each in killed if not each.faults]
    kinds = Counter(each.after.partition(" ")[0] + " " + each.after.rpartition("/")[0][-40:] for each in killed)
    lines = [f"  {number:3} after {kind}" for kind, number in kinds.most_common()]
    lines += [f"  point {each.point}: {each.after}" for each in trials if not each.killed]
    for each in killed:
        lines += [f"  point {each.point}, after {each.after}: {fault}" for fault in each.faults]
    return [*lines, f"killed {len(killed)}, recovered {len(recovered)}"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.killmatrix", description=__doc__)
    parser.add_argument(
        "--points", type=int, default=64, help="the last ones may not be reached: installs differ a little"
    )
    parser.add_argument("--chain", action="store_true", help="all points on one cluster, one after the other")
    parser.add_argument("--jobs", type=int, default=1, help="points tried side by side")
    parser.add_argument("--place", type=Path, default=None, help="directory of the runs' outputs")
    chosen = parser.parse_args(arguments)
    place = chosen.place or Path(tempfile.mkdtemp(prefix="killmatrix-"))
    told = Counter[str]()
    wanted, written = undisturbed(place / "undisturbed", told)
    if chosen.chain:
        say(f"{len(written)} writes in an undisturbed install; outputs in {place}")
        done = whole_chain(wanted, points_of(told), place / "chain")
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
