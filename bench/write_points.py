"""The name of a write in a kill matrix, from the write itself and the writes before it.

Most writes are named by method and path. Lease and record are one object each, which is written again and again: their
writes are named by what they say, so that a point has one name in two installs. A record may say several things.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from fixtures.lease.stored import COLLECTION
from fixtures.record.sinks import CONFIG_MAP, KEY
from fixtures.vocabulary.model import Outcome

CLAIM, RENEWAL, RELEASE = "Lease: claim", "Lease: renewal", "Lease: release"
OVER_A_DEAD_ONE, AFTER_A_RELEASE = "Lease: claim over a dead run's", "Lease: claim after a release"
BEGINNING, END, MORE = "record: beginning", "record: end", "record: more of a stage"
KINDS = (
    (r"^(Lease: .*|SQL .*|record: (beginning|end|more of a stage|deletion))$", ""),
    (rf"^record: .* {Outcome.RUNNING}$", "record: a stage begins"),
    (r"^record: ", "record: a stage ends"),
    (r"/secrets(/sh\.helm\.release\.|$)", "helm's record"),
    (r"/customresourcedefinitions", "definition"),
    (r"^DELETE", "deletion"),
    (r"^POST", "object, by POST"),
    (r"^PUT", "object, by PUT"),
    (r"", "object, by PATCH"),
)
"""Name → kind, the first that fits; empty: the name itself."""


def kind(name: str) -> str:
    """Return the kind of a write by its name."""
    return next(of or name for pattern, of in KINDS if re.search(pattern, name))


def bookkeeping(path: str) -> bool:
    """Whether a path is that of the Lease or of the record."""
    return path.startswith(COLLECTION) or path.endswith(f"/{CONFIG_MAP}")


class Names:
    """Names the writes of one cluster, in the order in which they were done."""

    def __init__(self) -> None:
        self._holder = ""
        self._run = ""
        self._stages: Mapping[str, str] = {}

    def of(self, method: str, path: str, body: bytes) -> list[str]:
        """Return the names of a write; at least one."""
        if not bookkeeping(path):
            return [f"{method} {path}"]
        what = "Lease" if path.startswith(COLLECTION) else "record"
        if method == "DELETE":
            return [f"{what}: deletion"]
        content = json.loads(body)
        return [self._lease(method, content)] if what == "Lease" else self._record(json.loads(content["data"][KEY]))

    def _lease(self, method: str, lease: Mapping[str, Any]) -> str:
        before, self._holder = self._holder, lease["spec"].get("holderIdentity", "")
        if method == "POST":
            return CLAIM
        if not self._holder:
            return RELEASE
        if self._holder == before:
            return RENEWAL
        return OVER_A_DEAD_ONE if before else AFTER_A_RELEASE

    def _record(self, record: Mapping[str, Any]) -> list[str]:
        before, run = self._stages, self._run
        self._run, self._stages = record["run"], {name: each["outcome"] for name, each in record["stages"].items()}
        if run != self._run:
            return [BEGINNING]
        told = [f"record: {name} {outcome}" for name, outcome in self._stages.items() if before.get(name) != outcome]
        return [*told, *([END] if record["ended"] else [])] or [MORE]
