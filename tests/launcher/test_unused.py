"""What of ExaBGP is not loaded: it exists, and nothing that is loaded builds on it."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

from exabgp_k8s.launcher import unused

LOADED = """
import json, sys
from exabgp_k8s.launcher import replacements, unused
replacements.install()
from exabgp.configuration import configuration
from exabgp.reactor import loop
empty = {n: m for n, m in sys.modules.items() if isinstance(m, unused.Empty)}
json.dump({
    "asked": {n: [k for k in vars(m) if not k.startswith("__")] for n, m in empty.items()},
    "built": {"on": [b.__name__ for b in unused.Nothing.__subclasses__() if b.__subclasses__()]},
    "loaded": {"early": sorted(set(unused.LATER) - {
        n for n, m in sys.modules.items() if isinstance(m, unused.Later)
    })},
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def seen() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """What ExaBGP asked of the empty modules until it could begin, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "server", "exabgp.conf"],
        capture_output=True,
        text=True,
        check=True,
    )
    found: Mapping[str, Mapping[str, Sequence[str]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", [*unused.NEVER, *unused.LATER])
def test_what_is_not_loaded_still_exists(name: str) -> None:
    assert importlib.util.find_spec(name) is not None


def test_every_name_that_is_asked_for_is_one_of_the_real_module(
    seen: Mapping[str, Mapping[str, Sequence[str]]],
) -> None:
    asked = seen["asked"]

    assert asked
    missing = [
        f"{module}.{name}"
        for module, names in asked.items()
        for name in names
        if f"{module}.{name}" not in asked and not hasattr(importlib.import_module(module), name)
    ]
    assert missing == []


def test_nothing_that_is_loaded_is_built_on_an_empty_class(
    seen: Mapping[str, Mapping[str, Sequence[str]]],
) -> None:
    assert seen["built"] == {"on": []}


def test_no_module_is_loaded_before_it_is_used(
    seen: Mapping[str, Mapping[str, Sequence[str]]],
) -> None:
    assert seen["loaded"] == {"early": []}


def test_a_module_that_is_loaded_later_is_the_real_one() -> None:
    code = (
        "from exabgp_k8s.launcher import unused; unused.install(); import sys, uuid\n"
        "assert isinstance(uuid, unused.Later); print(uuid.UUID(int=1).version)\n"
        "assert not isinstance(sys.modules['uuid'], unused.Later)\n"
        "import asyncio.events; print(asyncio.events.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["None", "asyncio.events"]
