"""Log lines on their way out: a log reader that hangs must never cost a route.

A container's standard error is a pipe, and a write to a full pipe waits for its reader. ExaBGP
writes its log between two keepalives, so a reader that hangs would stop BGP. Therefore ExaBGP
and the agent write into a pipe of ours that never makes them wait, and this end of it passes
whole lines on as long as that does not wait either. What finds no room is dropped and counted.

A line that is no JSON was written by nobody of ours: by a library, or by an interpreter that ends.
It becomes one, and a traceback becomes a single one, so that whoever reads the log can parse it.

Standard library only, and little of it: it is a part of the supervisor.
"""

from __future__ import annotations

import fcntl
import os
import select
import time

from exabgp_k8s.logs import lines

PIPE_SIZE = 256 * 1024
"""Bytes on their way to us; an ordinary user may have this much without asking."""
KEPT_SIZE = 256 * 1024
"""Bytes that wait for the reader at most; then whole lines are dropped."""
LINE_SIZE = 64 * 1024
"""Bytes after which a line without an end is taken for a whole one."""
TRACE_LINES = 200
"""Lines after which a traceback is told as far as it came."""
TRACEBACK = b"Traceback (most recent call last):"
WRITE_SIZE = 4096
"""PIPE_BUF: a pipe that polls writable takes this much at once (pipe(7), poll(2))."""


class Relay:
    """A pipe to write into without ever waiting, and its lines on their way to a log reader."""

    def __init__(self, sink: int, form: str = lines.JSON, *, is_held: bool = False) -> None:
        """Take where the lines go, in which form, and whether they wait for a word from us."""
        self._sink, self._form = sink, form
        self._is_held = is_held
        self.source, self.inlet = os.pipe()
        for end in (self.source, self.inlet):
            os.set_blocking(end, False)
        try:
            fcntl.fcntl(self.inlet, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            pass  # Over the user's quota for pipes: the usual size will do.
        self._begun = b""
        self._trace: list[bytes] = []
        self._kept = bytearray()
        self._dropped = 0

    @property
    def is_waiting(self) -> bool:
        """Whether something is to be written."""
        return bool(self._kept) and not self._is_held

    def release(self) -> None:
        """Pass on what waited for it, and everything that comes."""
        self._is_held = False

    def forget(self) -> None:
        """Drop what was written so far and what still comes: it is of no use to anybody."""
        self._is_held = True

    def read(self) -> None:
        """Take in what was written into the pipe; it never waits."""
        try:
            data = os.read(self.source, LINE_SIZE)
        except BlockingIOError:
            return
        *whole, self._begun = (self._begun + data).split(b"\n")
        if len(self._begun) > LINE_SIZE:
            whole, self._begun = [*whole, self._begun], b""
        for line in whole:
            self._take(line)

    def _take(self, line: bytes) -> None:
        """Keep a line as it is, or in the form of all others."""
        if self._form == lines.TEXT:
            self.put(line + b"\n")
            return
        is_ours = line.startswith(b"{")
        if line.startswith(TRACEBACK) or (self._trace and not is_ours):
            self._trace.append(line)
            # It is indented up to its last line, which names the error.
            is_over = line[:1].strip() and len(self._trace) > 1
            if not is_over and len(self._trace) < TRACE_LINES:
                return
            is_ours, line = False, b""
        self._end_trace()
        if is_ours:
            self.put(line + b"\n")
        elif line.strip():
            self._say("output.text", "warning", line)

    def _end_trace(self) -> None:
        if self._trace:
            self._say("output.traceback", "error", b"\n".join(self._trace))
            self._trace = []

    def _say(self, event: str, level: str, text: bytes) -> None:
        shown = text.decode("utf-8", "replace")
        self.put(lines.render(self._form, event, level, time.time(), text=shown))

    def put(self, line: bytes) -> None:
        """Keep a whole line for the reader, or count it as dropped."""
        if len(self._kept) + len(line) > KEPT_SIZE:
            self._dropped += 1
        else:
            self._kept += line

    def write(self) -> None:
        """Write as much as the reader takes without making us wait."""
        while self.is_waiting and _is_writable(self._sink):
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
        self._end_trace()
        self.write()

    def _tell_dropped(self) -> None:
        now = time.time()
        line = lines.render(self._form, "log.dropped", "warning", now, lines=self._dropped)
        self._kept += line
        self._dropped = 0


def _is_writable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    return bool(poller.poll(0))
