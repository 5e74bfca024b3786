"""BIRD's configuration for BFD: what is in it, and what we read back of it."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core.facts import bfd
from exabgp_k8s.wire import bird_conf

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?", fullmatch=True)
LINKS = st.from_regex(r"[A-Za-z0-9_][-A-Za-z0-9_.]{0,14}", fullmatch=True).filter(str.isascii)
ON_LINK = st.builds(
    lambda number, link: ipaddress.IPv6Address(f"{ipaddress.IPv6Address(number)}%{link}"),
    st.integers(int(ipaddress.IPv6Address("fe80::1")), int(ipaddress.IPv6Address("fe80::ffff"))),
    LINKS,
)
TIMINGS = st.builds(bfd.Timing, interval=st.integers(50, 60_000), multiplier=st.integers(2, 50))


def wanted(
    name: str = "tor",
    address: str = "192.0.2.1",
    local: str = "192.0.2.11",
    timing: bfd.Timing | None = None,
) -> bfd.Wanted:
    return bfd.Wanted(
        name=name,
        address=ipaddress.ip_address(address),
        local=ipaddress.ip_address(local),
        timing=timing or bfd.Timing(),
    )


ALL_KINDS = (
    wanted("tor-a"),
    wanted("tor-b", "192.0.2.2", timing=bfd.Timing(interval=50, multiplier=50)),
    wanted("six", "2001:db8::1", "2001:db8::11", timing=bfd.Timing(interval=60_000)),
    wanted("link/fe80::1%eth1.100", "fe80::1%eth1.100", "fe80::2%eth1.100"),
    wanted("far", "198.51.100.1", timing=bfd.Timing(is_multihop=True)),
    wanted("far6", "2001:db8:1::1", "2001:db8::11", bfd.Timing(is_multihop=True, multiplier=2)),
)


def test_there_is_nothing_in_it_that_could_have_a_route() -> None:
    """Neither a kernel's table nor BGP: what has no such protocol touches no route."""
    words = [
        line.split()[1]
        for line in bird_conf.render(ALL_KINDS).splitlines()
        if line.startswith("protocol")
    ]

    assert words == ["device", "bfd"]


def test_a_session_more_changes_no_line_that_ends_the_others() -> None:
    """BIRD starts the protocol anew when one of its own options is another."""
    few, many = bird_conf.render(ALL_KINDS[:1]), bird_conf.render(ALL_KINDS)

    assert few.startswith(bird_conf.HEAD)
    assert many.startswith(bird_conf.HEAD)


def test_the_fastest_interval_and_the_most_patient_multiplier_are_for_all_of_a_kind() -> None:
    text = bird_conf.render(
        (
            wanted("a", "192.0.2.1", timing=bfd.Timing(interval=300, multiplier=3)),
            wanted("b", "192.0.2.2", timing=bfd.Timing(interval=1000, multiplier=5)),
            wanted("c", "192.0.2.3", timing=bfd.Timing(interval=100, is_multihop=True)),
        )
    )

    assert '  interface "*" { interval 300 ms; multiplier 5; };\n' in text
    assert "  multihop { interval 100 ms; multiplier 3; };\n" in text


def test_a_link_whose_name_means_something_to_bird_has_no_session() -> None:
    odd = wanted(address='fe80::1%a";b', local='fe80::2%a";b')

    assert bird_conf.render((odd,)) == bird_conf.render(())


def test_a_name_that_is_none_stays_out() -> None:
    text = bird_conf.render((wanted("a\n}; protocol kernel {"),))

    assert "kernel" not in text


@given(
    st.lists(
        st.builds(
            bfd.Wanted,
            name=NAMES,
            address=st.ip_addresses(v=4),
            local=st.ip_addresses(v=4),
            timing=TIMINGS,
        )
        | st.builds(
            bfd.Wanted,
            name=NAMES,
            address=ON_LINK,
            local=st.just(ipaddress.ip_address("fe80::9")),
            timing=TIMINGS,
        ),
        max_size=5,
    )
)
def test_what_was_written_is_read_back(found: list[bfd.Wanted]) -> None:
    again = bird_conf.read(bird_conf.render(found))

    assert {(each.name, each.address, each.timing) for each in again} == {
        (each.name, each.address, each.timing) for each in found
    }


@given(st.text())
def test_any_other_text_is_no_session(text: str) -> None:
    bird_conf.read(text)


def test_a_line_that_is_nearly_one_is_none() -> None:
    text = bird_conf.render(ALL_KINDS[:1]).replace("192.0.2.1 ", "192.0.2.300 ")

    assert bird_conf.read(text) == ()
