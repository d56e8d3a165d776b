"""Stage 3.4: metrics collection: exporters, the scrape objects, and the agent that scrapes.

An exporter or agent that the cluster already has is used and not changed. Scrape objects come before the agent: its
operator then writes one configuration with all of them. The stage is ready when VictoriaMetrics returns new samples.
"""

import pytest

from fixtures.dataplane.collection import Collection
from fixtures.engine.stages import stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.lifecycle.plugin import Removals
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "infra-metrics-collection",
    needs={"infra-victoriametrics": "the agent writes to VictoriaMetrics"},
    within="10m",
    wanted_if="metrics_collected",
)


@pytest.fixture(scope="session")
def kube_state(collection: Collection) -> Handle:
    """Apply kube-state-metrics, or use the cluster's own."""
    return collection.exporter("kube-state-metrics")


@pytest.fixture(scope="session")
def nodes(collection: Collection) -> Handle:
    """Apply Prometheus' node exporter, or use the cluster's own."""
    return collection.exporter("node-exporter")


@pytest.fixture(scope="session")
def scrapes(collection: Collection) -> Handle:
    """Apply the scrape objects."""
    return collection.scrapes()


@pytest.fixture(scope="session")
def agent(scrapes: Handle, collection: Collection) -> Handle:  # noqa: ARG001 - they come first
    """Apply VMAgent `primus-lens-vmagent`, or use one that collects for this storage."""
    return collection.agent()


@pytest.fixture(scope="session")
def samples(agent: Handle, collection: Collection) -> Handle:
    """Ask VictoriaMetrics for samples of everything that is scraped."""
    return collection.samples(agent)


@pytest.fixture(scope="session")
def undo(removals: Removals, collection: Collection) -> Handle:
    """Delete the agent, then the scrape objects, then our exporters."""
    return removals.objects(collection.everything())


def test_what_collects_is_accepted(kube_state: Handle, nodes: Handle, scrapes: Handle, agent: Handle) -> None:
    """After this stage, the API server has accepted all of its objects."""
    for handle in (kube_state, nodes, scrapes, agent):
        assert_applied(handle)


def test_the_exporters_are_available(kube_state: Handle, nodes: Handle) -> None:
    """After this stage, kube-state-metrics runs, and a node exporter on every node."""
    assert_ready(kube_state)
    assert_ready(nodes)


def test_the_agent_scrapes_them(scrapes: Handle, agent: Handle) -> None:
    """After this stage, the agent runs, and its configuration has every scrape object."""
    assert_ready(agent)
    assert_ready(scrapes)


def test_samples_are_asked_for(samples: Handle) -> None:
    """After this stage, no hard failure has stopped the queries to VictoriaMetrics."""
    assert_applied(samples)


def test_samples_arrive(samples: Handle) -> None:
    """After this stage, VictoriaMetrics has new samples of everything that is scraped."""
    assert_ready(samples)
