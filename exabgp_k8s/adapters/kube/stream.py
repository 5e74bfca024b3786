"""An open watch: its lines as they come, from a connection that may be dead.

A connection whose other end is gone without a word looks exactly like a quiet one, and a proxy may
keep one alive that leads nowhere. So the server is asked to end each watch soon, and one that it
has not ended a little later is over: nothing that comes in between can put that off.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import urllib3

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import limits


class Stream:
    """The answer to a watch request whose headers have arrived.

    Args:
        response: the answer, not yet read.
        within: seconds after which the stream ends, if the server has not ended it.
        translated: turns the errors of reading into ``KubeError``.
    """

    def __init__(
        self,
        response: urllib3.HTTPResponse,
        within: float,
        translated: Callable[[], contextlib.AbstractContextManager[None]],
    ) -> None:
        self._response = response
        self._within = within
        self._translated = translated
        self._is_interrupted = False

    def lines(self) -> Iterator[bytes]:
        """Yield each line without its end, until the end of the stream.

        Raises:
            errors.KubeError: the stream broke off, or the server did not end it.
        """
        try:
            yield from self._lines()
        except errors.KubeError:
            if not self._is_interrupted:
                raise

    def _lines(self) -> Iterator[bytes]:
        rest = bytearray()
        limits.end_within(self._within)
        for piece in self._pieces():
            *ended, begun = piece.split(b"\n")
            for end in ended:
                rest += end
                line = bytes(rest)
                rest.clear()
                if line:
                    yield line
            rest += begun
            if len(rest) > limits.LARGEST:
                raise errors.KubeError("the watch sent a line longer than any object can be")

    def _pieces(self) -> Iterator[bytes]:
        # As it arrives: nothing here waits for a buffer to fill.
        with self._translated():
            yield from limits.pieces(self._response)

    def interrupt(self) -> None:
        """End the stream now; callable from another thread."""
        self._is_interrupted = True
        # It may have ended by itself a moment ago.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._response.shutdown()

    def close(self) -> None:
        """Close the connection unless the stream was read to its end."""
        self._response.close()
