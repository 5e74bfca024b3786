"""Whatever a kernel answers, reading it ends and raises nothing."""

from __future__ import annotations

import ipaddress

from hypothesis import example, given
from hypothesis import strategies as st

from exabgp_k8s.core.facts import model
from exabgp_k8s.wire import default_routes, neighbour_table, netlink

BY_ONE = bytes.fromhex(
    "34000000180002000100000000000000"  # RTM_NEWROUTE
    "02000000fe0300010000000008000f00fe000000"  # main table, /0; RTA_TABLE
    "08000500c00002010800040002000000"  # by 192.0.2.1, interface 2
)
ANSWER = (len(BY_ONE)).to_bytes(4, "little") + BY_ONE[4:]


def hops(answer: bytes) -> list[default_routes.Hop]:
    told = netlink.messages(answer)
    return [hop for kind, content in told for hop in default_routes.hops(kind, content)]


def test_a_default_route_is_read() -> None:
    (found,) = hops(ANSWER)

    assert found == default_routes.Hop(metric=0, link=2, gateway=ipaddress.ip_address("192.0.2.1"))


@given(st.binary(max_size=200))
@example(ANSWER[:-3])
def test_any_answer_is_read_to_its_end(answer: bytes) -> None:
    hops(answer)
    for kind in (neighbour_table.NEW_NEIGHBOUR, default_routes.NEW_ROUTE):
        list(default_routes.hops(kind, answer))
        neighbour_table.router(kind, answer)


@given(st.integers(0, len(ANSWER) - 1), st.integers(0, 255))
def test_a_damaged_route_is_another_one_or_none(place: int, value: int) -> None:
    damaged = bytearray(ANSWER)
    damaged[place] = value

    assert len(hops(bytes(damaged))) <= 1


def test_the_question_is_for_the_routes_of_one_family() -> None:
    four, six = (default_routes.question(family) for family in model.Family)

    assert (len(four), four[16], six[16]) == (28, 2, 10)


def neighbour(flags: int, state: int = 0x02, address: str = "fe80::1") -> bytes:
    fixed = neighbour_table.BODY.pack(10, 7, state, flags, 1)
    return fixed + netlink.ATTRIBUTE.pack(20, 1) + ipaddress.IPv6Address(address).packed


def test_a_router_on_a_link_is_read_and_nobody_else() -> None:
    kind = neighbour_table.NEW_NEIGHBOUR

    assert neighbour_table.router(kind, neighbour(0x80)) == (7, ipaddress.IPv6Address("fe80::1"))
    assert neighbour_table.router(kind, neighbour(0)) is None
    assert neighbour_table.router(kind, neighbour(0x80, state=0x20)) is None
    assert neighbour_table.router(kind, neighbour(0x80, address="2001:db8::1")) is None
