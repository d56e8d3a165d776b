"""Load the plugins of the installer; each owns one concern."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

PLUGINS = [
    "fixtures.session.early",  # before all imports that take time
    "fixtures.session.memory",
    "fixtures.redaction.plugin",
    "fixtures.engine.hooks",
    "fixtures.settings.plugin",
    "fixtures.settings.listing",
    "fixtures.engine.plugin",
    "fixtures.cluster.plugin",
    "fixtures.dataplane.prerequisites",
    "fixtures.applying.plugin",
    "fixtures.helm.plugin",
    "fixtures.dataplane.infrastructure",
    "fixtures.dataplane.collection",
    "fixtures.dataplane.external_answers",
    "fixtures.dataplane.monitoring",
    "fixtures.dataplane.grafana_made",
    "fixtures.dataplane.pull_secret",
    "fixtures.dataplane.plugin",
    "fixtures.dataplane.imaging",
    "fixtures.database.plugin",
    "fixtures.lifecycle.undoing",
    "fixtures.lifecycle.plugin",
    "fixtures.lifecycle.rolling_back",
    "fixtures.planning.graph",
    "fixtures.planning.selected",
    "fixtures.planning.plugin",
    "fixtures.preflight.plugin",
    "fixtures.preflight.pinning",
    "fixtures.rehearsal.plugin",
    "fixtures.diagnosis.plugin",
    "fixtures.narration.plugin",
    "fixtures.narration.stage_words",
    "fixtures.report.plugin",
    "fixtures.metrics.plugin",
    "fixtures.bundle.plugin",
    "fixtures.lease.plugin",
    "fixtures.record.plugin",
    "fixtures.control_plane.plugin",
    "fixtures.session.version",
    "fixtures.session.signals",
]


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the plugins: for each name in ``pytest_plugins`` pytest would read what every package says of itself."""
    for name in PLUGINS:
        pluginmanager.import_plugin(name)
