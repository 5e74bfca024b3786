"""What ExaBGP says and is told: one question at a time, and a limit for the answer."""

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

    @property
    def deadline(self) -> float | None:
        """When the answer under way is overdue; None while nothing was asked."""
        return self._dialogue.deadline

    def heard(self, data: bytes) -> tuple[events.Event, ...]:
        """Return what ExaBGP said with these bytes.

        Raises:
            DialogueError: it broke the rules.
        """
        return self._dialogue.receive(data)

    def tell(self, turn: Turn, now: float) -> None:
        """Tell ExaBGP the most urgent thing, unless an answer is under way."""
        if turn.commands and self._dialogue.is_idle:
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
