"""Two installs at the same time on one cluster, again and again; the audit log proves that there is one writer.

usage: python -m bench.tworuns [--times 20]

Each time has a new rehearsal cluster and two runs, the second one up to 12 seconds after the first. Every third time
the first run is killed after a random number of its writes. Each run, with its helm, has its own ServiceAccount, so
that the audit log shows which run made a write. There are two writers if a write of one run (except of the Lease, for
which both compete) begins before the other run's last write has ended, or is outside of the time for which its run held
the Lease.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from bench.audit import Write, writes
from bench.rig import LONGEST, Run, install, rehearsal, say, write_kubeconfig
from fixtures.cluster.api import Api
from fixtures.cluster.connect import connect
from fixtures.rehearsal.session import Rehearsal

RUNS = ("first", "second")
LOOK = 0.05  # seconds between two checks of the audit log
MOST = 100  # writes of the first run after which it may be killed, at most; an install needs some 170
LATEST = 12.0  # seconds of offset: an install takes about as long
EXPIRY = 30.0  # seconds from its last renewal to the expiry of a Lease
USER = "system:serviceaccount:default:trial-"


@dataclass(slots=True)
class Meeting:
    """Two runs on one cluster. ``spans``: from the first to the last write of a run, in seconds since the epoch."""

    offset: float
    killed: int | None  # the number of writes after which it was killed
    statuses: list[int] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    gap: float = 0.0  # seconds between the last write of one run and the first of the other


def meet(place: Path, offset: float, killed: int | None) -> Meeting:
    """Start two runs ``offset`` seconds apart; SIGKILL the first one after ``killed`` writes, unless that is None."""
    with rehearsal("two", audit=True) as running:
        return meet_on(running, place, offset, killed)


def meet_on(running: Rehearsal, place: Path, offset: float, killed: int | None) -> Meeting:
    """Let two runs meet on a rehearsal that keeps an audit log."""
    meeting = Meeting(offset, killed)
    api = connect(running.name, running.context, running.kubeconfig).api
    files = {name: _account(api, running, place, name) for name in RUNS}
    first = _started(place, running, files, "first")
    killer = threading.Thread(target=_kill, args=(first, running, killed or math.inf))
    killer.start()
    threading.Event().wait(offset)
    runs = [first, _started(place, running, files, "second")]
    meeting.statuses = [run.wait() for run in runs]
    killer.join()
    judge(meeting, list(writes(running.audit_log)))
    for name in RUNS:
        api.delete("ClusterRoleBinding.rbac.authorization.k8s.io", None, f"trial-{name}")
        api.delete("ServiceAccount", "default", f"trial-{name}")
    return meeting


def _started(place: Path, running: Rehearsal, files: dict[str, Path], name: str) -> Run:
    return install(place / name, running, files[name], f"--lock-timeout={LONGEST:.0f}s", context=name)


def _kill(run: Run, running: Rehearsal, count: float) -> None:
    """Kill a run when the audit log has so many of its writes; return when it has ended."""
    seen = 0
    with running.audit_log.open(encoding="utf-8") as log:
        while run.process.poll() is None:
            lines = log.readlines()
            seen += sum(f'"username":"{USER}first"' in line and '"verb":"patch"' in line for line in lines)
            if seen >= count:
                run.process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.process.wait(LOOK)


def _account(api: Api, running: Rehearsal, place: Path, name: str) -> Path:
    """Create a ServiceAccount with all rights; return a kubeconfig with its token."""
    account = {"name": f"trial-{name}", "namespace": "default"}
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account}, manager="trial")
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": account["name"]},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", **account}],
    }
    api.apply(binding, manager="trial")
    path = f"/api/v1/namespaces/default/serviceaccounts/{account['name']}/token"
    token = api.request("POST", path, body={"spec": {"expirationSeconds": 3600}})["status"]["token"]
    cluster = yaml.safe_load(running.kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]
    place.mkdir(parents=True, exist_ok=True)
    return write_kubeconfig(place / f"{name}.kubeconfig", cluster, {"token": token}, context=name)


def judge(meeting: Meeting, made: Sequence[Write]) -> None:
    """Fill in what the audit log proves."""
    by_run = {name: [each for each in made if each.user == USER + name] for name in RUNS}
    ours = {name: [each for each in found if each.resource != "leases"] for name, found in by_run.items()}
    meeting.counts = {name: len(found) for name, found in ours.items()}
    wanted = [0 if meeting.killed is None else -9, 0]
    if meeting.statuses != wanted and not (meeting.killed is not None and meeting.statuses == [0, 0]):
        meeting.faults.append(f"exit statuses: got {meeting.statuses}, want {wanted}")
    for name, status in zip(RUNS, meeting.statuses, strict=True):
        leases = [each for each in by_run[name] if each.resource == "leases"]
        meeting.faults += outside(ours[name], leases, killed=status < 0)
    if all(ours.values()):
        earlier, later = sorted(ours.values(), key=lambda found: found[0].begun)
        end, start = max(each.ended for each in earlier), min(each.begun for each in later)
        meeting.gap = start - end
        meeting.faults += [f"two writers: {each}" for each in later if each.begun < end]


def outside(ours: Sequence[Write], leases: Sequence[Write], *, killed: bool) -> list[str]:
    """Return the writes that began before their run took the Lease, or ended after it released or lost it."""
    if ours and not leases:
        return ["a run that never wrote the Lease has written other objects"]
    since = leases[0].ended if leases else 0.0
    until = (leases[-1].ended + EXPIRY if killed else leases[-1].begun) if leases else 0.0
    return [f"outside of its time: {each}" for each in ours if each.begun < since or each.ended > until]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the meetings; return 1 if there were ever two writers, or a run was not green."""
    parser = argparse.ArgumentParser(prog="python -m bench.tworuns", description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--place", type=Path, default=None, help="directory of the runs' outputs")
    chosen = parser.parse_args(arguments)
    place = chosen.place or Path(tempfile.mkdtemp(prefix="tworuns-"))
    say(f"{chosen.times} meetings, seed {chosen.seed}; outputs in {place}")
    chance = random.Random(chosen.seed)  # noqa: S311 - offsets, not secrets
    met = []
    for number in range(chosen.times):
        offset = chance.uniform(0.0, LATEST if number % 2 else 1.5)
        killed = chance.randint(1, MOST) if number % 3 == 2 else None
        met.append(meet(place / str(number), offset, killed))
        say(line(number, met[-1]))
    bad = [each for each in met if each.faults]
    total = sum(sum(each.counts.values()) for each in met)
    say(f"{len(met)} meetings, {total} writes in the audit logs, {len(bad)} with two writers or without green")
    return 1 if bad else 0


def line(number: int, meeting: Meeting) -> str:
    """Return the line of one meeting."""
    killed = "" if meeting.killed is None else f", first killed after {meeting.killed} writes"
    counts = ", ".join(f"{name} {count}" for name, count in meeting.counts.items())
    found = "; ".join(meeting.faults) or f"one writer, gap {meeting.gap:.2f} s"
    return f"{number + 1:3}: offset {meeting.offset:4.1f} s{killed}; writes: {counts}; exit {meeting.statuses}: {found}"


if __name__ == "__main__":
    sys.exit(main())
