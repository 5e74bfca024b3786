"""How ExaBGP carries out a command: to its end, before anything is sent.

ExaBGP takes a command in steps, one for each prefix and peer, and 50 of them in a turn. A command
of 50 prefixes is then half done when the sessions have their turn: its first UPDATEs, and their
echoes, leave before its ``done``. The agent takes an UPDATE for the acknowledgement of a change
only after that was stored, because one that comes earlier may carry what stood there before; so
it never saw such a command acknowledged, and a node with 50 prefixes did not come back.

Here a command is carried out in one go: ``done`` stands before all of its UPDATEs again. 130
prefixes at two peers are some milliseconds.

It also makes an event loop for each turn with a command, with a selector, a pair of sockets and
handlers of signals, to step through what is an ordinary generator: most of the time between the
command and the UPDATE. There is none here.

Replaced in ExaBGP 5.0.15: ``reactor.asynchronous.ASYNC.run``; every callback is a generator.
Noticed by: ``test_done_comes_before_every_update_of_a_long_command``.
"""

from __future__ import annotations

from typing import Any


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, take commands in one go."""
    from exabgp.reactor import asynchronous  # noqa: PLC0415 - a new clock comes before ExaBGP

    if not callable(asynchronous.ASYNC.run):
        raise TypeError("exabgp.reactor.asynchronous.ASYNC.run is no function")
    asynchronous.ASYNC.run = _run


def _run(scheduled: Any) -> bool:
    """Carry out everything that is scheduled; return whether something is left, which is not."""
    from exabgp.logger import log  # noqa: PLC0415 - as above

    while scheduled._async:  # noqa: SLF001
        uid, steps = scheduled._async.popleft()  # noqa: SLF001
        try:
            for _ in steps:
                pass
        except Exception as error:  # noqa: BLE001 - whatever it was, the agent gets its answer
            said = f"async | {uid} | {error!r}"
            log.error(lambda said=said: said, "reactor")
            scheduled._notify_error(uid)  # noqa: SLF001
    return False
