"""Commands as lines: the exact words, and no word that would be another command."""

from __future__ import annotations

import dataclasses
import ipaddress
import select

import hypothesis
import pytest

from exabgp_k8s.core.facts import commands, model
from exabgp_k8s.wire import commands as encoding
from tests.wire import routes

PEER = ipaddress.ip_address("192.0.2.1")
PLAIN = model.Route(
    peer=PEER,
    prefix=ipaddress.ip_network("10.96.0.0/16"),
    next_hop=ipaddress.ip_address("192.0.2.11"),
)
FULL = model.Route(
    peer=ipaddress.ip_address("2001:db8::1"),
    prefix=ipaddress.ip_network("fd00:96::/112"),
    next_hop=ipaddress.ip_address("2001:db8::11"),
    attributes=model.Attributes(
        communities=((65535, 0), (65535, 65281)),
        large_communities=((64512, 1, 2),),
        extended_communities=(0x0002FC0000000001,),
        med=0,
        local_pref=200,
        as_path=(64512, 64512),
    ),
)

# ExaBGP looks for each of these anywhere in a line: a line with one of them is that command.
HIJACKING = (
    "shutdown",
    "restart",
    "reload",
    "reset",
    "help",
    "version",
    "teardown",
    "crash",
    "enable-ack",
    "disable-ack",
    "silence-ack",
    "clear adj-rib",
    "graceful-shutdown",
    "watchdog",
    "operational",
    "#",
    ";",
)


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (
            commands.Announce(route=PLAIN),
            b"neighbor 192.0.2.1 announce route 10.96.0.0/16 next-hop 192.0.2.11\n",
        ),
        (
            commands.Withdraw(route=PLAIN),
            b"neighbor 192.0.2.1 withdraw route 10.96.0.0/16 next-hop 192.0.2.11\n",
        ),
        (
            commands.Announce(route=FULL),
            (
                b"neighbor 2001:db8::1 announce route fd00:96::/112 next-hop 2001:db8::11"
                b" as-path [ 64512 64512 ] med 0 local-preference 200"
                b" community [ 65535:0 65535:65281 ] large-community [ 64512:1:2 ]"
                b" extended-community [ 0x0002FC0000000001 ]\n"
            ),
        ),
        (commands.Flush(peer=PEER), b"neighbor 192.0.2.1 flush adj-rib out\n"),
        (
            commands.EndOfRib(peer=PEER, family=model.Family.IPV6),
            b"neighbor 192.0.2.1 announce eor ipv6 unicast\n",
        ),
        (commands.ShowNeighbors(), b"show neighbor json\n"),
        (commands.ShowRib(), b"show adj-rib out json\n"),
    ],
)
def test_line(command: commands.Command, line: bytes) -> None:
    assert encoding.encode(command) == line


@hypothesis.given(routes.every_command)
def test_a_command_is_exactly_one_line_of_printable_ascii(command: commands.Command) -> None:
    line = encoding.encode(command)

    assert line.endswith(b"\n")
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])
    assert line == line.strip() + b"\n"


@hypothesis.given(routes.every_command)
def test_no_command_holds_the_words_of_another(command: commands.Command) -> None:
    line = encoding.encode(command).decode()

    assert not [word for word in HIJACKING if word in line]
    is_query = isinstance(command, commands.ShowNeighbors | commands.ShowRib)
    assert ("json" in line) is is_query
    assert ("show " in line) is is_query
    assert ("flush adj-rib out" in line) is isinstance(command, commands.Flush)
    kind = command.changes[0] if isinstance(command, commands.Together) else command
    assert ("withdraw" in line) is isinstance(kind, commands.Withdraw)
    assert ("announce" in line) is isinstance(kind, commands.Announce | commands.EndOfRib)


@hypothesis.given(routes.routes())
def test_a_withdrawal_is_the_announcement_with_one_word_changed(route: model.Route) -> None:
    announced = encoding.encode(commands.Announce(route=route))

    assert encoding.encode(commands.Withdraw(route=route)) == announced.replace(
        b" announce ", b" withdraw "
    )


@hypothesis.given(routes.every_command)
def test_a_command_of_the_settings_fits_into_one_write(command: commands.Command) -> None:
    """A pipe takes PIPE_BUF bytes whole or not at all (POSIX, write)."""
    assert len(encoding.encode(command)) <= select.PIPE_BUF


def test_changes_told_together_are_one_line() -> None:
    routes = [
        dataclasses.replace(FULL, peer=ipaddress.ip_address(peer), prefix=prefix)
        for peer in ("192.0.2.1", "192.0.2.2")
        for prefix in (FULL.prefix, ipaddress.ip_network("fd00:1::/64"))
    ]
    changes = tuple(commands.Withdraw(route=route) for route in routes)
    alone = encoding.encode(changes[0]).decode()
    attributes = alone.partition(" next-hop ")[2].rstrip("\n")

    assert encoding.encode(commands.Together(changes=changes)).decode() == (
        "neighbor 192.0.2.1, neighbor 192.0.2.2 withdraw attributes "
        f"next-hop {attributes} nlri {FULL.prefix} fd00:1::/64\n"
    )
