"""Names the plugins of the installer; each owns one concern."""

pytest_plugins = [
    "fixtures.redaction_plugin",
    "fixtures.hooks",
    "fixtures.configuration",
    "fixtures.suite",
    "fixtures.cluster.plugin",
    "fixtures.prerequisites",
    "fixtures.applying",
    "fixtures.helm.plugin",
    "fixtures.infrastructure",
    "fixtures.database.plugin",
    "fixtures.rehearsal.plugin",
    "fixtures.diagnosing",
    "fixtures.narration",
    "fixtures.report",
    "fixtures.metrics",
    "fixtures.lease",
    "fixtures.record",
    "fixtures.signals",
]
