"""BIRD in a namespace."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from typing import ClassVar

from tests.fabric import addresses, namespaces, routers, waiting
from tests.support import terminals

Variation = routers.Variation

VARIATIONS = {
    Variation.SHORT_HOLD: (
        "hold time 9;\n  keepalive time 3;",
        "hold time 3;\n  keepalive time 1;",
    ),
    Variation.LONG_HOLD: (
        "hold time 9;\n  keepalive time 3;",
        "hold time 30;\n  keepalive time 10;",
    ),
    Variation.OTHER_ASN: ("as 64512;", "as 64599;"),
    # Over iBGP a next hop is looked up in BIRD's own table, which lacks the connected networks.
    Variation.OWN_ASN: ("as 64512;", f"as {addresses.ROUTER_ASN};\n  direct;"),
    Variation.OVER_IPV6: (
        f"neighbor range {addresses.SEGMENT}.0/24",
        f"neighbor range {addresses.SEGMENT6}/64",
    ),
    Variation.NO_SERVICES: (f"[ {addresses.SERVICES}, ", "[ "),
    Variation.ONE_PREFIX: (
        "ipv4 { import filter from_nodes; import limit 20 action block;",
        "ipv4 { import filter from_nodes; import limit 1 action restart;",
    ),
    Variation.NO_BFD: ("  bfd on;\n", ""),
}
"""What each replaces in the example."""


class Bird(routers.Router):
    """A router that runs BIRD 2."""

    kind: ClassVar[str] = "bird"
    protocol: ClassVar[str] = "bird"
    _bird: subprocess.Popen[bytes]

    def edits(self) -> Iterator[tuple[str, str]]:
        """Yield the edits of ``bird.conf.example``."""
        if self.password:
            yield '# password "CHANGE-ME";', f'password "{self.password}";'
        for variation in self.variations:
            yield VARIATIONS[variation]
        if Variation.OVER_IPV6 in self.variations:
            yield f"local {self.address} ", f"local {self.address6} "

    def change(self, *variations: routers.Variation, password: str = "") -> None:
        """``configure``."""
        self.variations, self.password = frozenset(variations), password
        self._write()
        self._do("configure")

    def shut(self, text: str) -> None:
        """``disable`` with a message, the range and the protocols spawned for it."""
        self._do(f'disable "node*" "{text}"')

    def unshut(self) -> None:
        """``enable``."""
        self._do('enable "node*"')

    def start(self) -> None:
        """Start BIRD and return when its CLI answers."""
        self._write()
        self._bird = self.launch(
            "bird", "-f",
            "-c", str(self.directory / "bird.conf"),
            "-s", str(self.directory / "bird.ctl"),
        )  # fmt: skip
        control = self.directory / "bird.ctl"
        waiting.until(lambda: bool(terminals.ask_bird(control, "show status")), "BIRD answers")

    def stop(self) -> None:
        """End BIRD with SIGTERM; it takes its routes out of the kernel."""
        namespaces.stop(self._bird, number=signal.SIGTERM)

    def kill(self) -> None:
        """Kill BIRD."""
        namespaces.stop(self._bird)

    def sessions(self) -> dict[str, str]:
        """Return the BGP state of each spawned protocol, by its neighbor's address."""
        output = self._show("show protocols all")
        found = re.findall(r"BGP state:\s+(\S+)\s+Neighbor address:\s+(\S+)", output)
        return {neighbor: state for state, neighbor in found if "/" not in neighbor}

    def rib(self, prefix: str) -> list[routers.BgpPath]:
        """Return the paths of ``show route for <prefix> all``."""
        output = self._show(f"show route {prefix} all")
        # One path begins with its protocol in brackets, and ends where the next one begins.
        return [_path(block) for block in re.split(r"\bunicast \[", output)[1:]]

    def _write(self) -> None:
        (self.directory / "bird.conf").write_text("log stderr all;\n" + self.example())

    def _do(self, command: str) -> None:
        argv = ("birdc", "-s", str(self.directory / "bird.ctl"), command)
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert "rror" not in done.stdout, done.stdout

    def _show(self, command: str) -> str:
        answer = terminals.ask_bird(self.directory / "bird.ctl", command)
        assert answer, f"no answer to {command}"
        return answer


EXTENDED = {"rt": "target", "ro": "origin"}
"""BIRD's words for the kinds of extended communities."""


def _path(block: str) -> routers.BgpPath:
    med = _attribute(block, "med")
    return routers.BgpPath(
        next_hop=_attribute(block, "next_hop").split()[0],
        as_path=tuple(int(asn) for asn in _attribute(block, "as_path").split()),
        local_pref=int(_attribute(block, "local_pref")),
        med=int(med) if med else None,
        communities=frozenset(
            (int(high), int(low))
            for high, low in re.findall(r"\((\d+),(\d+)\)", _attribute(block, "community"))
        ),
        large_communities=frozenset(
            (int(a), int(b), int(c))
            for a, b, c in re.findall(
                r"\((\d+), ?(\d+), ?(\d+)\)", _attribute(block, "large_community")
            )
        ),
        extended_communities=frozenset(
            f"{EXTENDED[kind]}:{administrator}:{number}"
            for kind, administrator, number in re.findall(
                r"\((\w+), ?([\d.]+), ?(\d+)\)", _attribute(block, "ext_community")
            )
        ),
    )


def _attribute(block: str, name: str) -> str:
    found = re.search(rf"BGP\.{name}: ?(.*)", block)
    return found.group(1).strip() if found else ""
