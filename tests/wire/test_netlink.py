"""Whatever a kernel answers, reading it ends and raises nothing."""

from __future__ import annotations

import ipaddress

from hypothesis import example, given
from hypothesis import strategies as st

from exabgp_k8s.core.facts import model
from exabgp_k8s.wire import netlink

BY_ONE = bytes.fromhex(
    "34000000180002000100000000000000"  # RTM_NEWROUTE
    "02000000fe0300010000000008000f00fe000000"  # main table, /0; RTA_TABLE
    "08000500c00002010800040002000000"  # by 192.0.2.1, interface 2
)
ANSWER = (len(BY_ONE)).to_bytes(4, "little") + BY_ONE[4:]


def test_a_default_route_is_read() -> None:
    (found,) = netlink.hops(ANSWER)

    assert found == netlink.Hop(metric=0, link=2, gateway=ipaddress.ip_address("192.0.2.1"))


@given(st.binary(max_size=200))
@example(ANSWER[:-3])
def test_any_answer_is_read_to_its_end(answer: bytes) -> None:
    list(netlink.hops(answer))
    netlink.is_last(answer)
    netlink.is_refused(answer)


@given(st.integers(0, len(ANSWER) - 1), st.integers(0, 255))
def test_a_damaged_route_is_another_one_or_none(place: int, value: int) -> None:
    damaged = bytearray(ANSWER)
    damaged[place] = value

    assert len(list(netlink.hops(bytes(damaged)))) <= 1


def test_the_question_is_for_the_routes_of_one_family() -> None:
    four, six = (netlink.request(family) for family in model.Family)

    assert (len(four), four[16], six[16]) == (28, 2, 10)
