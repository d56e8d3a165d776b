"""A chain of kills on one cluster: each run is killed at another point, and the last run completes the install."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from bench.killed import Trial, again, api_of, mark, started
from bench.killing_proxy import KillingProxy
from bench.outcome import Left, data_uids
from bench.rig import rehearsal, say
from bench.write_points import AFTER_A_RELEASE, CLAIM, END, MORE, OVER_A_DEAD_ONE, RELEASE, RENEWAL, kind
from fixtures.rehearsal.session import Rehearsal

ONLY_IN_A_CHAIN = (OVER_A_DEAD_ONE, AFTER_A_RELEASE)
NEVER_AFTER = (CLAIM, RELEASE, END, MORE, RENEWAL)  # writes before the Lease's keeper starts or after it has ended


def killed_in_turn(points: Sequence[int], running: Rehearsal, place: Path) -> list[int]:
    """Kill run after run on one cluster, each at its own write (except Lease and record); return the exit statuses."""
    proxy, statuses = KillingProxy(running.kubeconfig, bookkeeping=False), list[int]()
    for number, point in enumerate(points):
        proxy.written.clear()
        proxy.at = point
        statuses.append(started(place / f"killed-{number}", running, proxy, armed=point).wait())
    proxy.close()
    return statuses


def points_of(told: Mapping[str, int]) -> Counter[str]:
    """Return the write points of a chain: all of an install, except renewals and claims after another run."""
    once = Counter(dict.fromkeys((*ONLY_IN_A_CHAIN, *({MORE} & {*told})), 1))
    return once + Counter({name: number for name, number in told.items() if name not in {MORE, RENEWAL}})


def whole_chain(wanted: Left, points: Counter[str], place: Path) -> Trial:
    """Kill run after run, each after the first write of a kind after which none was killed; compare the last run."""
    result = Trial(0)
    with rehearsal("chain") as running:
        proxy = KillingProxy(running.kubeconfig)
        proxy.left, proxy.moments = Counter(points), {kind(name) for name in points} - {*NEVER_AFTER, *ONLY_IN_A_CHAIN}
        moments, uids, rows = frozenset(proxy.moments), dict[str, str](), Counter[str]()
        while True:
            proxy.written.clear()
            result.point += 1
            status = started(place / str(result.point), running, proxy, armed=result.point).wait()
            if status != -signal.SIGKILL:
                break
            result.killed, result.after = True, f"{proxy.written[-1]} ({result.point})"
            say(f"run {result.point}: killed after {proxy.written[-1]}, write {len(proxy.written)} of the run")
            seen = data_uids(api_of(running))
            result.faults += [f"{name} was recreated" for name, uid in uids.items() if seen.get(name) != uid]
            uids |= seen
            rows.update({} if "clusters" in rows else mark(running))
        result.faults += [f"run {result.point} ended with status {status}"] if status else []
        result.faults += again(place / "again", running, proxy, wanted, rows)
        for line in table(points, proxy.left, moments, proxy.renewed):
            say(line)
        say(f"{result.point - 1} runs killed; never written last: {dict(proxy.left) or 'none'}")
        proxy.close()
    return result


def table(
    points: Mapping[str, int], left: Mapping[str, int], moments: Collection[str], renewed: Sequence[str]
) -> list[str]:
    """Return a table of the kinds of writes, with the number of their points and of kills after them."""
    wanted, open_ = Counter[str](), Counter[str]()
    for name, number in points.items():
        wanted[kind(name)] += number
        open_[kind(name)] += left.get(name, 0)
    wanted[RENEWAL], open_[RENEWAL] = len(moments), len(moments) - len(renewed)
    lines = [f"| {each} | {number} | {number - open_[each]} |" for each, number in sorted(wanted.items())]
    total = sum(wanted.values())
    return ["| write | points | killed |", *lines, f"| all | {total} | {total - sum(open_.values())} |"]
