"""The last decisions of this node, kept over the end of the agent's process.

Whoever looks into an incident asks first what left, when and why, and the metrics and the log may
not be at hand. So the last two hundred are kept, each as a line of text: as values they would be a
megabyte on every node. The file in the state directory is for reading only: nothing is decided by
it, whatever stands in it ends nothing, and a full disk costs what it cannot take.

A clock may be set meanwhile. The order is that of the numbers; how long ago is counted by the
clock that nobody sets, as long as the host has not been started anew.
"""

from __future__ import annotations

import collections
import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import history
from exabgp_k8s.wire import past

FILE_NAME = "history.jsonl"
BOOT = Path("/proc/sys/kernel/random/boot_id")
KEPT = 200
KEPT_SIZE = 128 * 1024
"""Bytes of all entries; two hundred usual ones are half of it. The file is in memory, too."""
FILE_SIZE = KEPT_SIZE * 3 // 2
"""Bytes after which the file is written anew without what is no longer kept."""
JOINED = 1.0
"""Seconds in which what follows belongs to the same decision: classes, families and peers go one
after the other."""
JOINED_REASONS = 10.0
"""The same where nothing leaves or comes, and reasons only take turns."""

WRITTEN_AFTER = 0.2
"""Seconds until it stands in the file: the routers come first, and what follows goes with it."""

Later = Callable[[Callable[[], None]], object]


@dataclass(slots=True, kw_only=True)
class _Open:
    """The latest entry, which may still grow, or one that is not acknowledged yet."""

    number: int
    began: float
    at: float
    event: str
    changes: list[history.Row]
    keys: dict[history.Key, None] = field(default_factory=dict)
    acknowledged: float | None = None
    awaited: list[str] = field(default_factory=list)
    down: list[str] = field(default_factory=list)
    is_superseded: bool = False


class History:
    """What was decided last.

    Args:
        state_dir: where the file is.
        later: does something after the routers, and after much that follows at once.
        wall: the clock that people read.
    """

    def __init__(
        self, state_dir: Path, later: Later, wall: Callable[[], float] = time.time
    ) -> None:
        self._path, self._later, self._wall = state_dir / FILE_NAME, later, wall
        self._boot = _boot()
        self._lines: collections.OrderedDict[int, bytes] = collections.OrderedDict()
        self._seen: history.Seen | None = None
        self._open: _Open | None = None
        self._waiting: dict[int, _Open] = {}
        """What is not acknowledged yet, by number; no route is in two of them."""
        self._unwritten: dict[int, None] = {}
        self._file_size = 0
        self._recall()

    def note(self, turn: Turn, now: float) -> None:
        """Remember what a turn decided, if it is another thing than before."""
        seen = history.seen(turn)
        if seen is None:
            return
        was, is_first = self._seen, self._seen is None
        if was is None:
            was = history.held(turn.world)
        if is_first or seen != was:
            self._seen = seen
            found = history.changes(was, seen, turn)
            if found or is_first:
                self._enter(found, history.touched(was, seen), now, is_first=is_first)
        for entry in tuple(self._waiting.values()):
            if entry.number in self._waiting:
                self._acknowledge(entry, turn, now)

    def rows(self, now: float, count: int = KEPT, since: float | None = None) -> list[Any]:
        """Return the last entries, the latest at the end.

        Args:
            now: the time of asking, by the clock that nobody sets.
            count: at most so many.
            since: only what is no older than so many seconds; None: all.
        """
        wall = self._wall()
        found = [self._row(json.loads(line), now, wall) for line in self._lines.values()]
        kept = [each for each in found if since is None or each["seconds"] <= since]
        return kept[max(0, len(kept) - count) :]

    def _row(self, entry: Mapping[str, Any], now: float, wall: float) -> Mapping[str, Any]:
        is_of_now = entry["boot"] == self._boot and entry["began"] <= now
        past_seconds = now - entry["began"] if is_of_now else wall - entry["at"]
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(entry["at"]))
        return {
            "number": entry["number"],
            "at": f"{moment}.{int(entry['at'] % 1 * 1000):03}Z",
            "seconds": round(max(0.0, past_seconds), 3),
            **past.shown(entry),
        }

    def _enter(
        self,
        found: list[history.Row],
        keys: tuple[history.Key, ...],
        now: float,
        *,
        is_first: bool,
    ) -> None:
        for entry in self._waiting.values():
            # Its routes are others now: who is sent them is not sent what was decided then.
            entry.is_superseded |= not entry.keys.keys().isdisjoint(keys)
        last = self._open
        if last is not None and not is_first and _belongs(last, keys, now):
            last.changes = past.joined(last.changes, found)
            last.keys |= dict.fromkeys(keys)
            last.acknowledged = None
        else:
            number = next(reversed(self._lines), 0) + 1
            last = _Open(
                number=number,
                began=now,
                at=self._wall(),
                event="start" if is_first else "change",
                changes=found,
                keys=dict.fromkeys(keys),
            )
        self._open = last
        if last.keys:
            self._waiting[last.number] = last
        self._keep(last)

    def _acknowledge(self, entry: _Open, turn: Turn, now: float) -> None:
        """Note how long the routers took; one that is down is not waited for."""
        if entry.is_superseded:
            del self._waiting[entry.number]
            self._keep(entry)
            return
        awaited, down = history.awaited(turn, tuple(entry.keys))
        is_done = not awaited and any(turn.world.is_up(peer) for peer, _ in entry.keys)
        if (awaited, down) == (entry.awaited, entry.down) and not is_done:
            return
        entry.awaited, entry.down = awaited, down
        if is_done:
            entry.acknowledged = round(now - entry.began, 4)
            del self._waiting[entry.number]
        self._keep(entry)

    def _keep(self, entry: _Open) -> None:
        line = past.dump(
            {
                "number": entry.number,
                "at": entry.at,
                "began": entry.began,
                "boot": self._boot,
                "event": entry.event,
                "changes": entry.changes,
                "acknowledged_seconds": entry.acknowledged,
                "awaited": entry.awaited,
                "without_session": entry.down,
                **past.superseded(entry.is_superseded),
            }
        )
        self._lines[entry.number] = line
        self._forget()
        is_planned = bool(self._unwritten)
        self._unwritten[entry.number] = None
        if not is_planned:
            self._later(self._write)

    def _forget(self) -> None:
        size = sum(map(len, self._lines.values()))
        while len(self._lines) > KEPT or size > KEPT_SIZE:
            number, line = self._lines.popitem(last=False)
            self._waiting.pop(number, None)
            size -= len(line)

    def _write(self) -> None:
        """Append what is news; the last line of a number is the one that counts."""
        lines = [self._lines[each] for each in self._unwritten if each in self._lines]
        self._unwritten.clear()
        with contextlib.suppress(OSError):
            if self._file_size > FILE_SIZE:
                candidate = self._path.with_suffix(".new")
                candidate.write_bytes(b"".join(self._lines.values()))
                candidate.replace(self._path)
                self._file_size = sum(map(len, self._lines.values()))
                return
            with self._path.open("ab") as file:
                file.write(b"".join(lines))
            self._file_size += sum(map(len, lines))

    def _recall(self) -> None:
        found = {entry["number"]: past.dump(entry) for entry in _kept(self._path)}
        # An entry that was acknowledged after the next one had begun is behind that in the file.
        self._lines.update(sorted(found.items()))
        self._forget()
        # A crash may have cut the last line: what comes next would be the rest of it.
        self._file_size = 2 * FILE_SIZE


def _belongs(last: _Open, keys: tuple[history.Key, ...], now: float) -> bool:
    """Return whether what changes now is a part of the latest entry.

    What leaves and comes back is two decisions, however soon it does.
    """
    past_seconds = now - last.began
    if not keys or not last.keys:
        return not keys and not last.keys and past_seconds < JOINED_REASONS
    return past_seconds < JOINED and last.keys.keys().isdisjoint(keys)


def _kept(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the entries of the file, whatever else stands in it."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - FILE_SIZE))
        for line in file.read(2 * FILE_SIZE).split(b"\n"):
            if (entry := past.load(line)) is not None:
                yield entry


def _boot() -> str:
    try:
        return BOOT.read_text(encoding="ascii").strip()[:64]
    except (OSError, UnicodeDecodeError):
        return ""
