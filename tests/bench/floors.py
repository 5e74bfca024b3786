"""The two floors: what a watch and what ExaBGP cost when nothing of ours is in between.

The program under measurement waits for the same API server and stands behind the same ExaBGP.
What these cost is not its merit or fault, and it changes from machine to machine and from minute
to minute; so both are measured in the same rounds.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence

from exabgp_k8s import chain
from exabgp_k8s.tryout.kubeapi import apiserver
from tests.bench import BenchError, peer

FOLDER = pathlib.Path(__file__).parent
NODE = "floor"
ADDRESS = "127.0.0.21"
ASN = 64512
PREFIXES = ("10.97.0.0/16", "10.245.1.0/24")


class Watch:
    """A bare client that watches a Node of its own."""

    def __init__(self, python: str, server: apiserver.ApiServer, folder: pathlib.Path) -> None:
        self._server = server
        authority = folder / "ca.pem"
        authority.write_bytes(server.ca)
        version = server.node(NODE)["metadata"]["resourceVersion"]
        query = f"fieldSelector=metadata.name={NODE}&watch=1&resourceVersion={version}"
        url = f"{server.url}/api/v1/nodes?{query}&timeoutSeconds=86400"
        script = str(FOLDER / "watcher.py")
        self._command = [python, "-I", script, url, str(authority), server.token or ""]

    @contextlib.contextmanager
    def running(self) -> Iterator[Watch]:
        """Run the client for as long as the context lasts."""
        opened = self._server.watches
        with _process(self._command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            self._stamps = process.stdout
            deadline = time.monotonic() + peer.LIMIT
            while self._server.watches == opened:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise BenchError("the bare watch was not opened")
                time.sleep(0.01)
            yield self

    def measure(self, *, is_cordoned: bool) -> tuple[int, int]:
        """Change the Node; return when it was changed and when the line had been decoded."""
        began = time.monotonic_ns()
        self._server.patch_node(NODE, {"spec": {"unschedulable": is_cordoned}})
        line = self._stamps.readline()
        if not line:
            raise BenchError("the bare watch ended")
        return began, int(line)


class Speaker:
    """A bare ExaBGP, told what to do through the simplest process there can be."""

    def __init__(self, python: str, peers: Sequence[peer.Peer], folder: pathlib.Path) -> None:
        self._python, self._peers, self._folder = python, peers, folder
        self._socket = folder / "writer.sock"

    @contextlib.contextmanager
    def running(self) -> Iterator[Speaker]:
        """Run ExaBGP for as long as the context lasts."""
        conf = self._folder / "floor.conf"
        helper = f"{self._python} -I {FOLDER / 'writer.py'} {self._socket}"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self._socket))
            listener.listen()
            listener.settimeout(peer.LIMIT)
            with _exabgp(self._python, conf, helper, self._peers):
                try:
                    self._orders, _ = listener.accept()
                except TimeoutError:
                    raise BenchError(f"the bare ExaBGP did not start; see {conf}") from None
                with self._orders:
                    yield self

    def measure(self, prefixes: Sequence[str], *, is_withdrawal: bool) -> tuple[int, list[int]]:
        """Change these prefixes for every peer; return when it was written and each arrival."""
        verb = "withdraw" if is_withdrawal else "announce"
        began = time.monotonic_ns()
        lines = "".join(f"{verb} route {each} next-hop self\n" for each in prefixes)
        self._orders.sendall(lines.encode())
        written = int(self._orders.recv(64))
        arrivals = [
            at
            for router in self._peers
            for at in router.wait(prefixes, is_withdrawal=is_withdrawal, since=began)
        ]
        return written, arrivals


class Announcer:
    """A bare ExaBGP whose helper announces everything as soon as it runs."""

    def __init__(self, python: str, peers: Sequence[peer.Peer], folder: pathlib.Path) -> None:
        self._python, self.peers, self._folder = python, peers, folder

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run ExaBGP for as long as the context lasts."""
        helper = f"{self._python} -I {FOLDER / 'announcer.py'} {' '.join(PREFIXES)}"
        with _exabgp(self._python, self._folder / "announcer.conf", helper, self.peers) as process:
            yield process


@contextlib.contextmanager
def _exabgp(
    python: str, path: pathlib.Path, helper: str, peers: Sequence[peer.Peer]
) -> Iterator[subprocess.Popen[bytes]]:
    path.write_text(_conf(helper, peers))
    environment = {**os.environ, **chain.ENVIRONMENT, "exabgp_daemon_user": _user()}
    command = [python, "-m", "exabgp", "server", str(path)]
    with (
        path.with_suffix(".log").open("ab") as output,
        _process(command, stderr=output, env=environment, cwd=path.parent) as process,
    ):
        yield process


def _conf(helper: str, peers: Sequence[peer.Peer]) -> str:
    neighbors = "".join(
        f"""
neighbor {router.address} {{
  local-address {ADDRESS}; router-id {ADDRESS}; local-as {ASN}; peer-as {router.asn};
  hold-time 9; connect {router.port}; group-updates true; adj-rib-in false;
  capability {{ asn4 enable; route-refresh enable; }}
  family {{ ipv4 unicast; }}
  api {{ processes [ floor ]; }}
}}
"""
        for router in peers
    )
    return f"process floor {{\n  run {helper};\n  encoder json;\n}}\n{neighbors}"


def _user() -> str:
    """Return who we are; ExaBGP wants the name of a user that exists."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "nobody"


@contextlib.contextmanager
def _process(command: Sequence[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(peer.LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
