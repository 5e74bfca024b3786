"""How many clients may be connected at a time, and who makes room for whom.

Anybody who reaches the node may connect, and each connection costs a descriptor that the routes
may need. To refuse newcomers when all places are taken would let whoever came first keep out
kubelet's probe and Prometheus; so a newcomer is let in, and the place is taken from the client
that holds most of them, its oldest connection first. One that speaks at once is answered before
its turn comes.
"""

from __future__ import annotations

import asyncio
import collections
import ipaddress
from dataclasses import dataclass, field

IPV6_CLIENT = 64
"""Length of the prefix that one client has to itself: it may use every address of it."""


@dataclass(slots=True, kw_only=True, eq=False)
class Connection:
    """One open connection, and the task that serves it."""

    client: str
    task: asyncio.Task[None] = field(init=False)
    is_answering: bool = False
    """The whole request is there, and the answer is being made: a drain may take minutes."""
    holds: int = 0
    """Bytes of an answer that the client has not taken yet."""


class Connections:
    """The open connections of one server.

    Args:
        most: so many at a time.
        most_of_one: so many of one client.
        most_held: bytes of answers that wait for their clients to read them.
    """

    def __init__(self, most: int, most_of_one: int, most_held: int) -> None:
        self._most, self._most_of_one, self._most_held = most, most_of_one, most_held
        self._open: list[Connection] = []

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, newcomer: Connection) -> bool:
        """Let a connection in, and drop another for it where there is no place.

        Returns:
            False where nobody can make room: all are being answered.
        """
        count = collections.Counter(each.client for each in self._open)
        if count[newcomer.client] >= self._most_of_one:
            has_room = self._drop_oldest(newcomer.client)
        elif len(self._open) >= self._most:
            (greediest, _), *_ = count.most_common(1)
            has_room = self._drop_oldest(greediest) or self._drop_oldest(None)
        else:
            has_room = True
        if has_room:
            self._open.append(newcomer)
        return has_room

    def hold(self, connection: Connection, size: int) -> None:
        """Note that an answer waits for its client; the oldest ones go if they are too much."""
        connection.is_answering, connection.holds = False, size
        while sum(each.holds for each in self._open) > self._most_held:
            oldest = next(each for each in self._open if each.holds)
            if oldest is connection:
                return
            self._drop(oldest)

    def leave(self, connection: Connection) -> None:
        """Forget a connection that ended."""
        if connection in self._open:
            self._open.remove(connection)

    def _drop_oldest(self, client: str | None) -> bool:
        for each in self._open:
            if not each.is_answering and client in (None, each.client):
                self._drop(each)
                return True
        return False

    def _drop(self, connection: Connection) -> None:
        self._open.remove(connection)
        connection.task.cancel()


def client_of(address: object) -> str:
    """Return who a connection counts for; on a unix socket there is one client only."""
    if not isinstance(address, tuple):
        return ""
    found = ipaddress.ip_address(str(address[0]).partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, IPV6_CLIENT), strict=False))
    return str(found)
