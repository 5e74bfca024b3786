"""How large a document is once it is written out: what all peers have, at each of them.

A small document with long defaults and many addresses would be a large one for every agent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exabgp_k8s import errors
from exabgp_k8s.settings.written import Place, addresses

MOST_ROUTERS = 10_000
MOST_VALUES = 100_000
"""Of all routers; a document that says each of them itself has half as many at most."""


def count(root: Place) -> int:
    """Return how many routers there are."""
    return sum(1 for peer in root["peers"] for _ in addresses(peer))


def find(root: Place) -> Iterator[errors.Problem]:
    """Yield what is too much of it."""
    routers, values = count(root), _values(root)
    if routers > MOST_ROUTERS:
        yield root["peers"].problem(
            f"{routers} routers are too many; write at most {MOST_ROUTERS}"
        )
    elif values > MOST_VALUES:
        yield root["peers"].problem(
            f"with peerDefaults and addresses written out these are {values} values, and at most "
            f"{MOST_VALUES} can be used; shorten the nodeSelector or attributes of the defaults"
        )


def _values(root: Place) -> int:
    defaults = root["peerDefaults"].value
    shared = {key: _size(value) for key, value in defaults.items()} if _is(defaults) else {}
    whole = sum(shared.values())
    total = 0
    for peer in root["peers"]:
        own = peer.value if _is(peer.value) else {}
        size = sum(_size(value) for key, value in own.items() if key != "addresses")
        size += whole - sum(shared[key] for key in own.keys() & shared.keys())
        total += size * sum(1 for _ in addresses(peer))
    return total


def _is(value: Any) -> bool:
    return isinstance(value, dict)


def _size(value: Any) -> int:
    """Return how many single values there are in a value."""
    match value:
        case dict():
            return sum(_size(each) for each in value.values())
        case list():
            return sum(_size(each) for each in value)
        case _:
            return 1
