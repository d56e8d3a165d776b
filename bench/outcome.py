"""The result of an install, in a form that can be compared between two clusters.

It has the objects in which the installer or helm owns fields. Random or counted values (uids, addresses, digests,
times, values of Secrets) are masked. The Lease and the record differ by design and are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.rig import sql
from fixtures.cluster.api import Api
from fixtures.rehearsal.session import Rehearsal
from fixtures.vocabulary import names
from fixtures.vocabulary.objects import Object, dig

WRITERS = {"primus-lens-install", "helm", "Helm"}
LEFT_OUT = {"ConfigMap default/primus-lens-installer-record", "Lease default/primus-lens-installer"}
SKIPPED_KINDS = {"Event", "Lease", "Endpoints", "EndpointSlice", "ControllerRevision"}
DIGEST = re.compile(r"\b[0-9a-f]{16,64}\b")
RANDOM = {"clusterIP", "clusterIPs", "uid", "volumeName", "caBundle", names.CONTENT_WRITTEN}
MARKS = ("labels", "annotations", "finalizers")
COUNTED: tuple[str, ...] = (
    "StatefulSet",
    "Deployment",
    "DaemonSet",
    "PersistentVolumeClaim",
    "Service",
    "PostgresCluster",
)
COUNTED += ("VMCluster", "OpenSearchCluster", "Grafana", "FluentBit", "GrafanaDashboard", "GrafanaDatasource")
LEDGER = "SELECT version FROM schema_migrations ORDER BY version"
SCHEMA = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema = 'public' AND table_name <> 'trial_marker' ORDER BY 1, 2"
)


@dataclass(frozen=True, slots=True)
class Left:
    """``objects`` by ``Kind namespace/name``; ``kept``: uids of objects with data; ``releases``: name → states."""

    objects: Mapping[str, Any]
    counts: Mapping[str, int]  # of objects of a kind, whoever created them
    kept: Mapping[str, str]
    releases: Mapping[str, tuple[str, ...]]
    ledger: list[Any]
    schema: list[Any]

    def differences(self, wanted: Left) -> list[str]:
        """Return the differences from an undisturbed install."""
        found = []
        for name in sorted({*self.objects, *wanted.objects}):
            ours, theirs = self.objects.get(name), wanted.objects.get(name)
            if ours is None or theirs is None:
                found.append(f"{name} is {'missing' if ours is None else 'there and should not be'}")
            elif ours != theirs:
                found.append(f"{name} differs at {', '.join(_where(ours, theirs)) or 'its top'}")
        for name in sorted({*self.releases, *wanted.releases}):
            states = self.releases.get(name, ())
            if states.count("deployed") != 1 or any(state.startswith("pending") for state in states):
                found.append(f"release {name} has revisions {', '.join(states) or 'none'}")
        pairs = [(what, getattr(self, what), getattr(wanted, what)) for what in ("counts", "ledger", "schema")]
        pairs.append(("releases", sorted(self.releases), sorted(wanted.releases)))
        return found + [f"{what}: got {ours}, want {theirs}" for what, ours, theirs in pairs if ours != theirs]


def _where(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from _where(ours.get(key), theirs.get(key), f"{path}.{key}")
    elif ours != theirs:
        yield f"{path or '.'}: got {ours!r:.120}, want {theirs!r:.120}"


def left_by_install(api: Api, rehearsal: Rehearsal) -> Left:
    """Read the cluster and its database. Raises ApiError, and psycopg.Error if there is no database."""
    objects: dict[str, Any] = {}
    counts: Counter[str] = Counter()
    kept: dict[str, str] = {}
    releases: dict[str, list[str]] = {}
    for obj in everything(api):
        name = _named(obj)
        if obj["kind"] in COUNTED:
            counts[obj["kind"]] += 1
        if obj["kind"] == "PersistentVolumeClaim" or name.startswith(("PostgresCluster ", "OpenSearchCluster ")):
            kept[name] = obj["metadata"]["uid"]
        if obj.get("type") == "helm.sh/release.v1":
            labels = obj["metadata"]["labels"]
            releases.setdefault(labels["name"], []).append(labels["status"])
        elif name not in LEFT_OUT and _written(obj):
            objects[name] = _masked(obj)
    states = {name: tuple(sorted(found)) for name, found in releases.items()}
    return Left(objects, counts, kept, states, sql(rehearsal, LEDGER), sql(rehearsal, SCHEMA))


def data_uids(api: Api) -> dict[str, str]:
    """Return the uids of the objects with data: an object with another uid has lost its data."""
    kinds = ("PersistentVolumeClaim", "PostgresCluster.postgres-operator.crunchydata.com")
    found = [
        obj
        for kind in (*kinds, "OpenSearchCluster.opensearch.opster.io", "OpenSearchCluster.opensearch.org")
        for obj in api.list(kind)
    ]
    return {_named(obj): obj["metadata"]["uid"] for obj in found}


def everything(api: Api) -> Iterator[Object]:
    """Yield all objects of all served kinds, in each group's preferred version."""
    groups = api.request("GET", "/apis")["groups"]
    for root in ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]:
        for resource in api.request("GET", root)["resources"]:
            if "list" in resource["verbs"] and "/" not in resource["name"] and resource["kind"] not in SKIPPED_KINDS:
                found = api.request("GET", f"{root}/{resource['name']}")
                yield from ({**item, "kind": resource["kind"]} for item in found["items"] or [])


def _named(obj: Object) -> str:
    place = "/".join(part for part in (obj["metadata"].get("namespace"), obj["metadata"]["name"]) if part)
    return f"{obj['kind']} {place}"


def _written(obj: Object) -> bool:
    entries = dig(obj, "metadata", "managedFields", default=[])
    return any(entry["manager"] in WRITERS and entry.get("subresource") != "status" for entry in entries)


def _masked(obj: Object) -> Any:
    """Return the parts of an object that are the same on each cluster."""
    body = {key: value for key, value in obj.items() if key not in {"metadata", "status", "apiVersion"}}
    if obj["kind"] == "Secret":
        body = {"type": obj.get("type"), "keys": sorted(obj.get("data") or {})}
    marks = {key: obj["metadata"].get(key) for key in MARKS}
    return _mask({**body, "metadata": marks})


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "*" if key in RANDOM else _mask(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_mask(each) for each in value]
    return DIGEST.sub("*", value) if isinstance(value, str) else value
