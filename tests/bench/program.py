"""The program under measurement, as a node runs it, and the service that its check looks at."""

from __future__ import annotations

import contextlib
import json
import pathlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Self

import psutil

from exabgp_k8s.tryout.kubeapi import apiserver
from tests.bench import BenchError, peer

NODE = "n1"
LEFT_NODE = "n2"
"""The Node whose routers are one fewer."""
ADDRESS = "127.0.0.11"
ASN = 64512
SERVICES, PODS = "10.96.0.0/16", "10.244.1.0/24"
ROUTES = (SERVICES, PODS)
EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers"
"""The label that takes the service ranges from a Node, and leaves it its pods."""
FALL = 2
"""Failures in a row that count; the second one is the cause of what follows."""


class Service:
    """An HTTP server that is healthy or not, and notes when it said that it is not."""

    def __init__(self) -> None:
        self._listener = socket.create_server((ADDRESS, 0))
        self.port: int = self._listener.getsockname()[1]
        self.is_healthy = True
        self.failures: list[int] = []
        """When a 503 left, in nanoseconds of CLOCK_MONOTONIC."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True, name="service").start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        status = "200 OK" if self.is_healthy else "503 Service Unavailable"
        if not self.is_healthy:
            self.failures.append(time.monotonic_ns())
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


def settings(peers: Sequence[peer.Peer], service: Service, interval: str) -> str:
    """Return the settings document (JSON, which is YAML too).

    A short hold-down: the way back is waited for in each round and not measured.
    """
    return json.dumps(
        {
            "bgp": {"asn": ASN},
            "peers": [
                {
                    "name": f"tor-{number}",
                    "address": router.address,
                    "port": router.port,
                    "asn": router.asn,
                    "families": ["ipv4"],
                }
                for number, router in enumerate(peers)
            ],
            "announce": {
                "services": {"cidrs": [SERVICES]},
                "pods": {"within": ["10.244.0.0/16"]},
                "holdDown": {"initial": "10ms", "max": "10ms"},
            },
            "health": {
                "checks": [
                    {
                        "name": "service",
                        "http": f"http://{ADDRESS}:{service.port}/",
                        "interval": interval,
                        "timeout": interval,
                        "fall": FALL,
                        "rise": 1,
                    }
                ]
            },
        }
    )


class Program:
    """``exabgp-k8s run`` with two peers.

    Args:
        python: the interpreter to run it with; the package must be installed there.
        server: its API server.
        peers: its routers.
        service: what its one check looks at.
        folder: for its files; its log stays there.
        interval: of the check.
        node: the name of its Node.
        leaves: a further router that goes away once it has the routes.
    """

    def __init__(
        self,
        *,
        python: str,
        server: apiserver.ApiServer,
        peers: Sequence[peer.Peer],
        service: Service,
        folder: pathlib.Path,
        interval: str,
        node: str = NODE,
        leaves: peer.Peer | None = None,
    ) -> None:
        self._peers, self._node, self._leaves = peers, node, leaves
        self._folder = folder
        self._service = service
        self._server = server
        (folder / "settings.yaml").write_text(
            settings([*peers, *filter(None, (leaves,))], service, interval)
        )
        (folder / "kubeconfig").write_text(apiserver.kubeconfig(server))
        self.first_arrivals: list[int] = []
        """When each peer first heard of each route, in nanoseconds of CLOCK_MONOTONIC."""
        self._command = [
            *(python, "-m", "exabgp_k8s", "run", "--node", node),
            *("--settings", str(folder / "settings.yaml")),
            *("--kubeconfig", str(folder / "kubeconfig")),
            *("--state-dir", str(folder / "state"), "--http", f"{ADDRESS}:{_free_port()}"),
        ]

    @contextlib.contextmanager
    def running(self) -> Iterator[Program]:
        """Run it until the end of the context, from its first complete announcement on."""
        log = self._folder / "program.log"
        began = time.monotonic_ns()
        with log.open("ab") as output:
            # In the folder, so that the installed package runs and not the one lying here.
            process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stderr=output, cwd=self._folder
            )
        self._root = psutil.Process(process.pid)
        try:
            self.first_arrivals = self._wait(began, is_withdrawal=False, log=log)
            if self._leaves is not None:
                self._leaves.wait(ROUTES, is_withdrawal=False, since=began)
                self._leaves.leave()
            yield self
        finally:
            self._end(process)

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        return self._root.pid

    def processes(self) -> dict[str, psutil.Process]:
        """Return its processes by their part: supervisor, exabgp, agent."""
        found = [self._root, *self._root.children(recursive=True)]
        if len(found) != 3:
            raise BenchError(f"{len(found)} processes instead of three: {found}")
        return dict(zip(("supervisor", "exabgp", "agent"), found, strict=True))

    def cordon(self) -> tuple[int, list[int]]:
        """Cordon the Node; return when it was changed and when each route was withdrawn."""
        began = time.monotonic_ns()
        self._server.patch_node(self._node, {"spec": {"unschedulable": True}})
        return began, self._wait(began, is_withdrawal=True)

    def uncordon(self) -> tuple[int, list[int]]:
        """Take it back; return when it was changed and when each route was announced."""
        began = time.monotonic_ns()
        self._server.patch_node(self._node, {"spec": {"unschedulable": None}})
        return began, self._wait(began, is_withdrawal=False)

    def exclude(self) -> tuple[int, list[int]]:
        """Label the Node; return when it was changed and each withdrawal of the service range."""
        return self._label("true")

    def include(self) -> None:
        """Take the label back and wait for the announcements."""
        self._label(None)

    def _label(self, value: str | None) -> tuple[int, list[int]]:
        began = time.monotonic_ns()
        self._server.patch_node(self._node, {"metadata": {"labels": {EXCLUDE: value}}})
        return began, self._wait(began, is_withdrawal=value is not None, prefixes=(SERVICES,))

    def fail(self) -> tuple[int, list[int]] | None:
        """Fail the check; return when the failure that counts left, and each withdrawal.

        None: on a busy machine the run before had timed out, and that counted too.
        """
        self._service.failures.clear()
        began = time.monotonic_ns()
        self._service.is_healthy = False
        arrivals = self._wait(began, is_withdrawal=True)
        if len([at for at in self._service.failures if at < min(arrivals)]) < FALL:
            return None
        return self._service.failures[FALL - 1], arrivals

    def recover(self) -> None:
        """Let the check succeed and wait for the announcements."""
        began = time.monotonic_ns()
        self._service.is_healthy = True
        self._wait(began, is_withdrawal=False)

    def _wait(
        self,
        since: int,
        *,
        is_withdrawal: bool,
        prefixes: Sequence[str] = ROUTES,
        log: pathlib.Path | None = None,
    ) -> list[int]:
        try:
            return [
                at
                for router in self._peers
                for at in router.wait(prefixes, is_withdrawal=is_withdrawal, since=since)
            ]
        except BenchError as error:
            raise BenchError(f"{error}; see {log or self._folder / 'program.log'}") from None

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        ours = self._root.children(recursive=True) if process.poll() is None else []
        process.terminate()
        try:
            process.wait(peer.LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for each in ours:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()


def _free_port() -> int:
    with socket.create_server((ADDRESS, 0)) as sock:
        port: int = sock.getsockname()[1]
    return port
