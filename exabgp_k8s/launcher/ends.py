"""Why an attempt failed or a session ended: told to the agent, each time and with its cause.

ExaBGP says nothing to its helper of an attempt that came to nothing, and of a connection that was
lost only "closing connection". It even takes a refused connection for an established one, because
the kernel tells the error of a socket once and ExaBGP asks twice. An attempt that cannot begin,
for want of a route or of our own address, is repeated ten times a second without an end.

Here an attempt ends with its first error or after 3.5 s, and every end is told as the event that
ExaBGP has for it, ``state`` ``down``, with a reason that names the error, the state of RFC 4271
section 8.2.2, and what the kernel dropped meanwhile because of a TCP MD5 signature. Where the AS
is wrong the reason names the one in the router's OPEN, and where no OPEN came, it says so.
``observe.disconnects`` puts it in words:

    lost ETIMEDOUT in IDLE [md5 TCPMD5NotFound]
    notification sent (2,2) peer-as 64513
    notification sent (1,1) no-open

Replaced in ExaBGP 5.0.15: ``reactor.network.outgoing.Outgoing.establish`` and
``reactor.peer.Peer._close``.
Noticed by: ``test_each_cause_of_no_connection_has_words_of_its_own`` and its neighbours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any

NETSTAT = "/proc/net/netstat"
"""The kernel's counters of this network namespace (proc_net(5))."""
MD5_COUNTERS = ("TCPMD5NotFound", "TCPMD5Unexpected", "TCPMD5Failure")
"""Segments without a signature, with one that nobody asked for, and with a wrong one.

They count what arrives here for any socket of the host. A router that drops *our* segments counts
them there, and all we see is silence.
"""
LIMIT = 3.5
"""Seconds for an attempt: a little more than the kernel looks for the router's link address."""
CLOSED = "FIN"
"""The cause where the router closed the connection in order."""
WAITED = b"waited for open too long"
"""What ExaBGP sends with the NOTIFICATION that ends this wait."""
LOST = "closing connection"
"""What ExaBGP calls every loss."""


def md5_counters(path: str = NETSTAT) -> Mapping[str, int]:
    """Return the kernel's counters of TCP MD5; empty where it has none."""
    try:
        with open(path, encoding="ascii") as file:
            rows = [line.split() for line in file if line.startswith("TcpExt:")]
    except OSError:
        return {}
    found = dict(zip(*rows[:2], strict=False)) if len(rows) > 1 else {}
    return {name: int(found[name]) for name in MD5_COUNTERS if name in found}


def establish(outgoing: Any) -> Iterator[bool]:
    """Connect once, in place of ``Outgoing.establish``: yield until it is done, or raise."""
    from exabgp.reactor.network import error  # noqa: PLC0415 - a new clock comes before ExaBGP

    before = md5_counters()
    problem: BaseException | None = outgoing._connect()  # noqa: SLF001
    if problem is not None:
        raise error.NotConnected(_cause(problem)) from problem
    poller, give_up_at = select.poll(), time.monotonic() + LIMIT
    poller.register(outgoing.io, select.POLLOUT)
    while not (is_ready := bool(poller.poll(0))) and time.monotonic() < give_up_at:
        yield False
    code = outgoing.io.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    code = code if is_ready else errno.ETIMEDOUT
    if code:
        outgoing.io.close()
        outgoing.io = None
        grown = [name for name, count in md5_counters().items() if count > before.get(name, count)]
        seen = f" [md5 {' '.join(grown)}]" if grown else ""
        raise error.NotConnected(_named(code) + seen)
    outgoing.success()
    yield True


def reason(message: str, problem: object, state: str, asn: int) -> str:
    """Return what to tell the agent about an end that ExaBGP describes so."""
    if message == LOST and isinstance(problem, BaseException):
        cause, _, seen = str(problem).partition(" ")
        if not seen.startswith("["):
            cause, seen = _cause(problem), ""
        return f"lost {cause} in {state} {seen}".strip()
    if message.endswith("(2,2)") and asn:
        return f"{message} peer-as {asn}"
    # ExaBGP calls a header that is wrong and an OPEN that it waited for in vain by the same code.
    if message.endswith("sent (1,1)") and WAITED in getattr(problem, "data", b""):
        return f"{message} no-open"
    return message


def _cause(problem: BaseException) -> str:
    """Return the name of the error at the bottom of an exception, or that there was none."""
    bottom = problem
    while (below := bottom.__cause__ or bottom.__context__) is not None:
        bottom = below
    if isinstance(bottom, OSError) and bottom.errno:
        return _named(bottom.errno)
    words = str(problem).split()
    return words[0] if len(words) == 1 else CLOSED


def _named(code: int) -> str:
    return errno.errorcode.get(code) or os.strerror(code).replace(" ", "_")


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, tell every end with its cause."""
    from exabgp.bgp import fsm  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.reactor import peer  # noqa: PLC0415
    from exabgp.reactor.api import processes  # noqa: PLC0415
    from exabgp.reactor.network import outgoing  # noqa: PLC0415

    close = peer.Peer._close  # noqa: SLF001

    def telling(one: Any, message: str = "", error: object = "") -> None:
        asn = int(one.proto.negotiated.peer_as) if one.proto else 0
        told = reason(message, error, one.fsm.name(), asn)
        # Of the others ExaBGP tells by itself.
        is_silent = one.fsm in (fsm.FSM.IDLE, fsm.FSM.ACTIVE)
        if is_silent and message == LOST:
            with contextlib.suppress(processes.ProcessError):
                one.reactor.processes.down(one.neighbor, told)
        close(one, told, error)

    peer.Peer._close = telling  # noqa: SLF001
    if not callable(outgoing.Outgoing.establish):
        raise TypeError("exabgp.reactor.network.outgoing.Outgoing.establish is no function")
    outgoing.Outgoing.establish = establish
