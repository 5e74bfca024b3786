"""What ExaBGP answers to bytes that are no BGP message: the NOTIFICATION of RFC 4271 section 6.1.

A wrong marker, a length that cannot be, a type that there is not: ExaBGP means to tell the helper
first, by a call with one argument too many, and dies of it. The session closes without a word,
and there is a traceback in the log for each attempt. A message of type 0 ends the same way, at a
counter that there is not, and type 6 is one that only ExaBGP itself ever had.

Here nothing is told beforehand: the NOTIFICATION leaves, and the end of the session says which.

Replaced in ExaBGP 5.0.15: ``Processes.notification`` in ``reactor.api.processes``, which has no
other use; ``reactor.peer.Stats`` counts what it has no counter for; ``Message.CODE.MESSAGES``
without OPERATIONAL.
Noticed by: ``test_what_is_no_message_is_answered_by_the_right_notification``.
"""

from __future__ import annotations


def install() -> None:
    """Have this process's ExaBGP, which is not running yet, answer header errors."""
    from exabgp.bgp.message import Message  # noqa: PLC0415 - a new clock comes before ExaBGP
    from exabgp.reactor import peer  # noqa: PLC0415
    from exabgp.reactor.api import processes  # noqa: PLC0415

    if not callable(processes.Processes.notification):
        raise TypeError("exabgp.reactor.api.processes.Processes.notification is no function")
    processes.Processes.notification = lambda *_: None
    peer.Stats.__missing__ = lambda *_: 0
    Message.CODE.MESSAGES.remove(Message.CODE.OPERATIONAL)
