"""Stage 5.2: the applications that are switched on, and Grafana, from chart `primus-lens-apps-dataplane`."""

from collections.abc import Callable
from functools import partial

import pytest

from fixtures.applying.plugin import AppliedObjects, Manifests
from fixtures.cluster.connect import Cluster
from fixtures.dataplane.applications import (
    CHART,
    RELEASE,
    asks,
    grafana_templates,
    proof,
    readers,
    values_of_chart,
)
from fixtures.dataplane.autoscaled import autoscaled, sparing
from fixtures.dataplane.copied_credentials import followed
from fixtures.dataplane.images import unheeded
from fixtures.engine.stages import meanwhile, stage
from fixtures.engine.waiting import assert_applied, assert_ready
from fixtures.helm.plugin import More, Releases
from fixtures.helm.release import Release
from fixtures.lifecycle.plugin import Removals
from fixtures.settings.layers import DataplaneConfig, Settings
from fixtures.vocabulary.model import Handle

pytestmark = stage(
    "applications",
    needs={
        "rbac": "helm installs charts with its role",
        "pull-secrets": "nodes pull its images with these credentials",
        "operator-grafana": "it creates the Deployment of Grafana",
        "database-migration": "the applications read and write its tables",
        "storage-secret": "the applications read it when they start",
    },
    requires=["grafana_admin_secret"],
    within="10m",
)


@pytest.fixture(scope="session")
def applications(helm: Releases, cluster: Cluster, settings: Settings) -> Release:
    """Install release `pla`, or leave an existing release as it is."""
    config, values = settings.config, values_of_chart(helm, cluster, settings)
    kept, heeds = autoscaled(helm, cluster, config), partial(unheeded, settings=settings)
    asked = sparing(asks(helm, cluster, settings), kept)
    more = More(proof=proof(config), asks=asked, followed=heeds, kept=kept)
    return helm.release(CHART, RELEASE, config.namespace, values, **more)


@pytest.fixture(scope="session")
def grafana(
    applications: Release,  # noqa: ARG001 - applied first
    helm: Releases,
    manifests: Manifests,
    cluster: Cluster,
    config: DataplaneConfig,
) -> AppliedObjects:
    """Apply Grafana if the applications are the older installer's, whose chart has none; otherwise apply nothing."""
    return manifests.apply(*grafana_templates(helm, cluster, config))


@pytest.fixture(scope="session")
def former_ingress(applications: Release, grafana: AppliedObjects, ingress_gone: Callable[..., Handle]) -> Handle:
    """Delete the Ingress of Grafana if it is not wanted any more."""
    return ingress_gone(applications, grafana)


@pytest.fixture(scope="session")
def credentials(
    applications: Release, pytestconfig: pytest.Config, cluster: Cluster, config: DataplaneConfig
) -> Handle:
    """Follow the Secrets with the passwords: pods that have started with former ones have to start again."""
    return followed(pytestconfig, cluster, config, applications, readers(config))


@pytest.fixture(scope="session")
def undo(removals: Removals, manifests: Manifests) -> Handle:
    """Uninstall release `pla`, and delete a Grafana that was applied without it."""
    return removals.objects(manifests.render("monitoring/grafana.yaml.j2"), RELEASE)


def test_the_chart_is_applied(applications: Release, credentials: Handle) -> None:
    """After this stage, helm has accepted the applications' chart."""
    assert_applied(applications)
    assert_applied(credentials)


def test_grafana_is_accepted(grafana: AppliedObjects) -> None:
    """After this stage, the API server has accepted a Grafana, where the chart of the applications has none."""
    assert_applied(grafana)


def test_a_former_ingress_is_looked_for(former_ingress: Handle) -> None:
    """After this stage, no hard failure has stopped the removal of a Grafana Ingress that is not wanted any more."""
    assert_applied(former_ingress)


def test_the_applications_are_available(
    applications: Release, grafana: AppliedObjects, former_ingress: Handle, credentials: Handle
) -> None:
    """After this stage, every workload of the release is available, and Grafana answers."""
    assert_ready(applications, tried=False)
    assert_ready(grafana, tried=False)
    assert_ready(former_ingress)
    assert_ready(credentials)


@meanwhile
def test_programs_without_a_probe_go_on_running(applications: Release, grafana: AppliedObjects) -> None:
    """After this stage, programs that no probe asks have run for some seconds."""
    assert_ready(applications)
    assert_ready(grafana)
