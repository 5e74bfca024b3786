"""The routers as a test sees them: real daemons, read through the kernel's tables and their CLI.

What counts for a packet is the kernel's routing table, so ``nexthops`` reads that one. ``rib`` and
``sessions`` ask the daemon, for what the kernel does not know: attributes and session states.
Configurations are the files of ``docs/router``, so that what is documented is what is tested.
"""

from __future__ import annotations

import abc
import enum
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.fabric import addresses, kernel, namespaces, waiting

EXAMPLES = namespaces.REPOSITORY / "docs" / "router"
BGP_PORT = 179

FORWARDING: dict[str, str] = {
    "ipv4/ip_forward": "1",
    "ipv6/conf/all/forwarding": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/conf/default/send_redirects": "0",
}
"""What makes a namespace forward packets."""

HASHING: dict[str, str] = {
    # Over veth, policy 1 hashes the sender's socket instead of the ports: policy 3 with fields.
    "ipv4/fib_multipath_hash_policy": "3",
    "ipv4/fib_multipath_hash_fields": "0x37",
    "ipv6/fib_multipath_hash_policy": "3",
    "ipv6/fib_multipath_hash_fields": "0x37",
}
"""What makes a namespace spread connections over the next hops by addresses and ports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BgpPath:
    """One path to a prefix as the router holds it after its import policy."""

    next_hop: str
    as_path: tuple[int, ...]
    local_pref: int
    med: int | None = None
    communities: frozenset[tuple[int, int]] = frozenset()
    large_communities: frozenset[tuple[int, int, int]] = frozenset()
    extended_communities: frozenset[str] = frozenset()
    """As the settings have them, ``target:64512:1``; every router has words of its own."""


class Variation(enum.Enum):
    """What a router may do otherwise than its documented configuration; a mistake mostly."""

    SHORT_HOLD = enum.auto()
    """A hold time of 3 s."""
    LONG_HOLD = enum.auto()
    """A hold time of 30 s."""
    OTHER_ASN = enum.auto()
    """The nodes are expected in another AS than theirs."""
    OWN_ASN = enum.auto()
    """The nodes are expected in the router's own AS: iBGP."""
    OVER_IPV6 = enum.auto()
    """Sessions with the nodes' IPv6 addresses only."""
    NO_SERVICES = enum.auto()
    """The import filter refuses the IPv4 service range."""
    ONE_PREFIX = enum.auto()
    """A session with more than one IPv4 prefix is torn down."""
    NO_BFD = enum.auto()
    """No BFD with the nodes; of BIRD only."""


class Router(abc.ABC):
    """A router of the bed: its namespace exists from the start, its daemon may come and go."""

    kind: ClassVar[str]
    protocol: ClassVar[str]
    """What the kernel calls the origin of its routes (rtnetlink's rtm_protocol)."""

    def __init__(self, *, name: str, number: int, directory: Path, password: str = "") -> None:
        self.number = number
        self.address, self.address6 = addresses.router(number)
        self.directory = directory
        self.password = password
        self.variations: frozenset[Variation] = frozenset()
        self.namespace = namespaces.Namespace(name)
        self.namespace.sysctl({**FORWARDING, **HASHING})
        directory.mkdir()
        self._log = directory / "log"

    def example(self) -> str:
        """Return the documented configuration as this very router needs it."""
        text = (EXAMPLES / f"{self.kind}.conf.example").read_text()
        first, _ = addresses.router(1)
        lines = [
            line.replace(first, self.address) if "/24" not in line else line
            for line in text.splitlines()
        ]
        text = "\n".join(lines) + "\n"
        for old, new in self.edits():
            assert old in text, old
            text = text.replace(old, new)
        return text

    @abc.abstractmethod
    def edits(self) -> Iterator[tuple[str, str]]:
        """Yield what to replace in the example for the password and the variations."""

    @abc.abstractmethod
    def change(self, *variations: Variation, password: str = "") -> None:
        """Configure the running daemon anew: with these variations, and no others."""

    @abc.abstractmethod
    def shut(self, text: str) -> None:
        """Shut every session as an admin does, and say why (RFC 9003)."""

    @abc.abstractmethod
    def unshut(self) -> None:
        """Take ``shut`` back."""

    @abc.abstractmethod
    def start(self) -> None:
        """Start the daemon and return when it answers."""

    @abc.abstractmethod
    def stop(self) -> None:
        """End the daemon in an orderly way; its routes go with it."""

    @abc.abstractmethod
    def kill(self) -> None:
        """Kill the daemon; what it installed in the kernel stays."""

    @abc.abstractmethod
    def sessions(self) -> dict[str, str]:
        """Return the state of the session with each known neighbor, by its address."""

    @abc.abstractmethod
    def rib(self, prefix: str) -> list[BgpPath]:
        """Return every path the daemon holds for a prefix."""

    def nexthops(self, prefix: str) -> frozenset[str]:
        """Return the next hops the kernel uses for a prefix; empty if it has no such route."""
        return self.routes().get(prefix, frozenset())

    def routes(self) -> Mapping[str, frozenset[str]]:
        """Return the next hops of every prefix in the kernel's table, of one and the same look."""
        return self.namespace.inside(kernel.routes)

    def connections(self) -> dict[str, str]:
        """Return the node's port of each TCP connection: another one is another session."""
        return self.namespace.inside(lambda: kernel.connected(BGP_PORT))

    def delete(self) -> None:
        """Remove the router with everything that runs in it."""
        self.namespace.delete()

    def launch(self, *argv: str) -> subprocess.Popen[bytes]:
        """Start a daemon in the foreground; its outputs go to the router's log."""
        return self.namespace.start(argv, log=self._log)

    def await_answer(self, *argv: str) -> None:
        """Return when a command of the daemon's CLI succeeds."""

        def answers() -> bool:
            return subprocess.run(argv, capture_output=True, check=False).returncode == 0

        waiting.until(answers, f"{self.kind} answers")
