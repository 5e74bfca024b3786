"""The conversation over ExaBGP's pipe: one question at a time, answers paired by order.

ExaBGP's answers carry no number and may overtake each other, so at most one command is under
way. Anything out of turn, or an answer that does not come, means that the two sides no longer
know of each other what was said. That is not repaired: the agent ends, ExaBGP starts a new one,
and that one reads the truth from ExaBGP's own tables.
"""

from __future__ import annotations

from typing import NoReturn

from exabgp_k8s.core.facts import commands, events, model
from exabgp_k8s.errors import DialogueError, Unanswered
from exabgp_k8s.wire import commands as encoding
from exabgp_k8s.wire import replies

ANSWER_LIMIT = 5.0
"""Seconds for an answer; 1 to 6 ms were measured, and more only while a peer's socket is full."""

LINE_LIMIT = 4 * 1024 * 1024
"""Bytes without a newline that no honest line of ExaBGP reaches."""


class Dialogue:
    """One side of the conversation, without the pipe."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._asked: commands.Command | None = None
        self._asked_at = 0.0
        self._routes: list[model.Route] = []
        self._table: tuple[events.NeighborRow, ...] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether the next command may be sent."""
        return self._asked is None

    @property
    def deadline(self) -> float | None:
        """When the answer under way is overdue; None while nothing was asked."""
        return None if self._asked is None else self._asked_at + ANSWER_LIMIT

    def send(self, command: commands.Command, now: float) -> bytes:
        """Return the bytes of a command.

        Raises:
            DialogueError: another command is under way.
        """
        if self._asked is not None:
            raise DialogueError(f"{command} was sent before the answer to {self._asked}")
        self._asked, self._asked_at = command, now
        self._routes, self._table = [], None
        return encoding.encode(command)

    def receive(self, data: bytes) -> tuple[events.Event, ...]:
        """Return the events that complete with these bytes, however they are cut.

        Raises:
            DialogueError: an answer without a question, a refused query, an endless line.
        """
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = rest
        if len(rest) > LINE_LIMIT:
            raise DialogueError(f"a line of more than {LINE_LIMIT} bytes")
        found = (self._line(bytes(line)) for line in lines)
        return tuple(event for event in found if event is not None)

    def is_late(self, now: float) -> bool:
        """Return whether the answer under way is overdue."""
        return self.deadline is not None and now >= self.deadline

    def give_up(self) -> NoReturn:
        """Say that the answer under way does not come any more.

        Raises:
            Unanswered: always.
        """
        raise Unanswered(f"no answer to {self._asked} within {ANSWER_LIMIT:g} s")

    def _line(self, line: bytes) -> events.Event | None:
        match replies.parse(line):
            case replies.Happened(event=event):
                return event
            case replies.RibRow(route=route):
                self._routes.append(route)
            case replies.NeighborTable(rows=rows):
                self._table = rows
            case replies.Done():
                return self._done()
            case replies.Failed():
                return self._failed()
            case replies.Noise():
                pass
        return None

    def _done(self) -> events.Event:
        match self._answered():
            case commands.ShowRib():
                return events.RibRead(routes=tuple(self._routes))
            case commands.ShowNeighbors():
                if self._table is None:
                    raise DialogueError("the table of neighbors could not be read")
                return events.NeighborsRead(rows=self._table)
            case command:
                return events.CommandDone(command=command)

    def _failed(self) -> events.Event:
        command = self._answered()
        if isinstance(command, commands.ShowRib | commands.ShowNeighbors):
            raise DialogueError(f"{command} was refused")
        return events.CommandFailed(command=command, problem="error")

    def _answered(self) -> commands.Command:
        command, self._asked = self._asked, None
        if command is None:
            raise DialogueError("an answer came to a question nobody asked")
        return command
