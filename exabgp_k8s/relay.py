"""Log lines on their way out: a log reader that hangs must never cost a route.

A container's standard error is a pipe, and a write to a full pipe waits for its reader. ExaBGP
writes its log between two keepalives, so a reader that hangs would stop BGP. Therefore ExaBGP
and the agent write into a pipe of ours that never makes them wait, and this end of it passes
whole lines on as long as that does not wait either. What finds no room is dropped and counted.

Standard library only, and little of it: it is a part of the supervisor.
"""

from __future__ import annotations

import fcntl
import os
import select

PIPE_SIZE = 256 * 1024
"""Bytes on their way to us; an ordinary user may have this much without asking."""
KEPT_SIZE = 256 * 1024
"""Bytes that wait for the reader at most; then whole lines are dropped."""
LINE_SIZE = 64 * 1024
"""Bytes after which a line without an end is taken for a whole one."""
WRITE_SIZE = 4096
"""PIPE_BUF: a pipe that polls writable takes this much at once (pipe(7), poll(2))."""


class Relay:
    """A pipe to write into without ever waiting, and its lines on their way to a log reader."""

    def __init__(self, sink: int) -> None:
        self._sink = sink
        self.source, self.inlet = os.pipe()
        for end in (self.source, self.inlet):
            os.set_blocking(end, False)
        try:
            fcntl.fcntl(self.inlet, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            pass  # Over the user's quota for pipes: the usual size will do.
        self._begun = b""
        self._kept = bytearray()
        self._dropped = 0

    @property
    def is_waiting(self) -> bool:
        """Whether something is to be written."""
        return bool(self._kept)

    def read(self) -> None:
        """Take in what was written into the pipe; it never waits."""
        try:
            data = os.read(self.source, LINE_SIZE)
        except BlockingIOError:
            return
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self.put(line + b"\n")
        if len(self._begun) > LINE_SIZE:
            self.put(self._begun + b"\n")
            self._begun = b""

    def put(self, line: bytes) -> None:
        """Keep a whole line for the reader, or count it as dropped."""
        if len(self._kept) + len(line) > KEPT_SIZE:
            self._dropped += 1
        else:
            self._kept += line

    def write(self) -> None:
        """Write as much as the reader takes without making us wait."""
        while self._kept and _is_writable(self._sink):
            piece = bytes(self._kept[:WRITE_SIZE])
            # A whole number of lines, unless one alone is longer than that.
            piece = piece[: piece.rfind(b"\n") + 1] or piece
            try:
                taken = os.write(self._sink, piece)
            except BlockingIOError:
                return
            except OSError:
                # Nobody will ever read it: the other end is closed, or the disk is full.
                taken = len(piece)
            del self._kept[:taken]
            if self._dropped and len(self._kept) < KEPT_SIZE // 2:
                self._tell_dropped()

    def finish(self) -> None:
        """Pass on what is left, as far as the reader takes it."""
        for _ in range(PIPE_SIZE // LINE_SIZE):
            self.read()
            self.write()

    def _tell_dropped(self) -> None:
        line = b'{"event": "log.dropped", "lines": %d, "level": "warning"}\n' % self._dropped
        self._kept += line
        self._dropped = 0


def _is_writable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    return bool(poller.poll(0))
