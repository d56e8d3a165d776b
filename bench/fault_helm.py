"""The report of helm alone about a fault: ``helm upgrade --install --wait --timeout 30s`` on a rehearsal of its own.

Operators and applications are installed with the installer's charts, storage with a chart that contains its one object.
helm would not meet faults of the database, the migrations or the connection.
"""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from fixtures.applying.rendering import render
from fixtures.dataplane.operators import OPERATORS
from fixtures.rehearsal.door import CHART_VALUES
from fixtures.rehearsal.faults.entries import CATALOGUE
from fixtures.rehearsal.faults.targets import BY_OPERATOR, DATAPLANE
from fixtures.rehearsal.places import ROOT
from fixtures.rehearsal.request import Options
from fixtures.rehearsal.session import Rehearsal, start
from fixtures.settings.layers import DataplaneConfig

TEMPLATES = {
    "infra-postgres": "postgres.yaml.j2",
    "infra-victoriametrics": "victoriametrics.yaml.j2",
    "infra-opensearch": "opensearch.yaml.j2",
}
WITHOUT = {"connection", "database-migration", "namespace"}
TIMEOUT = 30
CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class HelmSaid:
    """The last line of helm, and the seconds until it ended."""

    words: str
    seconds: float


def helm_says(place: Path, name: str) -> HelmSaid | None:
    """Install with helm what the fault's stage installs; return None if no chart meets the fault."""
    stage = CATALOGUE[name].default
    if stage in WITHOUT:
        return None
    if name == "operator-silent":
        stage = {operator: each for each, operator in BY_OPERATOR.items()}.get(stage, stage)
    running = start(Options(f"helm-{os.getpid()}", keep=True, faults=(name,)), lambda _: None)
    try:
        for operator in _first(stage):
            _operator(place, running, operator, "--wait=false")
        if stage in OPERATORS:
            return _operator(place, running, stage)
        chart, namespace = _storage(place, stage) if stage in TEMPLATES else _applications(running)
        return _helm(place, running, "trial", chart, namespace, {}, *_waiting())
    finally:
        running.stop()


def _first(stage: str) -> list[str]:
    return [] if stage in OPERATORS else [BY_OPERATOR.get(stage, "operator-grafana")]


def _waiting() -> tuple[str, ...]:
    return ("--wait", "--timeout", f"{TIMEOUT}s")


def _operator(place: Path, running: Rehearsal, stage: str, *options: str) -> HelmSaid:
    operator = OPERATORS[stage]
    over = dict(CHART_VALUES.get(operator.chart, {}))
    chosen = options or _waiting()
    return _helm(place, running, operator.release, running.charts / operator.chart, operator.namespace, over, *chosen)


def _storage(place: Path, stage: str) -> tuple[Path, str]:
    """Write a chart with the stage's object; return its directory and its name."""
    chart = place / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: trial\nversion: 0.1.0\n", encoding="utf-8")
    objects = render(ROOT / "manifests" / "infrastructure" / TEMPLATES[stage], DataplaneConfig())
    (chart / "templates" / "objects.yaml").write_text(yaml.safe_dump_all(objects), encoding="utf-8")
    return chart, DATAPLANE


def _applications(running: Rehearsal) -> tuple[Path, str]:
    own = running.charts / "primus-lens-apps-dataplane"
    return own if own.is_dir() else ROOT / "manifests" / "charts" / "primus-lens-apps-dataplane", DATAPLANE


def _helm(
    place: Path, running: Rehearsal, release: str, chart: Path, namespace: str, over: dict[str, object], *options: str
) -> HelmSaid:
    command = [str(running.helm), "upgrade", "--install", release, str(chart), "--namespace", namespace]
    homes = {f"HELM_{part}_HOME": str(place / part) for part in ("CACHE", "CONFIG", "DATA")}
    begun = time.monotonic()
    done = subprocess.run(  # noqa: S603 - the rehearsal's helm
        [*command, "--create-namespace", "--values", "-", *options],
        env={**os.environ, **homes, "KUBECONFIG": str(running.kubeconfig)},
        input=yaml.safe_dump(over),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT * 6,
    )
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error: ")]
    last = errors[-1] if errors else "STATUS: deployed" if done.returncode == 0 else (lines or ["nothing"])[-1]
    shown = last if len(last) <= CHARACTERS else f"{last[: CHARACTERS - 1]}…"
    return HelmSaid(f"`{shown}`", round(time.monotonic() - begun, 1))
