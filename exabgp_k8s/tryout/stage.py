"""Everything that ``try`` sets up, on loopback and in one directory, and takes away again.

No privilege and no tool is needed. Linux answers on all of 127.0.0.0/8, so the node, its router
and the API server each get an address of a network chosen at random: two of us do not meet.

Nothing here raises from a signal. Ctrl-C, like every change of the router's table, is an entry
of one inbox, so there is no moment at which a process is started and not yet known.
"""

from __future__ import annotations

import errno
import queue
import secrets
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from exabgp_k8s import chain
from exabgp_k8s.agent import variables
from exabgp_k8s.errors import Error
from exabgp_k8s.tryout import healthz, part, router
from exabgp_k8s.tryout.kubeapi import apiserver

NODE = "node-1"
NODE_ASN, ROUTER_ASN = 64512, 64513
SERVICES, PODS = "10.96.0.0/16", "10.244.1.0/24"
CHECK = "kube-proxy"

LONGEST_DIRECTORY = 80
"""Characters, so that the agent's sockets fit into the 107 of unix(7)."""
GLANCE = 0.1
"""Seconds between two looks whether all parts still run."""
STOP_LIMIT = 8.0
"""Seconds for the parts to end when asked to; a drain and its settle time need 1.2."""

EXABGP_K8S = (sys.executable, "-m", "exabgp_k8s")


class TryFailed(Error):
    """The surroundings, or a part, do not do what ``try`` needs."""


class Interrupted(Error):
    """Somebody wants ``try`` to end."""


class Stage:
    """A node, its router and its API server.

    Args:
        hear: is told every line that a part writes.
    """

    def __init__(self, hear: part.Hear) -> None:
        self._hear = hear
        self._inbox: queue.SimpleQueue[router.Report | None] = queue.SimpleQueue()
        self._stack = ExitStack()
        self._parts: list[part.Part] = []
        self.table = router.Table()
        """What the router has now, as far as it was looked at."""
        network = f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}"
        self.router_address, self.api_address = f"{network}.1", f"{network}.2"
        self.address = f"{network}.11"

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before = signal.getsignal(number)
            if number is not signal.SIGHUP or before is not signal.SIG_IGN:  # nohup
                signal.signal(number, lambda *_: self._inbox.put(None))
                self._stack.callback(signal.signal, number, before)
        try:
            self._set_up()
        except (OSError, RuntimeError) as error:
            self._stack.close()
            raise TryFailed(
                f"this machine does not give what `try` needs: {error}. It writes some small "
                f"files in {tempfile.gettempdir()}, listens on loopback and starts eight processes"
            ) from error
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _set_up(self) -> None:
        self.directory = Path(self._stack.enter_context(_temporary_directory()))
        if len(str(self.directory)) > LONGEST_DIRECTORY:
            raise TryFailed(f"{self.directory} is too long for unix sockets; set TMPDIR=/tmp")
        self._stack.callback(self._end_parts)
        self.state_dir = self.directory / NODE
        self.http = f"{self.address}:{_free_port(self.address, 9179)}"
        self.bgp_port = _free_port(self.router_address, 1790)
        self.health = healthz.Healthz(_listen(self.address, 10256))
        self._stack.callback(self.health.stop)
        node = apiserver.node_object(NODE, internal_ips=[self.address], pod_cidrs=[PODS])
        self.api = apiserver.ApiServer(nodes=[node], sock=_listen(self.api_address, 6443))
        self._stack.enter_context(self.api)
        self._write("kubeconfig", apiserver.kubeconfig(self.api))
        self._write("settings.yaml", self.settings)
        self._start_router()

    @property
    def settings(self) -> str:
        """The settings document of the node."""
        return f"""\
bgp: {{asn: {NODE_ASN}}}
peers:
  - {{name: router, address: {self.router_address}, port: {self.bgp_port}, asn: {ROUTER_ASN}}}
announce:
  services: {{cidrs: [{SERVICES}]}}  # every node announces all of it
  pods: {{within: [10.244.0.0/16]}}    # its Node says which part is its own
health:
  checks:                            # elsewhere: [preset: {CHECK}]
    - name: {CHECK}
      http: {self.health.url}
      affects: [services]
      interval: 200ms
      timeout: 200ms
      fall: 2                        # failures in a row until it counts
"""

    @property
    def run_command(self) -> tuple[str, ...]:
        """Arguments of ``exabgp-k8s`` for the node."""
        return (
            *("run", "--node", NODE),
            *("--settings", str(self.directory / "settings.yaml")),
            *("--kubeconfig", str(self.directory / "kubeconfig")),
            *("--state-dir", str(self.state_dir)),
            *("--http", self.http),
        )

    def shorten(self, command: str) -> str:
        """Return a command with its paths relative to our directory, for people."""
        return command.replace(f"{self.directory}/", "")

    def start_node(self) -> part.Part:
        """Start the node: ``exabgp-k8s run``, which must go on running."""
        self.node = self.command(NODE, self.run_command)
        self.node.may_end = False
        return self.node

    def command(self, name: str, arguments: tuple[str, ...]) -> part.Part:
        """Start ``exabgp-k8s`` with these arguments; it may end when it likes."""
        environment = {variables.PASSWORD_DIR: str(self.directory / "passwords")}
        started = self._start(name, (*EXABGP_K8S, *arguments), environment)
        started.may_end = True
        return started

    def next(self) -> router.Report | None:
        """Return the next change at the router; None if there was none for a moment.

        Raises:
            Interrupted: somebody wants us to end.
            TryFailed: a part ended that should run.
        """
        for each in self._parts:
            if each.code is not None and not each.may_end:
                raise TryFailed(f"{each.name} ended with exit code {each.code}")
        try:
            report = self._inbox.get(timeout=GLANCE)
        except queue.Empty:
            return None
        if report is None:
            raise Interrupted
        self.table = report.table
        return report

    def log(self) -> list[str]:
        """Return the last lines of all parts."""
        return [f"{each.name} | {line}" for each in self._parts for line in list(each.log)[-15:]]

    def _start(
        self, name: str, command: tuple[str, ...], environment: Mapping[str, str]
    ) -> part.Part:
        try:
            started = part.Part(name, command, environment, self._hear)
        except (OSError, RuntimeError) as error:
            raise TryFailed(f"{name} cannot be started: {error}") from error
        self._parts.append(started)
        return started

    def _start_router(self) -> None:
        path = self.directory / "router.sock"
        listener = self._stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=self._listen_to_router, args=(listener,), daemon=True).start()
        text = router.configuration(
            address=self.router_address,
            port=self.bgp_port,
            asn=ROUTER_ASN,
            node=self.address,
            node_asn=NODE_ASN,
        )
        conf = self._write("router.conf", text)
        environment = {**chain.environment(), router.SOCKET: str(path)}
        self._start("router", router.command(conf), environment)

    def _listen_to_router(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # No descriptor is left for it: the walk says what did not come true.
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                self._inbox.put(router.Report.decode(line))

    def _write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return path

    def _end_parts(self) -> None:
        part.end(self._parts, STOP_LIMIT)


def _temporary_directory() -> tempfile.TemporaryDirectory[str]:
    """Return a new directory.

    Raises:
        TryFailed: there is no place for one, as in a container with a read-only file system.
    """
    try:
        return tempfile.TemporaryDirectory(prefix="exabgp-k8s-try-")
    except OSError as error:
        raise TryFailed(
            "there is no directory that can be written to, and `try` needs one for some small "
            "files. Set TMPDIR to one; give a container with a read-only file system one with "
            "docker run --tmpfs /tmp"
        ) from error


def _listen(address: str, preferred: int) -> socket.socket:
    """Listen on the port a reader would expect, or on any if somebody has it on all addresses.

    Raises:
        TryFailed: this machine has no such address.
    """
    try:
        # With the interface down, listening works and reaching it does not; nothing is sent.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((address, preferred))
        return socket.create_server((address, preferred))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return socket.create_server((address, 0))
        raise TryFailed(
            f"{address} cannot be used: {error.strerror}. `try` needs Linux, and its loopback "
            "interface up: ip link set lo up"
        ) from error


def _free_port(address: str, preferred: int) -> int:
    with _listen(address, preferred) as found:
        return int(found.getsockname()[1])
