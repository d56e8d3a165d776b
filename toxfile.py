"""tox's inline plugin: what pip does is shown while it does it, as a new environment takes a minute or more.

https://tox.wiki/en/latest/plugins.html
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tox.plugin import impl

if TYPE_CHECKING:
    from tox.tox_env.api import ToxEnv

SHOWN = 4  # the verbosity from which on tox shows the output of its own commands
_ASKED: dict[str, int] = {}  # the requested verbosity, by environment


@impl
def tox_on_install(tox_env: ToxEnv, arguments: object, section: str, of_type: str) -> None:  # noqa: ARG001 - tox names them
    """Say that packages are fetched, and let pip's lines through."""
    sys.stdout.write(f"{tox_env.name}: pip installs {of_type}: 1 to 2 minutes in a new environment\n")
    sys.stdout.flush()
    _ASKED.setdefault(tox_env.name, tox_env.options.verbose)
    tox_env.options.verbose = tox_env.options.quiet + SHOWN


@impl
def tox_before_run_commands(tox_env: ToxEnv) -> None:
    """Tell no more than was asked for from here on."""
    tox_env.options.verbose = _ASKED.pop(tox_env.name, tox_env.options.verbose)
