"""Measurements and trials of whole installs on rehearsal clusters, such as ``python -m bench.makespan``."""
