"""An open watch: its lines as they come, from a connection that may be dead.

A connection whose other end is gone without a word looks exactly like a quiet one. So silence is
limited: the API server sends a bookmark about once a minute, and a stream that stays silent for
longer is over.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import urllib3

from exabgp_k8s import errors

_LONGEST_LINE = 4 * 2**20
"""Bytes; etcd refuses objects beyond 1.5 MiB, so a longer line is garbage without an end."""


class Stream:
    """The answer to a watch request whose headers have arrived.

    Args:
        response: the answer, not yet read.
        idle: seconds of silence after which the stream ends.
        translated: turns the errors of reading into ``KubeError``.
    """

    def __init__(
        self,
        response: urllib3.HTTPResponse,
        idle: float,
        translated: Callable[[], contextlib.AbstractContextManager[None]],
    ) -> None:
        self._response = response
        self._translated = translated
        self._is_interrupted = False
        self.fell_silent = False
        """The stream ended because nothing came for too long."""
        # Up to here the shorter timeout of an ordinary answer counted. A server that announced
        # "Connection: close" has left no socket to set: its stream keeps the shorter one.
        sock = getattr(response.connection, "sock", None)
        if sock is not None:
            sock.settimeout(idle)

    def lines(self) -> Iterator[bytes]:
        """Yield each line without its end, until the end of the stream or silence.

        Raises:
            errors.KubeError: the stream broke off.
        """
        try:
            yield from self._lines()
        except errors.KubeError:
            if not self._is_interrupted:
                raise

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        for piece in self._pieces():
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line for line in lines if line)
            if len(rest) > _LONGEST_LINE:
                raise errors.KubeError("the watch sent a line longer than any object can be")

    def _pieces(self) -> Iterator[bytes]:
        with self._translated():
            try:
                # Each HTTP chunk as it arrives: nothing here waits for a buffer to fill.
                yield from self._response.stream(amt=None, decode_content=False)
            except urllib3.exceptions.ReadTimeoutError:
                self.fell_silent = True

    def interrupt(self) -> None:
        """End the stream now; callable from another thread."""
        self._is_interrupted = True
        # It may have ended by itself a moment ago.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._response.shutdown()

    def close(self) -> None:
        """Close the connection unless the stream was read to its end."""
        self._response.close()
