"""FRR in a namespace: zebra and bgpd without their init scripts, all files in one directory."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.fabric import addresses, namespaces, routers
from tests.support import terminals

DAEMONS = Path("/usr/lib/frr")

BFD = re.compile(r"^bfd\n.*?^exit\n", re.MULTILINE | re.DOTALL)
"""What bfdd reads of the example; the rest is bgpd's."""
BGP = f"router bgp {addresses.ROUTER_ASN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One line of the example and what takes its place; nothing where it just goes."""

    old: str
    new: str = ""
    context: tuple[str, ...] = ()
    """The commands that lead to where the line stands."""


VARIATIONS = {
    routers.Variation.SHORT_HOLD: Edit(
        old="neighbor NODES timers 3 9", new="neighbor NODES timers 1 3", context=(BGP,)
    ),
    routers.Variation.LONG_HOLD: Edit(
        old="neighbor NODES timers 3 9", new="neighbor NODES timers 10 30", context=(BGP,)
    ),
    routers.Variation.OTHER_ASN: Edit(
        old="neighbor NODES remote-as 64512", new="neighbor NODES remote-as 64599", context=(BGP,)
    ),
    routers.Variation.OWN_ASN: Edit(
        old="neighbor NODES remote-as 64512",
        new="neighbor NODES remote-as internal",
        context=(BGP,),
    ),
    routers.Variation.OVER_IPV6: Edit(
        old=f"bgp listen range {addresses.SEGMENT}.0/24 peer-group NODES",
        new=f"bgp listen range {addresses.SEGMENT6}/64 peer-group NODES",
        context=(BGP,),
    ),
    routers.Variation.NO_SERVICES: Edit(
        old=f"ip prefix-list NODES-IN seq 10 permit {addresses.SERVICES}"
    ),
    routers.Variation.ONE_PREFIX: Edit(
        old="neighbor NODES maximum-prefix 20",
        new="neighbor NODES maximum-prefix 1",
        context=(BGP, "address-family ipv4 unicast"),
    ),
}


class Frr(routers.Router):
    """A router that runs FRR."""

    kind: ClassVar[str] = "frr"
    protocol: ClassVar[str] = "bgp"
    _zebra: subprocess.Popen[bytes]
    _bfdd: subprocess.Popen[bytes]
    _bgpd: subprocess.Popen[bytes]

    def edits(self) -> Iterator[tuple[str, str]]:
        """Yield the edits of ``frr.conf.example``."""
        if self.password:
            yield "! neighbor NODES password CHANGE-ME", f"neighbor NODES password {self.password}"
        for variation in self.variations:
            edit = VARIATIONS[variation]
            yield edit.old, edit.new

    def change(self, *variations: routers.Variation, password: str = "") -> None:
        """Type what differs into the terminal, and have the filters applied to what is there."""
        if password != self.password:
            self.configure(BGP, f"neighbor NODES password {password}" if password
                            else "no neighbor NODES password")  # fmt: skip
        for variation in self.variations ^ frozenset(variations):
            edit = VARIATIONS[variation]
            is_new = variation in variations
            # A line with another value of the same setting replaces the one before.
            lines = (edit.old, edit.new) if edit.new else (edit.old, f"no {edit.old}")
            self.configure(*edit.context, lines[is_new])
        self.variations, self.password = frozenset(variations), password
        self._type("clear bgp * soft in")

    def shut(self, text: str) -> None:
        """``neighbor NODES shutdown`` with a message."""
        self.configure(BGP, f"neighbor NODES shutdown message {text}")

    def unshut(self) -> None:
        """``no neighbor NODES shutdown``."""
        self.configure(BGP, "no neighbor NODES shutdown")

    def start(self) -> None:
        """Start zebra, then bfdd and bgpd, and return when zebra and bgpd answer."""
        shutil.chown(self.directory, "frr", "frr")
        example = self.example()
        (bfd,) = BFD.findall(example)
        (self.directory / "bgpd.conf").write_text(example.replace(bfd, ""))
        (self.directory / "bfdd.conf").write_text(bfd)
        (self.directory / "zebra.conf").write_text("frr defaults datacenter\n")
        self._zebra = self.daemon("zebra")
        self.await_answer(*self._vtysh("zebra", "show version"))
        self._bfdd = self.daemon("bfdd", "--bfdctl", str(self.directory / "bfdd.sock"))
        self._bgpd = self.daemon("bgpd")
        self.await_answer(*self._vtysh("bgpd", "show bgp summary json"))

    def stop(self) -> None:
        """End bgpd, bfdd and zebra with SIGTERM."""
        namespaces.stop(self._bgpd, number=signal.SIGTERM)
        namespaces.stop(self._bfdd, number=signal.SIGTERM)
        namespaces.stop(self._zebra, number=signal.SIGTERM)

    def kill(self) -> None:
        """Kill all of them."""
        namespaces.stop(self._bgpd)
        namespaces.stop(self._bfdd)
        namespaces.stop(self._zebra)

    def sessions(self) -> dict[str, str]:
        """Return ``show bgp ipv4 unicast summary``: one state for each dynamic neighbor."""
        summary = self._show("show bgp ipv4 unicast summary json")
        return {peer: str(row["state"]) for peer, row in summary.get("peers", {}).items()}

    def hostnames(self) -> dict[str, str]:
        """Return the name that each established neighbor has in ``show bgp summary``."""
        peers = self._show("show bgp ipv4 unicast summary json").get("peers", {})
        return {
            peer: str(row.get("hostname", ""))
            for peer, row in peers.items()
            if row["state"] == "Established"
        }

    def rib(self, prefix: str) -> list[routers.BgpPath]:
        """Return the paths of ``show bgp <family> unicast <prefix>``."""
        family = "ipv6" if ":" in prefix else "ipv4"
        answer = self._show(f"show bgp {family} unicast {prefix} json")
        return [_path(row) for row in answer.get("paths", [])]

    def daemon(self, name: str, *more: str) -> subprocess.Popen[bytes]:
        """Start one of FRR's daemons, with what is written for it."""
        directory = self.directory
        return self.launch(
            str(DAEMONS / name),
            "--config_file", str(directory / f"{name}.conf"),
            "--pid_file", str(directory / f"{name}.pid"),
            "--socket", str(directory / "zserv.api"),
            "--vty_socket", str(directory),
            "--vty_port", "0",
            "--log", "stdout",
            "--log-level", "informational",
            *more,
        )  # fmt: skip

    def configure(self, *lines: str) -> None:
        """``configure terminal`` and these lines."""
        self._type("configure terminal", *lines)

    def clear(self) -> None:
        """``clear bgp *``: every session ends, and what is configured now holds for the next."""
        self._type("clear bgp *")

    def _type(self, *lines: str) -> None:
        typed = [word for line in lines for word in ("-c", line)]
        done = subprocess.run(
            (*self._vtysh("bgpd"), *typed), capture_output=True, text=True, check=True
        )
        assert "%" not in done.stdout, done.stdout

    def _vtysh(self, daemon: str, *command: str) -> tuple[str, ...]:
        typed = ("-c", *command) if command else ()
        return ("vtysh", "--vty_socket", str(self.directory), "-d", daemon, *typed)

    def _show(self, command: str) -> dict[str, Any]:
        output = terminals.ask_frr(self.directory / "bgpd.vty", command)
        answer: dict[str, Any] = json.loads(output or "{}")
        return answer


def _path(row: dict[str, Any]) -> routers.BgpPath:
    communities = row.get("community", {}).get("string", "")
    large = row.get("largeCommunity", {}).get("string", "")
    extended = row.get("extendedCommunity", {}).get("string", "")
    return routers.BgpPath(
        next_hop=next(str(hop["ip"]) for hop in row["nexthops"] if hop.get("used", True)),
        as_path=tuple(int(asn) for asn in row["aspath"]["string"].split() if asn.isdigit()),
        local_pref=int(row.get("locPrf", 100)),
        med=row.get("metric"),
        communities=frozenset(_community(word) for word in communities.split()),
        large_communities=frozenset(_large(word) for word in large.split()),
        extended_communities=frozenset(_extended(word) for word in extended.split()),
    )


NAMES = {"graceful-shutdown": (65535, 0), "no-export": (65535, 65281), "blackhole": (65535, 666)}
EXTENDED = {"RT": "target", "SoO": "origin"}
"""FRR's words for communities, and for the kinds of extended ones."""


def _community(word: str) -> tuple[int, int]:
    if word in NAMES:
        return NAMES[word]
    high, low = word.split(":")
    return int(high), int(low)


def _extended(word: str) -> str:
    kind, _, numbers = word.partition(":")
    return f"{EXTENDED[kind]}:{numbers}"


def _large(word: str) -> tuple[int, int, int]:
    first, second, third = word.split(":")
    return int(first), int(second), int(third)
