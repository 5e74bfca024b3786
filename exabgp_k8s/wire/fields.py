"""Values out of an object of the API that anybody may have written.

It may hold anything: a wrong type, a range that is none, a newline meant for somebody's command
pipe. So nothing here fails. What cannot be understood is left out and named as a problem; text
that is kept is printable; addresses and ranges are numbers from here on.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from exabgp_k8s.core.facts import model

_SHOWN = 60
"""Characters of a foreign value that are shown in a problem."""

_T = TypeVar("_T", model.Address, model.Network)


class Reader:
    """Takes values out of JSON and notes what was not as it should be.

    A field that is absent or null is no problem: most fields are optional.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []

    def mapping(self, value: object, path: str) -> Mapping[str, Any]:
        """Return an object, or an empty one."""
        if isinstance(value, Mapping):
            return value
        self._expect(value, path, "an object")
        return {}

    def items(self, value: object, path: str) -> Iterator[tuple[str, Any]]:
        """Yield the items of a list, each with its path."""
        if not isinstance(value, list):
            self._expect(value, path, "a list")
            return
        for number, item in enumerate(value):
            yield f"{path}[{number}]", item

    def text(self, value: object, path: str) -> str:
        """Return printable text, or none."""
        if isinstance(value, str) and value.isprintable():
            return value
        self._expect(value, path, "printable text")
        return ""

    def flag(self, value: object, path: str) -> bool:
        """Return what is true or false, or false."""
        if isinstance(value, bool):
            return value
        self._expect(value, path, "true or false")
        return False

    def networks(self, value: object, path: str) -> tuple[model.Network, ...]:
        """Return the ranges of a list, each once."""
        found: dict[model.Network, None] = {}
        for where, item in self.items(value, path):
            network = self._number(item, where, _network, "a range like 10.244.1.0/24")
            found |= dict.fromkeys(() if network is None else (network,))
        return tuple(found)

    def address(self, value: object, path: str) -> model.Address | None:
        """Return the address of one host, or None."""
        return self._number(value, path, _unicast, "an IP address of one host")

    def reject(self, value: object, path: str, what: str) -> None:
        """Note a value that is of no use; ``what`` says what would be."""
        self.problems.append(f"{path} is {show(value)}: it must be {what}")

    def _number(self, value: object, path: str, make: Callable[[str], _T], what: str) -> _T | None:
        # An IPv6 zone ("%eth0") is free text to ipaddress, and no address of a node has one.
        if isinstance(value, str) and "%" not in value:
            try:
                return make(value)
            except ValueError:
                pass
        self.reject(value, path, what)
        return None

    def _expect(self, value: object, path: str, what: str) -> None:
        if value is not None:
            self.reject(value, path, what)


def _unicast(text: str) -> model.Address:
    # As a next hop any other would make a router drop the route, if not the session.
    address = ipaddress.ip_address(text)
    is_odd = isinstance(address, ipaddress.IPv6Address) and (
        address.is_link_local or address.ipv4_mapped is not None
    )
    if address.is_unspecified or address.is_multicast or is_odd:
        raise ValueError(text)
    return address


def _network(text: str) -> model.Network:
    if "/" not in text:
        raise ValueError(text)
    return ipaddress.ip_network(text)


def show(value: object, limit: int = _SHOWN) -> str:
    """Show a foreign value in one short line of ASCII."""
    text = ascii(value) if isinstance(value, str | bytes | int | float) else type(value).__name__
    return text if len(text) <= limit else text[:limit] + "..."
