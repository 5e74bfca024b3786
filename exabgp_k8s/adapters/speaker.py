"""ExaBGP's two pipes: standard input is always drained, standard output is only for commands.

An unread pipe stops ExaBGP, keepalives and all, and a stray ``print`` would be a BGP command. So
standard output is taken away before anything else runs, and a thread reads standard input
whatever the event loop does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import threading
from collections.abc import Callable

PIPE_SIZE = 1024 * 1024
"""Bytes; the default 64 KiB fill in seconds when a loop hangs and peers come and go."""
READ_SIZE = 64 * 1024


def claim_stdout() -> int:
    """Return a private descriptor of the command pipe; fd 1 becomes a copy of stderr."""
    private = os.dup(1)
    os.set_inheritable(private, False)
    os.dup2(2, 1)
    return private


class Speaker:
    """The pipes to and from ExaBGP."""

    def __init__(self, source: int, sink: int) -> None:
        self._source, self._sink = source, sink
        self.is_heard = False
        """Whether ExaBGP has said its first word, which says that it is there
        (``launcher.headstart``). It answers nothing before that, and must not be asked."""
        self._passing_on = threading.Lock()
        self._waiting = select.poll()
        self._waiting.register(source, select.POLLIN)

    def start(self, received: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """Read for ever in a thread; both callables are called from that thread."""
        # An ordinary user may be over the system's pipe quota; the reader is what matters.
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._source, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        threading.Thread(
            target=self._read, args=(received, ended), name="exabgp-reader", daemon=True
        ).start()

    def _read(self, received: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        while True:
            self._waiting.poll()
            with self._passing_on:
                data = os.read(self._source, READ_SIZE)
                if not data:
                    break
                self.is_heard = True
                received(data)
        ended()

    def is_read(self) -> bool:
        """Return whether everything that ExaBGP has written so far was passed on."""
        waiting = select.poll()
        waiting.register(self._source, select.POLLIN)
        with self._passing_on:
            return not waiting.poll(0)

    def write(self, line: bytes) -> None:
        """Write one command line; it is far below PIPE_BUF and never blocks half-way."""
        os.write(self._sink, line)
