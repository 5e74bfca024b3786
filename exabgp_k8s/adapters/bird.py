"""BIRD as the engine of BFD: told by a file what to do, and asked on its control socket.

It is another container, whose life is the node's and not our pod's, and the directory is all that
both have in common: ``bird.conf`` is ours and ``bird.ctl`` is BIRD's. A configuration is checked
by BIRD itself before it is in the file that BIRD starts from, and BIRD goes on with the old one
if it refuses. It may be away at any time, and then nobody waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from exabgp_k8s.core.facts import bfd, model
from exabgp_k8s.wire import bird_answers, bird_conf

CONFIGURATION, CONTROL = "bird.conf", "bird.ctl"
LARGEST = 256 * 1024
"""Bytes of an answer or of a file that are read; a session takes about a hundred."""
PATIENCE = 3.0
"""Seconds for one answer; a BIRD that needs more is not asked again before the next look."""
SAME = 1.0
"""Seconds by which one moment may seem to be another: BIRD's clock and ours are two, and a busy
node may stop us while we read them."""
SOON = 2.0
"""Seconds that BIRD has after a configuration until it lists what is in it."""

Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Engine:
    """The engine of one node.

    Args:
        directory: where the file and the socket are; it is made with the first session.
    """

    def __init__(self, directory: Path) -> None:
        self._configuration, self._control = directory / CONFIGURATION, directory / CONTROL
        self._link: Link | None = None
        self._known: Mapping[model.Address, bfd.Session] = {}
        self._told_at, self._refused = 0.0, ""

    def standing(self) -> tuple[bfd.Wanted, ...]:
        """Return the sessions of the configuration that is there; none if there is none."""
        try:
            return bird_conf.read(_read(self._configuration))
        except OSError:
            return ()

    async def configure(self, wanted: tuple[bfd.Wanted, ...]) -> str:
        """Have the engine run these sessions; return in words why not, or nothing.

        An engine that is away begins with them.
        """
        candidate = self._configuration.with_suffix(".new")
        try:
            _write(candidate, bird_conf.render(wanted))
            if refusal := await self._refusal(f'configure check "{candidate}"'):
                candidate.unlink()
                return f"BIRD refuses its configuration: {refusal}"
            candidate.replace(self._configuration)
        except OSError as error:
            return f"the configuration of the BFD engine cannot be written: {error}"
        self._refused = await self._refusal("configure")
        self._told_at = time.monotonic()
        return self._problem()

    async def look(
        self, clock: Callable[[], float], wanted: Iterable[bfd.Wanted] = ()
    ) -> bfd.Seen:
        """Return what the engine says, in times of our own clock, or why it is not known.

        Args:
            clock: ours.
            wanted: what it is configured with; one that it does not list is down.
        """
        try:
            rows = bird_answers.sessions(await self._ask("show bfd sessions"))
            is_any_down = any(each.state is not bfd.State.UP for each in rows)
            why = await self._ask("show bfd sessions all") if is_any_down else []
        except (FileNotFoundError, ConnectionRefusedError):
            return _unheard(f"nobody answers at {self._control} of the BFD engine; does it run?")
        except (OSError, ValueError, TimeoutError) as error:
            return _unheard(f"the BFD engine does not answer: {str(error) or 'it takes too long'}")
        # Both are read after the answers: a slow one would move every moment, as a loss does.
        ahead = clock() - time.time()
        told = bird_answers.diagnostics(why)
        found = {
            each.address: dataclasses.replace(
                self._by_our_clock(each, ahead), diagnostic=told.get(each.address)
            )
            for each in rows
        }
        unlisted = {each.address for each in wanted} - found.keys()
        if time.monotonic() < self._told_at + SOON:
            # It may list them yet; how often they were lost is kept for then.
            kept = {each: self._known[each] for each in unlisted if each in self._known}
            self._known = found | kept
            return bfd.Seen(problem=self._problem(), sessions=found)
        self._known = found | {each: self._unlisted(each, clock()) for each in unlisted}
        return bfd.Seen(problem=self._problem(), sessions=self._known)

    async def stop(self) -> None:
        """Have every session end at this end, without a word to the routers."""
        await self._refusal(f"disable {bird_conf.NAME_OF_PROTOCOL}")
        await self.close()

    async def close(self) -> None:
        """Ask nothing any more."""
        link, self._link = self._link, None
        if link is not None:
            link[1].close()
            with contextlib.suppress(OSError):
                await link[1].wait_closed()

    def _by_our_clock(self, row: bird_answers.Row, ahead: float) -> bfd.Session:
        """Return a session with its time as ours; one that is as before is the same again."""
        before, since = self._known.get(row.address), row.since + ahead
        is_as_before = (
            before is not None and before.state is row.state and abs(before.since - since) < SAME
        )
        if before is not None and is_as_before:
            since = before.since
        # Between two looks it may have gone down and come up again.
        is_lost = before is not None and before.state is bfd.State.UP and not is_as_before
        return bfd.Session(
            address=row.address,
            state=row.state,
            since=since,
            interval=row.interval,
            detect=row.detect,
            downs=(before.downs if before else 0) + is_lost,
        )

    def _unlisted(self, address: model.Address, now: float) -> bfd.Session:
        """Return a session that BIRD does not have, though it is configured with it."""
        before = self._known.get(address)
        if before is not None and not before.is_listed:
            return before
        is_lost = before is not None and before.state is bfd.State.UP
        return bfd.Session(
            address=address,
            state=bfd.State.DOWN,
            since=now,
            downs=(before.downs if before else 0) + is_lost,
            is_listed=False,
        )

    def _problem(self) -> str:
        """Return in words that BIRD goes on with another configuration than the file's."""
        if not self._refused:
            return ""
        return f"BIRD has not taken its configuration: {self._refused}"

    async def _refusal(self, command: str) -> str:
        """Return why the engine refuses a command; nothing if it does it, or is away."""
        try:
            return bird_answers.refusal(await self._ask(command))
        except (OSError, ValueError, TimeoutError):
            return ""

    async def _ask(self, command: str) -> list[str]:
        """Return the lines of an answer.

        Raises:
            OSError: the engine is away, or went away.
            TimeoutError: it does not answer.
            ValueError: what it says has no end.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                if self._link is None:
                    self._link = await asyncio.open_unix_connection(self._control, limit=LARGEST)
                    await _answer(self._link[0])
                    # It may have started before what is in the file now.
                    answer = await _say(self._link, "configure")
                    self._refused = bird_answers.refusal(answer)
                    self._told_at = time.monotonic()
                return await _say(self._link, command)
        except BaseException:
            # Half an answer would be taken for the next one.
            if self._link is not None:
                self._link[1].close()
            self._link = None
            raise


async def _say(link: Link, command: str) -> list[str]:
    link[1].write(f"{command}\n".encode())
    return await _answer(link[0])


async def _answer(reader: asyncio.StreamReader) -> list[str]:
    lines, size = list[str](), 0
    while not (lines and bird_answers.is_last(lines[-1])):
        line = await reader.readline()
        size += len(line)
        if not line.endswith(b"\n"):
            raise ConnectionResetError("it has closed the connection")
        if size > LARGEST:
            raise ValueError("its answer is too long")
        lines.append(line.decode("ascii", "replace").rstrip("\n"))
    return lines


def _unheard(problem: str) -> bfd.Seen:
    return bfd.Seen(problem=problem, is_heard=False)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        # There is no secret in it, and the engine may be another user.
        os.fchmod(descriptor, 0o644)
        file.write(text)


def _read(path: Path) -> str:
    """Return the text of a file of ours; nothing if something else is in its place."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return file.read(LARGEST).decode("ascii", "replace")
