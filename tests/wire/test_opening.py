"""OPENs in words, whatever a router writes into them."""

from __future__ import annotations

import struct

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s.core.facts import exchange
from exabgp_k8s.wire import opening
from tests.support import oddrouter
from tests.support.oddrouter import capability

HEADER = 19


def read(capabilities: bytes) -> exchange.Opening:
    found = opening.read(oddrouter.opening(capabilities)[HEADER:].hex())
    assert found is not None
    return found


def words(code: int, value: bytes) -> tuple[str, ...]:
    (found,) = read(capability(code, value)).capabilities
    return found.words


def test_an_opening_says_who_the_router_is() -> None:
    found = read(oddrouter.USUAL)

    assert (found.asn, found.hold_time, found.router_id) == (oddrouter.ASN, 9, "192.0.2.1")
    assert [(each.name, each.words) for each in found.capabilities] == [
        ("multiprotocol", ("ipv4 unicast", "ipv6 unicast")),
        ("route refresh", ()),
        ("4-octet AS", ("64513",)),
    ]


def test_the_number_of_four_octets_is_the_one_that_counts() -> None:
    assert read(capability(65, struct.pack("!I", 4200000001))).asn == 4200000001


@pytest.mark.parametrize(
    ("code", "value", "said"),
    [
        (5, b"\0\1\0\1\0\2", ("ipv4 unicast over ipv6",)),
        (9, b"\4", ("peer",)),
        (64, b"\xc0\x78\0\1\1\x80\0\2\1\0", (
            "120 s", "restarting", "also over a NOTIFICATION",
            "ipv4 unicast keeps forwarding", "ipv6 unicast does not keep forwarding",
        )),
        (69, b"\0\1\1\3", ("ipv4 unicast both",)),
        (71, b"\0\1\1\x80\0\x0e\x10", ("ipv4 unicast 3600 s",)),
        (73, b"\5tor-a\7example", ("tor-a.example",)),
        (75, b"\4FRR8", ("FRR8",)),
        (1, b"\0\x19\0\x46", ("l2vpn evpn",)),
        (1, b"\0\x63\0\x63", ("afi 99 safi 99",)),
    ],
)  # fmt: skip
def test_a_capability_in_words(code: int, value: bytes, said: tuple[str, ...]) -> None:
    assert words(code, value) == said


def test_a_capability_that_nobody_knows_keeps_its_number() -> None:
    assert [each.name for each in read(capability(222, b"x")).capabilities] == ["capability 222"]


def test_the_name_of_a_router_moves_no_cursor_and_has_an_end() -> None:
    (name,) = words(73, bytes((200,)) + b"\x1b[2J" + b"x" * 196)

    assert name.isprintable()
    assert len(name) <= opening.TEXT


def test_the_longer_form_of_an_opening_is_read_too() -> None:
    """RFC 9072: lengths of two octets."""
    content = capability(73, b"\5tor-a\0")
    parameter = b"\2" + struct.pack("!H", len(content)) + content
    fixed = struct.pack("!BHH4s", 4, 64513, 90, bytes((192, 0, 2, 1)))
    body = fixed + b"\xff\xff" + struct.pack("!H", len(parameter)) + parameter

    found = opening.read(body.hex())

    assert found is not None
    assert found.capabilities == (exchange.Capability(name="hostname", words=("tor-a",)),)


@pytest.mark.parametrize("told", ["", "00", "zz", "04fc"])
def test_what_is_no_opening_is_none(told: str) -> None:
    assert opening.read(told) is None


@hypothesis.given(st.binary(max_size=400))
def test_whatever_a_router_sends_is_read_and_is_text(body: bytes) -> None:
    found = opening.read((b"\4" + b"\0" * 8 + b"\xff" + body).hex())

    assert found is not None
    assert len(found.capabilities) <= opening.SHOWN
    for each in found.capabilities:
        assert len(each.words) <= opening.WORDS
        assert all(word.isprintable() and len(word) <= 140 for word in each.words)
