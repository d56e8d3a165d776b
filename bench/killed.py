"""A killed install and the next run, for all trials of kills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil
import psycopg

from bench.killing_proxy import KillingProxy
from bench.outcome import Left, data_uids, left_by_install
from bench.rig import Run, install, rehearsal, sql, write_kubeconfig
from fixtures.cluster.api import Api
from fixtures.cluster.connect import connect
from fixtures.rehearsal.session import Rehearsal


@dataclass(slots=True)
class Trial:
    """One point: the last write, and what is wrong after the second run (nothing, if it recovered)."""

    point: int
    killed: bool = False
    after: str = ""
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0  # of the second run


def undisturbed(place: Path, told: Counter[str] | None = None) -> tuple[Left, list[str]]:
    """Install once; return what it leaves, and its writes in order; ``told`` counts what they say."""
    with rehearsal("kill-0") as running:
        proxy = KillingProxy(running.kubeconfig)
        status = started(place, running, proxy).wait()
        if status:
            raise SystemExit(f"the undisturbed install ended with status {status}: see {place}/output")
        proxy.close()
        if told is not None:
            told.update(proxy.told)
        return left_by_install(api_of(running), running), proxy.written


def again(
    place: Path, running: Rehearsal, proxy: KillingProxy, wanted: Left, rows: Mapping[str, int] | None = None
) -> list[str]:
    """Install once more; return what differs from an undisturbed install, and which data is lost."""
    api = api_of(running)
    marked, uids = mark(running) if rows is None else rows, data_uids(api)
    status = started(place, running, proxy).wait()
    if status:
        return [f"the second run ended with status {status}: see {place}/output"]
    left = left_by_install(api, running)
    faults = left.differences(wanted)
    faults += [f"{name} was recreated" for name, uid in uids.items() if left.kept.get(name) != uid]
    faults += [f"{count - there} of {count} rows of {table} are lost" for table, count, there in _rows(running, marked)]
    return faults


def started(place: Path, running: Rehearsal, proxy: KillingProxy, armed: int = 0) -> Run:
    """Start an install through the proxy, which kills it; with an even ``armed``, also all that it has started."""
    place.mkdir(parents=True, exist_ok=True)
    kubeconfig = write_kubeconfig(place / "kubeconfig", {"server": proxy.url}, {})
    run = install(place, running, kubeconfig, "--lock-timeout=30s")
    proxy.kill = partial(kill, run.process.pid, everything=bool(armed) and armed % 2 == 0)
    return run


def kill(pid: int, *, everything: bool) -> None:
    """SIGKILL the installer, and with ``everything`` all that it has started."""
    members = [psutil.Process(pid)]
    if everything:
        members[0].suspend()  # so that it starts nothing more
        members += members[0].children(recursive=True)
    for process in members:
        process.kill()


def api_of(running: Rehearsal) -> Api:
    """Return the rehearsal's API server."""
    return connect(running.name, running.context, running.kubeconfig).api


def mark(running: Rehearsal) -> dict[str, int]:
    """Write rows into the tables that exist; return table → number of rows."""
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


def _rows(running: Rehearsal, marked: Mapping[str, int]) -> list[tuple[str, int, int]]:
    counted = [(table, count, sql(running, f"SELECT count(*) FROM {table}")[0][0]) for table, count in marked.items()]  # noqa: S608 - own names
    return [(table, count, there) for table, count, there in counted if there != count]
