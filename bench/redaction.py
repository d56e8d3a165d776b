"""The cost of scrubbing texts: CPU seconds per megabyte of log lines, and the share of the search in encodings.

usage: python -m bench.redaction [--times 5]

The text is what an install on a cluster prints most: log lines with times, names, image digests and uids, without a
secret. 60 secrets are known: passwords, tokens and keys as operators generate them.
``as they stand`` searches only the secrets' notations; the ratio compares the whole with it.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
from collections.abc import Callable, Sequence

from bench.rig import say
from fixtures.redaction.patterns import scrub_patterns
from fixtures.redaction.redactor import Redactor, _marked
from fixtures.vocabulary.printable import printable

SIZE = 1_000_000  # characters
SECRETS = 60


def text(chance: random.Random) -> str:
    """Return a megabyte of log lines."""
    lines, size = [], 0
    while size < SIZE:
        digest = hashlib.sha256(chance.randbytes(8)).hexdigest()
        uid = "-".join(chance.randbytes(count).hex() for count in (4, 2, 2, 2, 6))
        name = f"primus-lens-{chance.choice(('jobs', 'api', 'vmstorage'))}-{chance.randbytes(5).hex()}"
        lines.append(
            f"2026-11-26T09:{chance.randrange(60):02}:{chance.randrange(60):02}.123456Z INFO pod/{name} uid {uid} "
            f"pulled docker.io/primussafe/primus-lens-jobs@sha256:{digest} in {chance.randrange(9000)} ms, "
            "generation 3/3, "
            f'conditions: [{{"type":"Ready","status":"True","reason":"MinimumReplicasAvailable"}}]'
        )
        size += len(lines[-1]) + 1
    return "\n".join(lines)


def redactor(chance: random.Random) -> Redactor:
    """Return a redactor that knows the secrets."""
    found = Redactor()
    signs = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789" + "!#%&/\\\"'+=äß"
    for number in range(SECRETS):
        found.learn("".join(chance.choice(signs) for _ in range(chance.choice((16, 24, 40)))), f"secret-{number}")
    return found


def seconds(work: Callable[[], object], times: int) -> float:
    """Return the least CPU seconds of some runs."""
    found = []
    for _ in range(times):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return min(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; exit status 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.redaction", description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args(arguments).times
    chance = random.Random(14)  # noqa: S311 - texts, not secrets
    lines, known = text(chance), redactor(chance)
    known.scrub(lines)
    plain = seconds(lambda: printable(scrub_patterns(_marked(lines, known._known.values()))), times)  # noqa: SLF001 - its parts
    whole = seconds(lambda: known.scrub(lines), times)
    say(f"{SECRETS} secrets, 1 MB: {whole:.3f} s; as they stand: {plain:.3f} s; ratio {whole / plain:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
