"""The packet that ends a session of BFD on purpose, byte by byte as in RFC 5880 section 4.1."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core.facts import bfd
from exabgp_k8s.wire import bfd_packet

SENT = bytes.fromhex("20 c0 03 18  11223344 aabbccdd  000493e0 000493e0 00000000")
"""Up, 300 ms x 3."""
US, ROUTER = ipaddress.ip_address("192.0.2.11").packed, ipaddress.ip_address("192.0.2.1").packed
US6, ROUTER6 = (ipaddress.ip_address(f"2001:db8::{each}").packed for each in (11, 1))


def udp(port: int = bfd_packet.PORT, payload: bytes = SENT) -> bytes:
    return (50000).to_bytes(2, "big") + port.to_bytes(2, "big") + bytes(4) + payload


def ip4(datagram: bytes, options: bytes = b"") -> bytes:
    head = bytes([0x45 + len(options) // 4]) + bytes(8) + b"\x11" + bytes(2)
    return head + US + ROUTER + options + datagram


def ip6(datagram: bytes) -> bytes:
    return bytes([0x60]) + bytes(5) + b"\x11\xff" + US6 + ROUTER6 + datagram


def test_the_session_is_the_same_and_its_state_is_admin_down() -> None:
    packet = bfd_packet.admin_down(SENT)

    version, diagnostic = packet[0] >> 5, packet[0] & 0x1F
    assert (version, bfd.in_words(diagnostic)) == (1, "administratively down")
    assert packet[1] == 0, "AdminDown, and no flag"
    assert packet[3] == len(packet) == bfd_packet.LENGTH
    assert (packet[2], packet[4:12]) == (SENT[2], SENT[4:12])


@pytest.mark.parametrize(
    ("packet", "ends"),
    [
        (ip4(udp()), (US, ROUTER)),
        (ip4(udp(bfd_packet.PORT_BEYOND)), (US, ROUTER)),
        (ip4(udp(), options=bytes(8)), (US, ROUTER)),
        (ip6(udp()), (US6, ROUTER6)),
    ],
)
def test_bfd_is_found_among_what_is_sent(packet: bytes, ends: tuple[bytes, bytes]) -> None:
    assert bfd_packet.find(packet) == (*ends, SENT)


@pytest.mark.parametrize("packet", [ip4(udp(53)), ip4(udp(payload=SENT[:-1])), ip4(b""), ip6(b"")])
def test_what_is_no_bfd_is_none(packet: bytes) -> None:
    assert bfd_packet.find(packet) is None


@given(st.binary(max_size=128))
def test_nothing_that_is_heard_is_an_error(packet: bytes) -> None:
    bfd_packet.find(packet)
