"""Run every query of every dashboard as Grafana does, on a rehearsal with a real VictoriaMetrics, and show the results.

usage: python -m bench.panels [--page FILE] [--without-gpus]

The programs come from `python -m fixtures.rehearsal build --metrics`, or from the directory VICTORIA_METRICS.
Metrics are queried from vmselect through the API server's port-forward, over the last ten minutes. PostgreSQL and
OpenSearch are queried through the rehearsal's Grafana: PostgreSQL is real, OpenSearch is played. The exit status is 1
if a query is refused.
"""

from __future__ import annotations

import argparse
import html
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from bench import panel_cluster
from bench.rig import launch, say
from fixtures.cluster.connect import connect
from fixtures.cluster.endpoint import Endpoint, ServiceEndpoint
from fixtures.dataplane.grafana_proof import grafana
from fixtures.dataplane.panels import Panel, asked_variables, given, panels, written_out
from fixtures.rehearsal.build import METRICS, build, cached_programs
from fixtures.rehearsal.faults.targets import REAL_METRICS
from fixtures.rehearsal.players.client import Client
from fixtures.rehearsal.players.real_metrics import READ
from fixtures.rehearsal.request import Options
from fixtures.rehearsal.session import start
from fixtures.vocabulary import names

if TYPE_CHECKING:
    from fixtures.cluster.api import Api
    from fixtures.rehearsal.session import Rehearsal

INTERVAL = 5  # seconds between two scrapes
RANGE, STEP = 600, 15  # seconds of the shown range, and between two points
RATE = "2m"  # Grafana's $__rate_interval for a datasource with 30s
PATIENCE = 180.0  # seconds until scraped samples can be queried: vmselect leaves out the newest half minute
VMSELECT_PORT = 8481


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one query of a panel: ``found`` counts series or rows, ``last`` is a value of the first one."""

    panel: Panel
    query: str
    found: int
    last: str
    why: str = ""

    @property
    def red(self) -> bool:
        """Whether the query was refused."""
        return self.why.startswith("refused: ")


class Boards:
    """The dashboards of an installed dataplane, and the connections for their queries."""

    def __init__(self, api: Api, namespace: str) -> None:
        boards = api.list("GrafanaDashboard.grafana.integreatly.org", namespace)
        self.boards = [json.loads(each["spec"]["json"]) for each in boards]
        self.metrics: Endpoint = ServiceEndpoint(api, namespace, names.VMSELECT, VMSELECT_PORT)
        self.grafana = grafana(api, namespace)

    def close(self) -> None:
        """Close the connections."""
        self.metrics.close()
        self.grafana.close()

    def rows(self) -> list[Row]:
        """Run every query once."""
        return [row for board in self.boards for row in self._board(board)]

    def _board(self, board: Mapping[str, Any]) -> Iterator[Row]:
        values = given(board) | {each["name"]: self._variable(each) for each in asked_variables(board)}
        for panel in panels(board):
            for target in panel.targets:
                ask = self._metric if panel.source == names.METRICS_DATASOURCE else self._other
                yield ask(panel, written_out(target, values))

    def _variable(self, variable: Mapping[str, Any]) -> str:
        target = {"refId": "V", "rawSql": variable["query"], "format": "table", "datasource": variable["datasource"]}
        columns, _ = self._queried(target)
        return str(columns[0][0]) if columns and columns[0] else ""

    def _metric(self, panel: Panel, target: Mapping[str, Any]) -> Row:
        expression = str(target["expr"]).replace("$__rate_interval", RATE)
        now = time.time()
        if target.get("instant"):
            path, asked = "query", {"query": expression, "time": now}
        else:
            path, asked = "query_range", {"query": expression, "start": now - RANGE, "end": now, "step": STEP}
        answer = self.metrics.ask(f"{READ}/api/v1/{path}?{urlencode(asked)}")
        if not answer.ok:
            return Row(panel, str(target["refId"]), 0, "", f"refused: {answer}")
        found = answer.json()["data"]["result"]
        last = "" if not found else str((found[0].get("values") or [found[0].get("value")])[-1][1])
        return Row(panel, str(target["refId"]), len(found), last, "" if found else "no series matches")

    def _other(self, panel: Panel, target: Mapping[str, Any]) -> Row:
        columns, why = self._queried(target)
        values = columns[-1] if columns else []
        found = "" if why or values else "no row: the applications have written nothing"
        return Row(panel, str(target["refId"]), len(values), str(values[-1]) if values else "", why or found)

    def _queried(self, target: Mapping[str, Any]) -> tuple[list[list[Any]], str]:
        body = {"queries": [{"intervalMs": 60_000, "maxDataPoints": 100, **target}], "from": "now-6h", "to": "now"}
        answer = self.grafana.ask("/api/ds/query", method="POST", body=body)
        if not answer.ok:
            return [], f"refused: {answer}"
        frames = [frame for result in answer.json()["results"].values() for frame in result["frames"]]
        return (frames[0]["data"]["values"] if frames else []), ""


def programs() -> Path:
    """Return the directory of the real programs: the given one, or one that is built if necessary."""
    named = os.environ.get(REAL_METRICS, "")
    cached = cached_programs(METRICS)
    return Path(named) if named else cached if cached.is_dir() else build(say, METRICS)


def installed(undo: ExitStack, place: Path, given: Path, *, with_gpus: bool) -> Rehearsal:
    """Start a rehearsal with the given programs and install on it; ``undo`` ends both."""
    os.environ[REAL_METRICS] = str(given)
    undo.callback(os.environ.pop, REAL_METRICS, None)
    name = f"panels-{os.getpid()}"
    rehearsal = start(Options(name=name, keep=True), say)
    undo.callback(rehearsal.stop)
    (panel_cluster.gpus if with_gpus else panel_cluster.no_gpus)(Client(rehearsal.kubeconfig))
    options = ("--cluster=rehearsal", f"--rehearsal-name={name}", f"--set=metrics_interval_seconds={INTERVAL}")
    run = launch(place, *options)
    if status := run.wait():
        raise SystemExit(f"the install ended with status {status}:\n{run.output()[-4000:]}")
    panel_cluster.waiting(Client(rehearsal.kubeconfig))
    return rehearsal


def asked(rehearsal: Rehearsal, expected: int | None = None) -> list[Row]:
    """Return a row for each query when ``expected`` metrics have data, or after the time limit."""
    cluster = connect(rehearsal.name, rehearsal.context, rehearsal.kubeconfig)
    boards = Boards(cluster.api, names.NAMESPACE)
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            rows = boards.rows()
            metrics = [row for row in rows if row.panel.source == names.METRICS_DATASOURCE]
            having = sum(row.found > 0 for row in metrics)
            if having >= (len(metrics) if expected is None else expected) or time.monotonic() > deadline:
                return rows
            say(f"{having} of {len(metrics)} queries of metrics have data")
            time.sleep(INTERVAL)
    finally:
        boards.close()
        cluster.close()


def cells(row: Row) -> tuple[str, ...]:
    """Return the cells of a row."""
    source = {names.METRICS_DATASOURCE: "metrics", names.LOGS_DATASOURCE: "logs"}.get(row.panel.source, "SQL")
    return (row.panel.board, row.panel.title, row.query, source, str(row.found), row.last[:12], row.why)


HEADS = ("dashboard", "panel", "query", "of", "found", "a value", "why not")


def table(rows: Sequence[Row]) -> str:
    """Return all rows as a Markdown table."""
    lines = [HEADS, tuple("---" for _ in HEADS), *map(cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(rows: Sequence[Row], said: str) -> str:
    """Return all rows as a page."""
    body = "".join(
        f"<tr class={'red' if row.red else 'full' if row.found else 'empty'}>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells(row))
        + "</tr>"
        for row in rows
    )
    heads = "".join(f"<th>{head}</th>" for head in HEADS)
    top = f"<!doctype html><meta charset=utf-8><title>Panels</title>{STYLE}<h1>Panels</h1><p>{html.escape(said)}</p>"
    return f"{top}<table><tr>{heads}</tr>{body}</table>"


STYLE = (
    "<style>body{font:13px system-ui;margin:16px}table{border-collapse:collapse}td,th{padding:2px 10px;text-align:left}"
    "tr:nth-child(odd){background:#f4f4f4}.empty{color:#777}.red{color:#b00}.full td:nth-child(5){color:#060}</style>"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.panels", description=__doc__)
    parser.add_argument("--page", type=Path, help="write the table as a page there")
    parser.add_argument("--without-gpus", action="store_true", help="a cluster whose nodes have none")
    options = parser.parse_args(arguments)
    with ExitStack() as undo:
        place = Path(undo.enter_context(tempfile.TemporaryDirectory()))
        rehearsal = installed(undo, place, programs(), with_gpus=not options.without_gpus)
        rows = asked(rehearsal)
        say(table(rows))
        said = f"{sum(row.found > 0 for row in rows)} of {len(rows)} queries have data"
        say(said)
        if options.page:
            options.page.write_text(page(rows, said), encoding="utf-8")
    return int(any(row.red for row in rows))


if __name__ == "__main__":
    sys.exit(main())
