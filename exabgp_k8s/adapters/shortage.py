"""Our own want of descriptors, memory or threads, told apart from what the world says.

A check that cannot open a socket has learnt nothing about the node, and a request that cannot be
sent has learnt nothing about the API server. To count either would take routes from a node that
is well, and on all nodes at once where all are short of the same thing.
"""

from __future__ import annotations

import contextlib
import errno
import os

NUMBERS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""What the kernel answers when it, or this process, has no more of something."""

NO_THREAD = "can't start new thread"
"""CPython's words; it is a RuntimeError without a number."""


def of(error: BaseException) -> str:
    """Return what we lack where that is at the bottom of an error; nothing where it is not."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in NUMBERS:
            return os.strerror(seen.errno).lower()
        if isinstance(seen, MemoryError):
            return os.strerror(errno.ENOMEM).lower()
        if isinstance(seen, RuntimeError) and NO_THREAD in str(seen):
            return NO_THREAD
        seen = seen.__cause__ or seen.__context__
    return ""


def present() -> str:
    """Return what this process lacks at this moment to open one descriptor more.

    Resolvers, and a connection that was tried to several addresses, hide the number.
    """
    try:
        os.close(_open_nothing())
    except OSError as error:
        return of(error)
    return ""


class Reserve:
    """Descriptors held back, to be let go of for what must work when there are no others."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: list[int] = []
        self.fill()

    def fill(self) -> None:
        """Take back what is missing, as far as there is any."""
        with contextlib.suppress(OSError):
            while len(self._held) < self._size:
                self._held.append(_open_nothing())

    def release(self) -> bool:
        """Let go of all of them; return whether there were any."""
        is_held = bool(self._held)
        while self._held:
            os.close(self._held.pop())
        return is_held


def _open_nothing() -> int:
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
