"""What of ExaBGP is not loaded: what nobody here ever calls.

ExaBGP imports all that it can do before it does anything: a dozen families of routes, their
configuration and their attributes, a debugger, asyncio. That is half of its start and 9 MiB of
each node for as long as it runs, and we speak of IPv4 and IPv6 unicast only.

Of ExaBGP's own modules, those of other families are replaced by empty ones, whose classes can be
named and compared with and nothing else. A router may send them all the same: of its UPDATEs
nothing is read (``updates``), and of its OPEN nothing here is a part. Python's own modules are
loaded when they are first used, as a debugger that is never started is not.

Replaced in ExaBGP 5.0.15: the modules named below, and ``reactor.asynchronous`` needs neither
asyncio nor inspect any more, by ``steps``.
Noticed by: ``test_what_is_not_loaded_still_exists`` and
``test_nothing_is_loaded_late_by_a_session_and_its_routes``.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
import types
from typing import Any

LATER = ("asyncio", "inspect", "pdb", "platform", "pprint", "traceback", "uuid")
"""Modules of Python that are loaded when they are first used."""

_NLRI = "exabgp.bgp.message.update.nlri"
_ATTRIBUTE = "exabgp.bgp.message.update.attribute"
_CONFIGURATION = "exabgp.configuration"
NEVER = (
    f"{_NLRI}.bgpls",
    f"{_NLRI}.evpn",
    f"{_NLRI}.flow",
    f"{_NLRI}.mup",
    f"{_NLRI}.mvpn",
    f"{_NLRI}.rtc",
    f"{_NLRI}.vpls",
    f"{_ATTRIBUTE}.bgpls",
    f"{_ATTRIBUTE}.sr",
    f"{_CONFIGURATION}.announce.flow",
    f"{_CONFIGURATION}.announce.mup",
    f"{_CONFIGURATION}.announce.mvpn",
    f"{_CONFIGURATION}.announce.vpls",
    f"{_CONFIGURATION}.flow",
    f"{_CONFIGURATION}.l2vpn",
    f"{_CONFIGURATION}.operational",
)
"""Modules of ExaBGP, and all below them, that are replaced by empty ones."""


class Nothing:
    """Stands for any class or function of an empty module."""

    known: dict[str, object] = {}  # noqa: RUF012 - what a section of the configuration has

    def __init__(self, *_: object, **__: object) -> None:
        """Be a section of the configuration, which ExaBGP makes and clears whether used or not."""

    def clear(self) -> None:
        """Forget nothing."""


class Empty(types.ModuleType):
    """A module in which everything that is asked for is nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "NLRI":
            # ExaBGP takes the class of all families from the module of one of them.
            return importlib.import_module(f"{_NLRI}.nlri").NLRI
        made = type(name, (Nothing,), {"name": name})
        setattr(self, name, made)
        return made


class Later(types.ModuleType):
    """A module that is loaded when something of it is first asked for.

    Not by importlib's LazyLoader, whose modules are loaded by the second ``import`` of them.
    """

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


class Finder:
    """Finds the empty modules before anything looks for the real ones."""

    @staticmethod
    def find_spec(name: str, _: object = None, __: object = None) -> Any:
        """Return how a module is made, if it is one of ours."""
        loader: Any = Loader()
        is_one = name in NEVER or name.startswith(tuple(f"{each}." for each in NEVER))
        return importlib.machinery.ModuleSpec(name, loader, is_package=True) if is_one else None


class Loader:
    """Makes an empty module; an ``importlib.abc.Loader``, which would import ten modules more."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """Return it."""
        return Empty(spec.name)

    def exec_module(self, _: types.ModuleType) -> None:
        """Put nothing into it."""


def install() -> None:
    """Have this process's ExaBGP, which is not imported yet, load only what is used."""
    sys.meta_path.insert(0, Finder)
    for name in LATER:
        sys.modules.setdefault(name, Later(name))
