"""``urllib3`` without what it imports for HTTP/2, which nothing here speaks.

To ask for the version of a package that is not installed, it imports ``importlib.metadata``, and
that archives, temporary files and a CSV reader: 1 MiB on every node, and as much of the start as
its own half. So something stands there while it is imported that imports the rest when asked.
"""

from __future__ import annotations

import importlib
import sys
import types

_HEAVY = "importlib.metadata"


def load() -> None:
    """Import urllib3; where the heavy module is there already, nothing can be saved."""
    if _HEAVY in sys.modules:
        return
    stand_in = types.ModuleType(_HEAVY)
    stand_in.version = _version  # type: ignore[attr-defined]
    sys.modules[_HEAVY] = stand_in
    try:
        importlib.import_module("urllib3")
    except ImportError:
        # It wants more of the module by now: then it gets all of it, with the ordinary import.
        return
    finally:
        del sys.modules[_HEAVY]


def _version(name: str) -> str:
    found: str = importlib.import_module(_HEAVY).version(name)
    return found
