"""The router of ``try``: a second ExaBGP that listens, and the table of what it hears.

ExaBGP runs this module as its process-API helper. Standard output is ExaBGP's command pipe, so
nothing is ever written there: the table leaves by a unix socket, whole, each time it changes.
The moment that goes with it is read from the monotonic clock, which is one clock for all
processes of a machine. Standard library only, to hear soon and to cost little.
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOCKET = "EXABGP_K8S_TRY_ROUTER"
"""The environment variable with the path of the socket; it needs no quoting in exabgp.conf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the router has from the node: prefix to next hop; nothing without a session."""

    is_up: bool = False
    routes: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The table as it was from this moment on, in seconds on the monotonic clock."""

    at: float
    table: Table

    def encode(self) -> bytes:
        """Return one line."""
        return json.dumps(dataclasses.asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> Report:
        """Return what ``encode`` was given."""
        value = json.loads(line)
        return cls(at=value["at"], table=Table(**value["table"]))


def learn(table: Table, message: Mapping[str, Any]) -> Table:
    """Return the table after one message of ExaBGP's API (JSON, ``parsed``)."""
    match message:
        case {"type": "state", "neighbor": {"state": "up"}}:
            return dataclasses.replace(table, is_up=True)
        case {"type": "state", "neighbor": {"state": "down"}}:
            # Without graceful restart the routes go with the session (RFC 4271 section 8.2.2).
            return Table()
        case {"type": "update", "neighbor": {"message": {"update": update}}}:
            return dataclasses.replace(table, routes=_updated(table.routes, update))
        case _:
            return table


def _updated(routes: Mapping[str, str], update: Mapping[str, Any]) -> Mapping[str, str]:
    gone = {each["nlri"] for nlris in update.get("withdraw", {}).values() for each in nlris}
    kept = {prefix: hop for prefix, hop in routes.items() if prefix not in gone}
    return kept | {
        each["nlri"]: hop
        for by_next_hop in update.get("announce", {}).values()
        for hop, nlris in by_next_hop.items()
        for each in nlris
    }


def command(path: Path) -> tuple[str, ...]:
    """Return the command that runs it: ExaBGP as it is, for our launcher's does not receive."""
    return (sys.executable, "-m", "exabgp", "server", str(path))


def configuration(*, address: str, port: int, asn: int, node: str, node_asn: int) -> str:
    """Return the exabgp.conf of a router that waits for the node to connect."""
    return f"""process table {{
  run {sys.executable} -m {__name__};
  encoder json;
}}
neighbor {node} {{
  local-address {address};
  local-as {asn};
  peer-as {node_asn};
  router-id {address};
  passive true;
  listen {port};
  family {{ ipv4 unicast; ipv6 unicast; }}
  api {{ processes [ table ]; neighbor-changes; receive {{ parsed; update; }} }}
}}
"""


def main() -> None:
    """Read ExaBGP's messages until it ends, and report every change of the table."""
    table = Table()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.connect(os.environ[SOCKET])
        for line in sys.stdin.buffer:
            at = time.monotonic()
            before, table = table, learn(table, json.loads(line))
            if table != before:
                listener.sendall(Report(at=at, table=table).encode())


if __name__ == "__main__":
    main()
