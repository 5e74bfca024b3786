"""One node and one router on loopback: the real `run`, a real BIRD, a real HTTPS API server.

No namespaces and no root: for what concerns the program itself and not the forwarding.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import psutil
import pytest
import yaml

from exabgp_k8s.tryout.kubeapi import apiserver, nodes
from tests.support import asking, controlplane, kubeapi, ports, processes, terminals

CLI = (sys.executable, "-m", "exabgp_k8s")
PORT = 1790
LIMIT = 120.0
"""Seconds; for a machine that is busy, not a promise."""
STOP_TIMEOUT = "100s"
"""Below the limit; in the 20 s of a pod a busy machine may not have started another agent."""
START_LIMIT = 180.0
"""Until all is announced at first: nothing is proven by it."""

Document = dict[str, Any]


def until(
    condition: Callable[[], bool],
    what: Callable[[], object] | str = "",
    *,
    limit: float = LIMIT,
) -> None:
    """Return once a condition holds; otherwise fail and show the last state."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {limit:g} s: {what() if callable(what) else what}")
        time.sleep(0.03)


class Since(float):
    """Seconds of the day since which BIRD has a route unchanged.

    BIRD counts them from a clock that nobody sets and shows them by one that somebody does, so
    the same moment may be shown a millisecond apart.
    """

    def __new__(cls, text: str) -> Self:
        """Return the moment that BIRD shows as ``HH:MM:SS.mmm``."""
        hours, minutes, seconds = text.split(":")
        return super().__new__(cls, int(hours) * 3600 + int(minutes) * 60 + float(seconds))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Since) and abs(self - other) < 0.05

    __hash__ = float.__hash__


class Router:
    """A BIRD that listens on loopback for one node."""

    def __init__(self, directory: Path, address: str, node: str, options: str = "") -> None:
        self.address, self._directory = address, directory
        self._control = directory / "bird.ctl"
        conf = directory / "bird.conf"
        conf.write_text(f"""
            log "{directory}/bird.log" all;
            router id 192.0.2.1;
            protocol device {{}}
            protocol bgp node {{
              local {address} port {PORT} as 64513;
              neighbor {node} as 64512;
              passive on; strict bind yes; multihop; hold time 9; keepalive time 3;
              error wait time 1, 1; {options}
              ipv4 {{ import all; export none; }};
            }}
        """)
        self._command = ("bird", "-f", "-c", str(conf), "-s", str(self._control))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until the CLI answers."""
        with (self._directory / "bird.out").open("ab") as out:
            self._process = subprocess.Popen(self._command, stdout=out, stderr=out)
        until(lambda: "BIRD" in self.show("status"), "BIRD does not answer")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it by a signal."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(LIMIT)

    def show(self, what: str) -> str:
        """Return what ``birdc`` prints for ``show ...``; nothing before BIRD listens."""
        return terminals.ask_bird(self._control, f"show {what}")

    def routes(self) -> dict[str, Since]:
        """Return prefix → the moment since which BIRD has it unchanged."""
        found = re.findall(r"^(\S+/\d+)\s+\S+ \[node (\S+)", self.show("route"), re.MULTILINE)
        return {prefix: Since(moment) for prefix, moment in found}

    @property
    def is_up(self) -> bool:
        """Whether the session is Established."""
        return "Established" in self.show("protocols")

    def history(self) -> tuple[Since, int, int]:
        """Return since when the session is up, and how many changes of the table it brought.

        They are announcements and withdrawals; one that says nothing new does not count.
        """
        shown = self.show("protocols all node")
        (since,) = re.findall(r"^node .* (\S+)\s+Established", shown, re.MULTILINE)
        accepted = [
            int(re.findall(rf"Import {what}:\s+(.*)", shown)[0].split()[4])
            for what in ("updates", "withdraws")
        ]
        return Since(since), accepted[0], accepted[1]

    def log(self) -> str:
        """Return what BIRD logged."""
        return (self._directory / "bird.log").read_text()


class Lab:
    """A node with its router and API server."""

    name = "n1"
    services, pods = "10.96.0.0/16", "10.244.1.0/24"

    def __init__(
        self,
        directory: Path,
        *,
        router_options: str = "",
        api: kubeapi.KubeApi | controlplane.ControlPlane | None = None,
    ) -> None:
        self.http_port = ports.claim()
        number = self.http_port - ports.FIRST
        # Whoever has the port has these addresses: no other lab of this machine is there.
        base = f"127.{1 + number // 128}.{number % 128}"
        self.directory = directory
        self.address = f"{base}.11"
        self.router = Router(directory, f"{base}.1", self.address, router_options)
        self.state_dir = directory / "state"
        self.passwords = directory / "passwords"
        self.passwords.mkdir()
        self.settings = directory / "settings.yaml"
        self.own_api = None if api is not None else kubeapi.KubeApi()
        self.api: Any = api or self.own_api
        self.process: subprocess.Popen[bytes] | None = None
        self.write(self.document())

    def document(self) -> Document:
        """Return settings for this lab, quick where waiting proves nothing."""
        return {
            "bgp": {"asn": 64512},
            "peers": [{"name": "tor", "address": self.router.address, "port": PORT, "asn": 64513}],
            "announce": {
                "services": {"cidrs": [self.services]},
                "pods": {"within": ["10.244.0.0/16"]},
                "holdDown": {"initial": "100ms"},
            },
            "drain": {"settle": "100ms"},
        }

    def write(self, document: Document | str) -> None:
        """Put settings in place as a ConfigMap volume does: by one rename."""
        text = document if isinstance(document, str) else yaml.safe_dump(document)
        fresh = self.settings.with_suffix(".fresh")
        fresh.write_text(text)
        fresh.replace(self.settings)

    def __enter__(self) -> Self:
        self.router.start()
        if self.own_api is not None:
            self.own_api.start()
        self.api.put_node(
            nodes.node_object(self.name, internal_ips=[self.address], pod_cidrs=[self.pods])
        )
        (self.directory / "kubeconfig").write_text(apiserver.kubeconfig(self.api))
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            processes.kill_with_all_below(self.process.pid)
            self.process.wait(LIMIT)
        if self.own_api is not None:
            self.own_api.stop()
        self.router.stop(signal.SIGKILL)

    def arguments(self) -> list[str]:
        """Return the command line of ``run``."""
        return [
            *CLI, "run",
            "--settings", str(self.settings),
            "--node", self.name,
            "--kubeconfig", str(self.directory / "kubeconfig"),
            "--password-dir", str(self.passwords),
            "--state-dir", str(self.state_dir),
            "--http", f"127.0.0.1:{self.http_port}",
            "--stop-timeout", STOP_TIMEOUT,
        ]  # fmt: skip

    def start(
        self, environment: Mapping[str, str] | None = None, *, stderr: int | None = None
    ) -> None:
        """Start ``run``; its log goes to a file unless another descriptor is given."""
        with (self.directory / "run.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.arguments(),
                stdout=log,
                stderr=log if stderr is None else stderr,
                env={**os.environ, **(environment or {})},
            )

    def up(self, environment: Mapping[str, str] | None = None) -> None:
        """Start ``run`` and return when the router has both prefixes and the agent knows it."""
        self.start(environment)
        self.expect(self.services, self.pods, limit=START_LIMIT)
        until(self.is_known, self.state)

    def is_known(self) -> bool:
        """Whether the agent says that the session is up and has both; the router knows earlier.

        Once it hears that, it has all sent again, and only then reads the table of neighbors: with
        the router's OPEN and KEEPALIVE. Before, it is not through with what the router has.
        """
        found = asking.ask(self.state_dir, "sessions") or ()
        return any(
            each["up"]
            and each["times_up"] > 0
            and each["messages_received"] >= 2
            and each["prefixes_sent"] >= 2
            and not each["unacknowledged"]
            for each in found
            if each["address"] == self.router.address
        )

    def expect(self, *prefixes: str, limit: float = LIMIT) -> None:
        """Return once the router has exactly these prefixes."""
        until(lambda: set(self.router.routes()) == set(prefixes), self.state, limit=limit)

    def state(self) -> str:
        """Return what helps to understand a failure."""
        return f"router: {self.router.routes()}\n{self.log()[-4000:]}"

    def log(self) -> str:
        """Return what ``run`` and all under it logged."""
        return (self.directory / "run.log").read_text()

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of ours against this node's agent."""
        return subprocess.run(
            [*CLI, *arguments, "--state-dir", str(self.state_dir)],
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """Return what a command shows, as JSON, once an agent answers: one may be starting."""
        shown: list[Any] = [None]

        def is_answered() -> bool:
            if len(arguments) == 1:
                shown[0] = asking.ask(self.state_dir, arguments[0])
            else:
                printed = self.cli(*arguments, "-o", "json").stdout
                shown[0] = json.loads(printed) if printed else None
            return shown[0] is not None

        until(is_answered, self.state)
        return shown[0]

    def processes(self) -> tuple[psutil.Process, ...]:
        """Return the supervisor, ExaBGP and the agent, as far as they live at this moment."""
        return () if self.process is None else processes.lineage(self.process.pid)

    def all_processes(self, number: int = 3) -> tuple[psutil.Process, ...]:
        """Return the first of them once so many live: another one may be starting."""
        found: list[tuple[psutil.Process, ...]] = [()]

        def are_there() -> bool:
            found[0] = self.processes()[:number]
            return len(found[0]) == number

        until(are_there, self.state)
        return found[0]

    @property
    def exabgp(self) -> psutil.Process:
        """The supervisor's only child."""
        return self.all_processes(2)[1]

    @property
    def agent(self) -> psutil.Process:
        """ExaBGP's only child."""
        return self.all_processes()[2]
