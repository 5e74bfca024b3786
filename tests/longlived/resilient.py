"""Resilient hashing on a Linux router whose BGP daemon does not know of it.

With the usual hashing each next hop of a group has a range of hash values, and when one leaves or
joins all ranges are cut anew: connections of the others move too. A resilient group has buckets
instead; only those of a next hop that leaves are given to others, and one that joins gets buckets
that were idle for ``idle_timer`` seconds. BIRD 2.0 and FRR 8.4 install plain groups for what BGP
brings. This follows the route that they keep in the main table with a group of its own:

    python tests/longlived/resilient.py 10.96.0.0/16

The group is in a table of its own, reached by a rule: a better route in the main table would make
FRR's zebra take its own one out. The group's number never changes, or its buckets would be new.
When the daemon has no route left, neither has the table, and the main table decides.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import socket
import subprocess
from collections.abc import Mapping

TABLE = 96
PREFERENCE = 100
GROUP = 0x600000
"""Far from the numbers that zebra gives to next hops of its own, from 1 on."""
BUCKETS = 128
IDLE_TIMER = 2
"""Seconds: longer than a connection that is to be kept is ever silent."""

RTMGRP_IPV4_ROUTE = 0x40
"""Multicast group of rtnetlink(7): every change of an IPv4 route."""

Members = Mapping[str, str]
"""The interface of each next hop, by its address."""


def follow(prefix: str, *, buckets: int, idle_timer: int) -> None:
    """Keep the group like the route in the main table, for ever."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as changes:
        changes.bind((0, RTMGRP_IPV4_ROUTE))
        _ip(f"rule add pref {PREFERENCE} to {prefix} lookup {TABLE}")
        installed: Members = {}
        while True:
            wanted = members(prefix, "main")
            if wanted != installed:
                group = f"type resilient buckets {buckets} idle_timer {idle_timer}"
                _ip(*(_commands(prefix, wanted, group) if wanted else _removal(prefix)))
                installed = wanted
            changes.recv(65536)


def members(prefix: str, table: str) -> Members:
    """Return the next hops of a route."""
    argv = ["ip", "-j", "route", "show", "table", table, "exact", prefix]
    # A table without any route does not exist, which is an error.
    answer = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    return {
        hop["gateway"]: hop["dev"]
        for route in json.loads(answer or "[]")
        for hop in route.get("nexthops", [route])
    }


def number(address: str) -> int:
    """Return the number of the next hop with this address: always the same, and not the group's.

    The kernel's numbers have 32 bits; 22 of the address are enough to tell neighbors apart.
    """
    return GROUP + 1 + (int(ipaddress.IPv4Address(address)) & 0x3FFFFF)


def _commands(prefix: str, wanted: Members, group: str) -> list[str]:
    hops = "/".join(str(number(address)) for address in sorted(wanted))
    return [
        *(
            f"nexthop replace id {number(address)} via {address} dev {interface}"
            for address, interface in wanted.items()
        ),
        f"nexthop replace id {GROUP} group {hops} {group}",
        f"route replace {prefix} nhid {GROUP} table {TABLE}",
    ]


def _removal(prefix: str) -> list[str]:
    return [f"route del {prefix} table {TABLE}", f"nexthop del id {GROUP}"]


def _ip(*lines: str) -> None:
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("prefix", help="the service range, as the routers have it")
    parser.add_argument("--buckets", type=int, default=BUCKETS)
    parser.add_argument("--idle-timer", type=int, default=IDLE_TIMER, metavar="SECONDS")
    options = parser.parse_args()
    follow(options.prefix, buckets=options.buckets, idle_timer=options.idle_timer)
