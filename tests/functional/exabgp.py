"""A real ExaBGP as a subprocess on loopback, its helper's two pipes in the hands of a test."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from exabgp_k8s import chain
from exabgp_k8s.core.facts import commands, events, model
from exabgp_k8s.wire import commands as encoding
from exabgp_k8s.wire import replies
from tests.support import oddrouter

LIMIT = 120.0
"""Seconds for anything to happen; for a machine that is busy, not a promise."""

RELAY = """\
import os, socket, sys, threading
wire = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def inward():
    while data := os.read(0, 65536):
        wire.sendall(data)
    os._exit(0)
threading.Thread(target=inward, daemon=True).start()
while data := wire.recv(65536):
    os.write(1, data)
"""


_NEIGHBOR = model.Neighbor(
    name="router",
    description="",
    address=ipaddress.ip_address("127.0.0.1"),
    port=179,
    local_address=ipaddress.ip_address("127.0.0.11"),
    router_id=ipaddress.IPv4Address("127.0.0.11"),
    peer_asn=oddrouter.ASN,
    local_asn=64512,
    hold_time=9,
)


def neighbor(address: model.Address, **changes: Any) -> model.Neighbor:
    """Return one session of the daemon, from 127.0.0.11 to a router on loopback."""
    return dataclasses.replace(_NEIGHBOR, address=address, **changes)


class ExaBGP:
    """One daemon; its helper passes every byte on to the test and back.

    Args:
        folder: for its files.
        is_router: whether it is ExaBGP as it is; ours reads no UPDATE.
        module: what to run instead of our launcher.
    """

    def __init__(
        self, folder: pathlib.Path, *, is_router: bool = False, module: str | None = None
    ) -> None:
        self._is_router, self._module = is_router, module
        self.path = folder / "exabgp.conf"
        self._relay = folder / "relay.py"
        self._relay.write_text(RELAY)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._condition = threading.Condition()
        self._lines: list[bytes] = []
        self._wire: socket.socket | None = None
        self.helpers = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._threads: list[threading.Thread] = []
        self._begin(self._accept)

    @property
    def run(self) -> tuple[str, ...]:
        """The helper's command line."""
        return sys.executable, str(self._relay), str(self._listener.getsockname()[1])

    def start(self, text: str) -> None:
        """Write the configuration and start the daemon."""
        since = self.mark()
        self.path.write_text(text)
        log = (self.path.parent / "exabgp.err").open("wb")
        self._process = subprocess.Popen(
            self._command(),
            env={**os.environ, **chain.environment()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        log.close()
        self.wait(lambda: self.helpers > 0, "no helper")
        if not self._is_router:
            # The helper is there before the daemon is, whose first word is an empty line.
            self.wait(lambda: len(self._lines) > since, "no daemon")

    def _command(self) -> tuple[str, ...]:
        if self._is_router:
            return (sys.executable, "-m", "exabgp", "server", str(self.path))
        if self._module is not None:
            return (sys.executable, "-m", self._module, str(self.path))
        return tuple(chain.server_command(self.path))

    def end(self) -> None:
        """Tell the daemon to end, and wait for that."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(LIMIT)

    def stop(self) -> None:
        """End the daemon and its helper."""
        self.end()
        # shutdown() wakes the thread that waits in accept(); close() alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LIMIT)
        self._listener.close()

    def reload(self, text: str) -> None:
        """Swap the configuration and tell the daemon."""
        self.path.write_text(text)
        self.read_again()

    def read_again(self) -> None:
        """Tell the daemon to read its configuration, and whatever lies beside it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)

    def memory(self) -> int:
        """Return the bytes that the daemon holds."""
        assert self._process is not None
        held: int = psutil.Process(self._process.pid).memory_info().rss
        return held

    def children(self) -> list[psutil.Process]:
        """Return the processes that the daemon has started, its helper."""
        assert self._process is not None
        found: list[psutil.Process] = psutil.Process(self._process.pid).children()
        return found

    def waits(self) -> int:
        """Return how often the daemon waited for something so far."""
        assert self._process is not None
        waited: int = psutil.Process(self._process.pid).num_ctx_switches().voluntary
        return waited

    def log(self) -> str:
        """Return what the daemon logged."""
        return (self.path.parent / "exabgp.err").read_text(errors="replace")

    def kill_helper(self) -> None:
        """Let the helper end, as a crash would."""
        assert self._wire is not None
        self._wire.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, _ = self._listener.accept()
                with self._condition:
                    self._wire, self.helpers = wire, self.helpers + 1
                self._begin(self._read, wire)

    def _begin(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _read(self, wire: socket.socket) -> None:
        with contextlib.suppress(OSError), wire, wire.makefile("rb") as file:
            for line in file:
                with self._condition:
                    self._lines.append(line)
                    self._condition.notify_all()

    def wait(self, is_true: Callable[[], bool], problem: str) -> None:
        """Wait until something is true of what came so far."""
        end = time.monotonic() + LIMIT
        with self._condition:
            while not is_true():
                self._condition.wait(0.02)
                assert time.monotonic() < end, (
                    f"{problem}: {self._lines[-5:]} {self.log()[-2000:]}"
                )

    def mark(self) -> int:
        """Return where the next line will stand."""
        with self._condition:
            return len(self._lines)

    def lines(self, since: int = 0) -> list[bytes]:
        """Return what came since a mark."""
        with self._condition:
            return self._lines[since:]

    def happened(self, since: int = 0) -> list[events.Event]:
        """Return the events that came since a mark."""
        parsed = map(replies.parse, self.lines(since))
        return [reply.event for reply in parsed if isinstance(reply, replies.Happened)]

    def say(self, command: commands.Command | str) -> list[bytes]:
        """Send a command and return all lines up to its answer."""
        since = self.mark()
        text = self.send(command)
        self.wait(lambda: bool(self._answers(since)), f"no answer to {text!r}")
        lines = self.lines(since)
        last = next(i for i, line in enumerate(lines) if line.strip() in {b"done", b"error"})
        return lines[: last + 1]

    def send(self, command: commands.Command | str) -> bytes:
        """Send a command, wait for nothing, and return what was sent."""
        text = f"{command}\n".encode() if isinstance(command, str) else encoding.encode(command)
        assert self._wire is not None
        self._wire.sendall(text)
        return text

    def helper(self) -> psutil.Process:
        """Return the process behind the daemon's pipes."""
        assert self._process is not None
        (found,) = psutil.Process(self._process.pid).children()
        return found

    def _answers(self, since: int) -> list[bytes]:
        return [line for line in self._lines[since:] if line.strip() in {b"done", b"error"}]

    def await_event(self, event: events.Event, since: int = 0) -> None:
        """Wait until exactly this event was reported."""
        self.wait(lambda: event in self._events_locked(since), f"no {event}")

    def await_line(self, text: bytes, since: int = 0) -> None:
        """Wait until a line holds this text."""
        self.wait(lambda: any(text in line for line in self._lines[since:]), f"no {text!r}")

    def _events_locked(self, since: int) -> list[events.Event]:
        parsed = map(replies.parse, self._lines[since:])
        return [reply.event for reply in parsed if isinstance(reply, replies.Happened)]


@contextlib.contextmanager
def running(
    folder: pathlib.Path, *, is_router: bool = False, module: str | None = None
) -> Iterator[ExaBGP]:
    """Yield a daemon that is not started yet, and end it."""
    folder.mkdir()
    found = ExaBGP(folder, is_router=is_router, module=module)
    try:
        yield found
    finally:
        found.stop()
