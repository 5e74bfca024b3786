"""When ExaBGP tells the agent what it did: after the routers, and all of it at once.

ExaBGP writes each line into the agent's pipe when it comes to it: ``done`` before the sessions
have their turn, and the echo of an UPDATE before that UPDATE. Each line wakes the agent, which
then has the processor that ExaBGP wants for the routers; and an agent that does not read keeps a
withdrawal from all of them. One that has just ended, and was not replaced yet, ends ExaBGP by its
closed pipe, and every session with it, if there is more to tell than a buffer holds.

Here the lines wait, in their order, until ExaBGP would wait itself, or for one turn of the
sessions where it does not; then they are written in one go. So an echo says that its UPDATE has
left, and is put into words after that. What was meant for an agent that is gone is told to nobody:
its successor reads the tables, and ExaBGP notices its end where it reads its commands.

ExaBGP's last line, that it shuts down, is not told any more; the end of the pipe says it.

Replaced in ExaBGP 5.0.15: ``reactor.api.processes.Processes.write`` and
``reactor.protocol.Protocol.send``; ``reactor.loop.Reactor._wait_for_io`` is wrapped.
Noticed by: ``test_a_router_is_told_before_the_agent``,
``test_an_agent_that_reads_no_more_ends_no_session`` and
``test_done_comes_before_every_update_of_a_long_command``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

KIND = 18
"""Where the type stands in a message (RFC 4271 section 4.1)."""


class Held:
    """The lines that wait, and for whom."""

    def __init__(self) -> None:
        self._lines: list[tuple[Any, str] | Callable[[], None]] = []
        self._has_waited = False

    def write(self, processes: Any, name: str, line: str | None) -> bool:
        """Take a line for the agent, in place of ``Processes.write``."""
        agent = processes._process.get(name)  # noqa: SLF001
        if line is not None and agent is not None:
            self._lines.append((agent, line))
        return True

    def send(self, session: Any, raw: bytes) -> Iterator[bool]:
        """Send a message and have it echoed, in place of ``Protocol.send``."""
        from exabgp.bgp.message import Message  # noqa: PLC0415 - a new clock comes before ExaBGP

        code = f"send-{Message.CODE.short(raw[KIND])}"
        session.peer.stats[code] += 1
        yield from session.connection.writer(raw)
        if session.neighbor.api.get(code, False):
            self._lines.append(lambda: _echo(session, raw))

    def turn(self, processes: Any, *, is_idle: bool) -> None:
        """Write what waits, where ExaBGP has nothing else to do or it has waited for a turn."""
        if is_idle or self._has_waited:
            self._flush(processes)
        self._has_waited = bool(self._lines)

    def _flush(self, processes: Any) -> None:
        waiting, self._lines = self._lines, []
        for each in waiting:
            if callable(each):
                # What it says comes back through write(), and so into its place.
                each()
            else:
                self._lines.append(each)
        lines, self._lines = self._lines, []
        for agent in processes._process.values():  # noqa: SLF001
            text = "".join(f"{line}\n" for whom, line in lines if whom is agent)  # type: ignore[misc]
            # An agent that is gone is noticed, and replaced, by its other pipe.
            with contextlib.suppress(OSError):
                agent.stdin.write(text.encode("ascii", "backslashreplace"))
                agent.stdin.flush()


def _echo(session: Any, raw: bytes) -> None:
    from exabgp.bgp.message import Update  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.bgp.message.direction import Direction  # noqa: PLC0415

    message = Update.unpack_message(raw[KIND + 1 :], Direction.OUT, session.negotiated)
    session._to_api("send", message, raw)  # noqa: SLF001 - the one way from here to write()


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, tell the routers first."""
    from exabgp.reactor import loop, protocol  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.reactor.api import processes  # noqa: PLC0415

    held, wait = Held(), loop.Reactor._wait_for_io  # noqa: SLF001

    def write(agents: Any, name: str, line: str | None, _: Any = None) -> bool:
        return held.write(agents, name, line)

    def send(session: Any, raw: bytes) -> Iterator[bool]:
        return held.send(session, raw)

    def waiting(reactor: Any, milliseconds: int) -> Iterator[int]:
        held.turn(reactor.processes, is_idle=milliseconds > 0)
        found: Iterator[int] = wait(reactor, milliseconds)
        return found

    for owner, name in ((processes.Processes, "write"), (protocol.Protocol, "send")):
        if not callable(getattr(owner, name)):
            raise TypeError(f"{owner} has no function {name}")
    processes.Processes.write, protocol.Protocol.send = write, send
    loop.Reactor._wait_for_io = waiting  # noqa: SLF001
