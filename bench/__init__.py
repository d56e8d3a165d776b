"""Measurements and trials of whole installs on rehearsal clusters: ``python -m bench.makespan`` and its neighbours."""
