"""Objects of the API as they are and as they change: listed once, watched from there on, for ever.

    list ──version──> watch ──end──> watch from the last version ...
      ^                 │
      └─────expired─────┘      anything else: wait, or ask another server, and go on where it was

What is shown is what was seen, in the order seen. An API server that is down, slow, wrong or
silent changes nothing that is known: it makes a loss and another attempt, never a fact. The
version is kept only after the line that carried it was taken, so nothing is skipped.

A watch is short, because only its end is a sign of life that a server can be asked for: whatever
hangs, or is kept alive by somebody in between, is noticed when the end does not come.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import attempts, backoff, client, due, stream, turns
from exabgp_k8s.wire import kube

_MOST_PAGES = 1000
"""Of one list; half a million objects are no cluster's."""

_RELISTS, _RELIST_EACH = 3, 10.0
"""Lists that follow an expired version at once, and seconds until one more may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long everything may take; all in seconds."""

    watch: tuple[float, float] = (34, 38)
    """What the server is asked to end a watch after: drawn between these."""
    grace: float = 4
    """So much later a watch is over that the server has not ended."""
    silence: float = 100
    """Watches that end well and bring not even a bookmark, for so long: then there is a list.
    Bookmarks come about every 60, and just before the end."""
    pauses: attempts.Pauses = attempts.Pauses()
    short_life: float = 1
    """A watch that ends sooner has failed, however well it ended."""
    connection: float = 1500
    """A connection kept for ever would stay with the one API server that was up first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which objects are watched."""

    path: str
    """Of the collection."""
    query: Mapping[str, str]
    """The selectors."""
    thread: str
    """How the thread is called."""
    about: str
    """What they are, for the log."""
    page: int = 0
    """How many a list asks for at once; 0: all of them."""
    keeps: Callable[[Any], bool] = lambda _: True
    """Which of a list are shown at all; the others are forgotten page by page."""
    taken: Callable[[Any], Any] = lambda item: item
    """What of each object of a list is shown: of thousands nobody wants to hold the whole."""
    settled: frozenset[int] = frozenset()
    """Answers that are the cluster's own, whichever server gives them: no other one is asked."""


class Reader(Protocol):
    """What is made of what is shown; called in the thread of the watch, and must not block."""

    def contact(self) -> None:
        """Note that an API server has answered."""

    def listed(self, items: list[Any]) -> None:
        """Take the objects that there are.

        Raises:
            errors.KubeError: they make no sense.
        """

    def changed(self, line: kube.WatchLine) -> bool:
        """Take a change; return whether it was one of what is watched."""

    def lost(self, error: errors.KubeError) -> None:
        """Note that nothing is heard now, and why."""

    def look_beside(self) -> None:
        """Ask for what is wanted beside the objects, before each watch."""


class Watch:
    """Shows objects to a reader, until it is stopped.

    Args:
        api: where to ask.
        selection: the objects.
        reader: what is made of them.
        timings: how long everything may take.
    """

    def __init__(
        self, api: client.Client, selection: Selection, reader: Reader, timings: Timings
    ) -> None:
        self._api = api
        self._selection = selection
        self._reader = reader
        self._timings = timings
        self._attempts = attempts.Attempts(timings.pauses)
        self._relists = backoff.Bucket(_RELISTS, _RELIST_EACH)
        self._version = ""
        self._begun = 0.0
        self._opened: float | None = None
        self._silence_ends, self._connection_ends = due.Due(), due.Due()
        self._connection_ends.after(timings.connection)
        self._stream: stream.Stream | None = None
        self._turns = turns.Turns(self, name=selection.thread, about=selection.about)

    def start(self) -> None:
        """Start the thread; a watch runs once."""
        self._turns.start()

    def stop(self) -> None:
        """End the thread soon; at once if it watches or waits."""
        self._turns.stop()
        self._interrupt()

    def refresh(self) -> None:
        """Open the watch anew, for instance because something beside it is wanted now."""
        self._turns.wake()
        self._interrupt()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._turns.is_alive

    def _interrupt(self) -> None:
        watched = self._stream
        if watched is not None:
            watched.interrupt()

    # -- in the thread ------------------------------------------------------------------------

    def turn(self) -> turns.Pause:
        """List if need be and watch once."""
        self._opened, self._begun = None, time.monotonic()
        try:
            if not self._version:
                self._list()
            self._reader.look_beside()
            self._watch()
        except errors.KubeError as error:
            if self._is_of_the_server(error):
                # Nothing of it happens where the client has seen the failure itself.
                self._api.was_useless()
            raise
        return self._unshortened(self._ended())

    def _is_of_the_server(self, error: errors.KubeError) -> bool:
        is_known = isinstance(error, (errors.Unreachable, errors.Expired)) or error.lack
        return not is_known and error.status not in self._selection.settled

    def failed(self, error: errors.KubeError) -> turns.Pause:
        """Return when to list or to watch again."""
        return self._unshortened(self._after(error))

    def forget(self) -> None:
        """List anew."""
        self._version = ""

    @staticmethod
    def _unshortened(seconds: float) -> turns.Pause:
        # Who wants the watch opened anew gets that by the next one, and need not hurry it.
        return turns.Pause(seconds, least=seconds)

    def _after(self, error: errors.KubeError) -> float:
        now = time.monotonic()
        took = now - self._begun
        if self._lived() >= self._timings.short_life:
            self._attempts.succeeded()
            took = 0
        if isinstance(error, errors.Expired):
            self._version = ""
            # It happens to every agent whose API server was started anew; listing is the cure.
            # That the server was away for long before is no reason to wait once more.
            wait = self._relists.take(now)
            if wait:
                self._reader.lost(error)
            return wait
        is_settled = error.status in self._selection.settled
        has_another = self._api.servers.has_another and not is_settled
        if not has_another:
            self._reader.lost(error)
        return self._attempts.failed(error, has_another=has_another, took=took)

    def _ended(self) -> float:
        if self._lived() < self._timings.short_life:
            if not self._turns.is_wanted:
                self._api.was_useless()
            return self._attempts.ended_early(has_another=self._api.servers.has_another)
        self._attempts.succeeded()
        if self._silence_ends.is_now:
            # The version may be one that this server has not reached, as after the restore of a
            # backup: then it would be silent until it has.
            self._version = ""
        if self._connection_ends.is_now:
            self._connection_ends.after(self._timings.connection)
            self._api.servers.draw()
            self._api.close()
        return 0

    def _lived(self) -> float:
        """Return the seconds since the server accepted the watch, 0 if it did not."""
        return 0 if self._opened is None else time.monotonic() - self._opened

    def _list(self) -> None:
        found, version = [], ""
        for body in self._pages():
            items, of_page = kube.parse_list(body)
            found += [self._selection.taken(each) for each in items if self._selection.keeps(each)]
            # What changes meanwhile is shown by the watch, which begins where the list began.
            version = version or of_page
        self._heard()
        self._reader.listed(found)
        self._version = version

    def _pages(self) -> Iterator[bytes]:
        """Yield the answers that make up a list; one that is too large is asked for in parts."""
        query, size = dict(self._selection.query), self._selection.page
        for _ in range(_MOST_PAGES):
            if size:
                query["limit"] = str(size)
            try:
                body = self._api.request("GET", self._selection.path, query=query)
            except errors.TooLarge:
                if size <= 1:
                    raise
                size //= 2
                continue
            yield body
            query["continue"] = kube.rest_of(body) if size else ""
            if not query["continue"]:
                return
        raise errors.KubeError(f"the list of {self._selection.about} has no end")

    def _watch(self) -> None:
        length = max(1, round(random.uniform(*self._timings.watch)))  # noqa: S311 - jitter
        query = {
            **self._selection.query,
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(length),
        }
        watched = self._api.watch(self._selection.path, query, length + self._timings.grace)
        self._opened = time.monotonic()
        self._stream = watched
        try:
            # Both may have come before there was a stream to interrupt.
            if self._turns.is_wanted:
                return
            self._reader.contact()
            for line in watched.lines():
                self._take(kube.parse_watch_line(line))
        finally:
            self._stream = None
            watched.close()

    def _take(self, line: kube.WatchLine) -> None:
        if line.type is kube.LineType.BOOKMARK or self._reader.changed(line):
            self._version = line.version
        # What the line says comes first: that something was heard is a turn of its own.
        self._heard()

    def _heard(self) -> None:
        self._reader.contact()
        self._silence_ends.after(self._timings.silence)
