"""A rehearsal for the panels: its nodes have GPUs of both makers or none, and something waits.

``gpus`` and ``no_gpus`` are called before an install, ``waiting`` after it. The cluster's own controllers do the rest.
Exporters are stand-ins of the rehearsal, known by their images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fixtures.rehearsal.players.client import MERGE, Client
from fixtures.rehearsal.players.kinds import KINDS
from fixtures.rehearsal.players.kwok import KUBELET
from fixtures.vocabulary import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.rehearsal.players.watch import Object

AMD, NVIDIA = "amd.com/gpu", "nvidia.com/gpu"  # each node of a rehearsal has eight of AMD's
NVIDIA_NODE, NVIDIA_GPUS = "rehearsal-2", 8
HELD, WAITED_FOR = 4, 64
EXPORTERS = {  # Service -> image, as in the makers' operators
    "default-metrics-exporter": "rocm/device-metrics-exporter:v1.3.0",
    "nvidia-dcgm-exporter": "nvidia/dcgm-exporter:4.2.0",
}
SPACE, JOBS = "gpu-operator", "training"


def gpus(client: Client) -> None:
    """Add NVIDIA's GPUs to a node, exporters of both makers, a pod that holds GPUs, and a pod that waits for some."""
    _status(client, "Node", None, NVIDIA_NODE, _amounts({AMD: None, NVIDIA: str(NVIDIA_GPUS)}))
    for obj in [_namespace(SPACE), _namespace(JOBS), *_exporters(), _job("holds", HELD), _job("waits", WAITED_FOR)]:
        _create(client, obj)


def no_gpus(client: Client) -> None:
    """Remove the GPUs of all nodes."""
    for node in client.request("GET", KINDS["Node"].path())["items"]:
        _status(client, "Node", None, node["metadata"]["name"], _amounts({AMD: None}))


def waiting(client: Client, namespace: str = names.NAMESPACE) -> None:
    """Add a pod whose image cannot be pulled, and a claim of a class without a provisioner."""
    pod = _pod("waits-for-its-image", namespace, {"name": "main", "image": "example.invalid/none:1"})
    pod["metadata"]["annotations"] = {KUBELET: "ours"}
    _create(client, pod)
    state = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    container = {"name": "main", "image": "example.invalid/none:1", "imageID": "", "ready": False, "restartCount": 0}
    status = {"phase": "Pending", "containerStatuses": [{**container, "state": state}]}
    _status(client, "Pod", namespace, pod["metadata"]["name"], status)
    size = {"requests": {"storage": "1Gi"}}
    spec = {"storageClassName": "nobody", "accessModes": ["ReadWriteOnce"], "resources": size}
    metadata = {"name": "waits-for-its-volume", "namespace": namespace}
    _create(client, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})


def _amounts(resources: dict[str, str | None]) -> dict[str, Any]:
    return {"capacity": resources, "allocatable": resources}


def _status(client: Client, kind: str, namespace: str | None, name: str, status: dict[str, Any]) -> None:
    client.request("PATCH", f"{KINDS[kind].path(namespace, name)}/status", {"status": status}, content_type=MERGE)


def _create(client: Client, obj: Object) -> None:
    client.request("POST", KINDS[obj["kind"]].path(obj["metadata"].get("namespace")), obj)


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _exporters() -> Iterator[Object]:
    for name, image in EXPORTERS.items():
        labels = {"app": name}
        container = {"name": "exporter", "image": image, "ports": [{"name": "metrics", "containerPort": 5000}]}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec: dict[str, Any] = {"selector": {"matchLabels": labels}, "template": template}
        metadata = {"name": name, "namespace": SPACE, "labels": labels}
        yield {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec}
        spec = {"selector": labels, "ports": [{"name": "metrics", "port": 5000}]}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _job(name: str, number: int) -> Object:
    amount = {AMD: str(number)}
    resources = {"requests": amount, "limits": amount}
    return _pod(name, JOBS, {"name": "main", "image": "example/trainer:1", "resources": resources})


def _pod(name: str, namespace: str, container: dict[str, Any]) -> Object:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}}
