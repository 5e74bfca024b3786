"""How ExaBGP comes to another configuration: by one that it has been seen to read.

A configuration that ExaBGP cannot read makes it refuse every later one, and end at its next start.
So each had to be read by an ``exabgp validate`` first: a whole interpreter, and for long the
largest part of the time from the start of a node to its first route.

Here ExaBGP looks for a candidate whenever it reads its configuration, also at its start, and has a
child of its own read it, which is loaded already and ends with the answer: some milliseconds. What
can be read takes the place of the configuration in force before that is read. What cannot changes
nothing, and the reason is left for the agent (``candidate``).

Replaced in ExaBGP 5.0.15: ``reactor.loop.Reactor.reload`` is wrapped.
Noticed by: ``test_a_candidate_is_taken_at_the_start_and_by_a_reload`` and
``test_a_candidate_that_cannot_be_read_changes_nothing_and_says_why``.
"""

from __future__ import annotations

import os
import select
import signal
from typing import Any

from exabgp_k8s import candidate

LIMIT = 2_000
"""Milliseconds for the child, in which ExaBGP stands still; a hundred neighbors take 20. The
shortest hold time that BGP knows is 3 s."""
LONGEST = 4096
"""Bytes of a reason: what the pipe takes at once."""
READ = b"\n"
"""The answer of a child that could read the candidate; a reason is never that."""


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, look for candidates."""
    from exabgp.reactor import loop  # noqa: PLC0415 - a new clock comes before ExaBGP

    reload = loop.Reactor.reload

    def looking(reactor: Any) -> bool:
        _look(reactor.configuration._configurations[0])  # noqa: SLF001
        is_read: bool = reload(reactor)
        return is_read

    loop.Reactor.reload = looking


def _look(path: str) -> None:
    if not candidate.is_waiting(path):
        return
    try:
        why = _tried(candidate.waiting(path))
        if why is None:
            candidate.take(path)
        else:
            candidate.refuse(path, why)
    except OSError as error:
        from exabgp.logger import log  # noqa: PLC0415 - as above

        said = f"the new configuration is left where it is: {error}"
        log.error(lambda: said, "configuration")


def _tried(path: str) -> str | None:
    """Return why a child of this process cannot read a configuration; None: it can."""
    answer, told = os.pipe()
    child = os.fork()
    if not child:
        _try(path, told)
    os.close(told)
    try:
        poller = select.poll()
        poller.register(answer, select.POLLIN)
        said = os.read(answer, LONGEST) if poller.poll(LIMIT) else b"to read it takes too long"
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(answer)
    return None if said == READ else said.decode("utf-8", "replace") or "it could not be read"


def _try(path: str, told: int) -> None:
    """Read a configuration, say what came of it, and end: nothing of this process goes on."""
    try:
        from exabgp.configuration.configuration import Configuration  # noqa: PLC0415 - as above

        found = Configuration([path])
        said = READ if found.reload() else str(found.error).strip().encode()[:LONGEST]
        os.write(told, said)
    finally:
        os._exit(0)
