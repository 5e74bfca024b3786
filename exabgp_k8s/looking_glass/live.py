"""Tells open pages that there is something new, as server-sent events.

A page is told no more than that, and asks for itself again: what it shows then is made like any
other page, so there is one way to write a page and not two. Each listener is told the latest only;
who is slow misses what was in between and nothing else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

LISTENERS = 128
"""Pages that are told, at a time; the others look by themselves now and then."""
SIGN_OF_LIFE = 15.0
"""Seconds: a proxy ends what is silent for longer, and a browser that is gone shows in a write."""
RETRY = 2000
"""Milliseconds until a browser connects again."""


class Live:
    """The latest version of what there is to see, and who waits for the next one."""

    def __init__(self) -> None:
        self._latest = _event(0, ())
        self._version = 0
        self._changed = asyncio.Event()
        self.listeners = 0

    @property
    def is_full(self) -> bool:
        """Whether no further page can be told."""
        return self.listeners >= LISTENERS

    def tell(self, version: int, said: tuple[str, ...]) -> None:
        """Tell every open page that there is a new version, and in few words what is new."""
        self._latest, self._version = _event(version, said), version
        self._changed.set()
        self._changed = asyncio.Event()

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the present version and each later one, and a sign of life in between."""
        self.listeners += 1
        try:
            yield b"retry: %d\n\n" % RETRY + self._latest
            told = self._version
            while True:
                changed = self._changed
                if told == self._version:
                    try:
                        async with asyncio.timeout(SIGN_OF_LIFE):
                            await changed.wait()
                    except TimeoutError:
                        yield b": still here\n\n"
                        continue
                told = self._version
                yield self._latest
        finally:
            self.listeners -= 1


def _event(version: int, said: tuple[str, ...]) -> bytes:
    # JSON has no bare line end, so nobody's text can end the event.
    data = json.dumps({"version": version, "said": said})
    return f"data: {data}\n\n".encode()
