"""Names the plugins of the installer; each owns one concern."""

pytest_plugins = [
    "fixtures.redaction.plugin",
    "fixtures.engine.hooks",
    "fixtures.settings.plugin",
    "fixtures.engine.plugin",
    "fixtures.cluster.plugin",
    "fixtures.dataplane.prerequisites",
    "fixtures.applying.plugin",
    "fixtures.helm.plugin",
    "fixtures.dataplane.plugin",
    "fixtures.dataplane.infrastructure",
    "fixtures.database.plugin",
    "fixtures.rehearsal.plugin",
    "fixtures.diagnosis.plugin",
    "fixtures.narration.plugin",
    "fixtures.report.plugin",
    "fixtures.metrics.plugin",
    "fixtures.lease.plugin",
    "fixtures.record.plugin",
    "fixtures.control_plane.plugin",
    "fixtures.session.signals",
]
