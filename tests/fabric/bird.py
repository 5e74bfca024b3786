"""BIRD in a namespace."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import ClassVar

from tests.fabric import namespaces, routers


class Bird(routers.Router):
    """A router that runs BIRD 2."""

    kind: ClassVar[str] = "bird"
    _bird: subprocess.Popen[bytes]

    def with_password(self, text: str) -> str:
        """Uncomment the password line of the example."""
        if not self.password:
            return text
        return text.replace('# password "CHANGE-ME";', f'password "{self.password}";')

    def start(self) -> None:
        """Start BIRD and return when its CLI answers."""
        (self.directory / "bird.conf").write_text("log stderr all;\n" + self.example())
        self._bird = self.launch(
            "bird", "-f",
            "-c", str(self.directory / "bird.conf"),
            "-s", str(self.directory / "bird.ctl"),
        )  # fmt: skip
        self.await_answer(*self._birdc("show status"))

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

    def _birdc(self, command: str) -> tuple[str, ...]:
        return ("birdc", "-s", str(self.directory / "bird.ctl"), "-r", command)

    def _show(self, command: str) -> str:
        done = subprocess.run(self._birdc(command), capture_output=True, text=True, check=False)
        # "Network not found" is an answer, though birdc ends with 1.
        assert done.returncode == 0 or "not found" in done.stdout, done.stdout + done.stderr
        return done.stdout


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
    )


def _attribute(block: str, name: str) -> str:
    found = re.search(rf"BGP\.{name}: ?(.*)", block)
    return found.group(1).strip() if found else ""
