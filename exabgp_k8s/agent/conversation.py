"""What ExaBGP says and is told: one question at a time, and a limit for the answer.

This process may be there before ExaBGP is. Nothing is asked until ExaBGP has said its first word,
so that the time it takes to start is never taken for an answer that does not come.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from exabgp_k8s.adapters import speaker
from exabgp_k8s.core.facts import events
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.wire.dialogue import Dialogue


class Conversation:
    """The dialogue over ExaBGP's two pipes."""

    def __init__(self, pipes: speaker.Speaker) -> None:
        self._pipes, self._dialogue = pipes, Dialogue()
        self._is_begun = False

    @property
    def deadline(self) -> float | None:
        """When the answer under way is overdue; None while nothing was asked."""
        return self._dialogue.deadline

    @property
    def is_begun(self) -> bool:
        """Whether ExaBGP is there."""
        return self._is_begun

    def heard(self, data: bytes) -> tuple[events.Event, ...]:
        """Return what ExaBGP said with these bytes; its first word is an occasion for ours.

        Raises:
            DialogueError: it broke the rules.
        """
        found = self._dialogue.receive(data)
        if self._is_begun:
            return found
        self._is_begun = True
        return (*found, events.Tick())

    def tell(self, turn: Turn, now: float) -> None:
        """Tell ExaBGP the most urgent thing, unless an answer is under way."""
        if self._is_begun and turn.commands and self._dialogue.is_idle:
            self._pipes.write(self._dialogue.send(turn.commands[0], now))

    async def check_answer(self, now: float, is_all_heard: Callable[[], Awaitable[bool]]) -> None:
        """Give an answer up once all that ExaBGP has written was looked at, and not before.

        Where we were late ourselves, or ExaBGP had much to say, it may be there unread.

        Raises:
            Unanswered: it does not come any more.
        """
        if not self._dialogue.is_late(now) or not self._pipes.is_read():
            return
        # What the reader has passed on comes into the inbox when the loop gets its turn.
        if await is_all_heard():
            self._dialogue.give_up()
