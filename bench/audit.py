"""Read the API server's audit log as writes: who wrote what, and when.

Only requests that changed something count; a dry run, a review or a refused request does not. Times are seconds since
the epoch, from the receipt of a request to its answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fixtures.vocabulary.times import epoch

WRITING = {"create", "update", "patch", "delete", "deletecollection"}


@dataclass(frozen=True, slots=True)
class Write:
    """One request that changed something."""

    begun: float
    ended: float
    user: str
    agent: str
    verb: str
    resource: str  # plural, as in paths
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.verb} {self.resource} {self.namespace}/{self.name} by {self.user}"


def writes(log: Path) -> Iterator[Write]:
    """Yield the writes in the order of their answers."""
    for line in log.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        answered = event["stage"] in {"ResponseComplete", "Panic"} and event["verb"] in WRITING
        if not answered or "dryRun=" in event["requestURI"] or event.get("responseStatus", {}).get("code", 0) >= 300:
            continue
        about = event.get("objectRef", {})
        if about.get("resource", "").endswith("reviews") or about.get("subresource") == "portforward":
            continue
        yield Write(
            epoch(event["requestReceivedTimestamp"]) or 0.0,
            epoch(event["stageTimestamp"]) or 0.0,
            event["user"]["username"],
            event.get("userAgent", ""),
            event["verb"],
            about.get("resource", ""),
            about.get("namespace", ""),
            about.get("name", ""),
        )
