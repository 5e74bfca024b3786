"""``--watch``: the same answer again whenever it is another one, until Ctrl-C.

A heartbeat changes an object and no answer, and that an agent fell silent changes an answer and no
object. So what counts is the answer: it is made anew after each change, and now and then without.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import click
import structlog

from exabgp_k8s.adapters.kube import client, cluster
from exabgp_k8s.cluster import glance, heard
from exabgp_k8s.core.facts import printable

GATHER = 0.3
"""Seconds in which what changes together becomes one answer."""
LOOK = 15.0
"""Seconds after which it is made anew although nothing changed."""
INTERRUPTED = 130
"""What a shell returns for a command that ended by Ctrl-C."""


def follow(
    how: client.Access, selector: str, node: str, say: Callable[[glance.Glance], None]
) -> None:
    """Call ``say`` with what there is, again and again; ends with the process.

    Args:
        how: how to reach the API server.
        selector: only Nodes with these labels; empty: all.
        node: only this one; empty: all.
        say: shows it, if it is another answer.
    """
    # Without it the first line of a log would stand on standard output, among the answers.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    changed = threading.Event()
    found = cluster.Sources(how, changed.set, selector=selector, node=node)
    judged = heard.Judged()
    found.start()
    problem = ""
    try:
        while True:
            changed.wait(LOOK)
            time.sleep(GATHER)
            changed.clear()
            if found.problem != problem:
                problem = found.problem
                click.echo(printable.lines(problem or "The API server is heard again"), err=True)
            if found.are_read:
                members, said = found.members.values(), found.speakers.values()
                at = judged.at(time.time(), found.heard)
                say(glance.take(members.values(), said.values(), at, is_selected=bool(selector)))
    except KeyboardInterrupt:
        found.stop()
        sys.exit(INTERRUPTED)
