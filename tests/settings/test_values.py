"""Single values: addresses, prefixes, communities, names."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core.facts import extended, model
from exabgp_k8s.settings import addresses, values

SHORT = st.integers(min_value=0, max_value=0xFFFF)
LONG = st.integers(min_value=0, max_value=0xFFFF_FFFF)


@given(st.tuples(SHORT, SHORT))
def test_a_written_community_reads_back_unchanged(community: tuple[int, int]) -> None:
    assert values.community(values.write_community(community)) == community


@given(st.tuples(LONG, LONG, LONG))
def test_a_written_large_community_reads_back_unchanged(community: tuple[int, int, int]) -> None:
    assert values.large_community(values.write_community(community)) == community


@given(
    st.sampled_from(["target", "origin"]),
    st.tuples(SHORT, LONG) | st.tuples(LONG, SHORT),
)
def test_a_written_extended_community_reads_back_unchanged(
    kind: str, numbers: tuple[int, int]
) -> None:
    written = f"{kind}:{numbers[0]}:{numbers[1]}"

    assert extended.write(values.extended_community(written)) == written


@given(st.ip_addresses(v=4), SHORT)
def test_a_route_target_may_be_of_an_address(
    administrator: ipaddress.IPv4Address, number: int
) -> None:
    written = f"target:{administrator}:{number}"

    assert extended.write(values.extended_community(written)) == written


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_eight_bytes_without_a_word_are_shown_as_they_are(community: int) -> None:
    shown = extended.write(community)

    assert int(shown, 16) == community if shown.startswith("0x") else True
    assert shown.startswith("0x") or extended.read(shown) == community


def test_an_extended_community_with_a_cisco_word_is_told_ours() -> None:
    for written, right in (("rt:64512:1", "target"), ("soo:64512:1", "origin")):
        with pytest.raises(ValueError, match=f"write {right} instead of"):
            values.extended_community(written)


@pytest.mark.parametrize("name", values.COMMUNITIES)
def test_a_well_known_community_in_its_registered_spelling_is_told_ours(name: str) -> None:
    """IANA writes NO_EXPORT, the routers no-export."""
    with pytest.raises(ValueError, match=f"^write {name}$"):
        values.community(name.upper().replace("-", "_"))


@given(st.text())
def test_a_community_is_two_short_numbers_or_a_refusal(text: str) -> None:
    try:
        found = values.community(text)
    except ValueError:
        return
    assert all(0 <= part <= 0xFFFF for part in found)


def test_graceful_shutdown_becomes_a_number() -> None:
    """The word would make ExaBGP itself shut down."""
    assert values.community("graceful-shutdown") == model.GRACEFUL_SHUTDOWN


@given(st.ip_addresses(v=4), st.integers(min_value=8, max_value=32))
def test_a_prefix_with_host_bits_is_told_the_right_one(
    address: ipaddress.IPv4Address, length: int
) -> None:
    written = f"{address}/{length}"
    right = ipaddress.ip_network(written, strict=False)
    try:
        assert addresses.network(written) == right
    except ValueError as error:
        assert "unicast range" in str(error) or str(error).endswith(f"write {right}")  # noqa: PT017


@pytest.mark.parametrize(
    ("read", "written", "right"),
    [
        (addresses.address, "::ffff:192.0.2.1", "192.0.2.1"),
        (addresses.address, "::ffff:c000:201", "192.0.2.1"),
        (addresses.address, "::192.0.2.1", "192.0.2.1"),
        (addresses.endpoint, "[::ffff:192.0.2.1]:53", "192.0.2.1"),
        (addresses.network, "::ffff:10.96.0.0/112", "10.96.0.0/16"),
        (addresses.network, "::ffff:0.0.0.0/96", "0.0.0.0/0"),
    ],
)
def test_an_ipv4_address_in_an_ipv6_spelling_is_told_its_own(
    read: Callable[[object], object], written: str, right: str
) -> None:
    with pytest.raises(ValueError, match=f"write {right}$"):
        read(written)


def test_what_a_router_may_have_is_left_alone() -> None:
    for written in ("127.0.0.1", "::1", "10.0.0.1", "240.0.0.1", "2001:db8::1", "64:ff9b::1"):
        assert str(addresses.address(written)) == written


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1"])
def test_a_default_route_is_refused_in_halves_too(text: str) -> None:
    with pytest.raises(ValueError, match="wider than /8"):
        addresses.network(text)


@pytest.mark.parametrize(
    ("read", "bad"),
    [
        (addresses.address, "192.0.2.1/24"),
        (addresses.address, "fe80::1"),
        (addresses.address, "fd00::1%eth0"),
        (addresses.address, "224.0.0.5"),
        (addresses.address, "0.0.0.0"),
        (addresses.address, "router.example.com"),
        (addresses.address, "::"),
        (addresses.address, "0.1.2.3"),
        (addresses.address, "255.255.255.255"),
        (addresses.address, "ff02::1"),
        (addresses.network, "0.0.0.0/8"),
        (addresses.network, "255.255.255.255/32"),
        (addresses.network, "::/8"),
        (addresses.network, "fe80::/64"),
        (addresses.network, "10.96.0.0"),
        (addresses.network, "10.96.0.0/255.255.0.0"),
        (addresses.network, "127.0.0.0/8"),
        (values.community, "64512:65536"),
        (values.community, "064512:1"),
        (values.community, "64512:1:2"),
        (values.community, "black-hole"),
        (values.community, "no_export"),
        (values.extended_community, "64512:1"),
        (values.extended_community, "rt:64512:1"),
        (values.extended_community, "target:65536:65536"),
        (values.extended_community, "target:4294967296:1"),
        (values.extended_community, "target:192.0.2.1:65536"),
        (values.extended_community, "target:192.0.2.300:1"),
        (values.extended_community, "target:064512:1"),
        (values.extended_community, "origin:192.0.2.1:1"),
        (values.extended_community, "0x0002FC0000000001"),
        (values.large_community, "64512:1"),
        (values.large_community, "4294967296:1:1"),
        (values.name, "Tor A1"),
        (values.name, "a" * 64),
        (values.name, "-a"),
        (values.name, "a\n"),
        (values.description, "a; b"),
        (values.description, 'a "b"'),
        (values.description, "a } neighbor"),
        (values.description, "a\nb"),
        (values.description, "Gebäude"),
        (values.description, "a\\"),
        (values.description, "a" * 81),
        (values.secret_key, "../token"),
        (values.secret_key, ".."),
        (values.secret_key, "a/b"),
        (values.label_key, "a b"),
        (values.label_key, "/a"),
        (values.label_value, "a b"),
        (values.taint, "key:Sometimes"),
        (values.url, "ftp://127.0.0.1/"),
        (values.url, "http:///healthz"),
        (values.url, "http://127.0.0.1:0/"),
        (values.url, "http://127.0.0.1:99999/"),
        (values.url, "http://a b/"),
        (values.url, "http://user:secret@127.0.0.1/"),
        (values.url, "http://user:secret@127.0.0.1:99999/"),
        (addresses.endpoint, "10.0.0.1"),
        (addresses.endpoint, "fd00::a:53"),
        (addresses.endpoint, "10.0.0.1:0"),
        (values.dns_name, "a..b"),
        (values.interface, "a" * 16),
        (values.interface, "eth/0"),
        (values.argument, "a\0b"),
        (values.process, ""),
        (addresses.router_id, "0.0.0.0"),
        (addresses.router_id, "fd00::1"),
    ],
)
def test_a_value_that_would_do_harm_is_refused(read: object, bad: str) -> None:
    assert callable(read)
    with pytest.raises(ValueError, match=r"write|leave out|leave user|unicast|NUL") as caught:
        read(bad)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("read", "good", "value"),
    [
        (addresses.endpoint, "[fd00::a]:53", ("fd00::a", 53)),
        (addresses.endpoint, "db.example.com:3306", ("db.example.com", 3306)),
        (values.taint, "a.b/c:NoExecute", model.Taint(key="a.b/c", effect="NoExecute")),
        (values.taint, "a", model.Taint(key="a")),
        (values.url, "https://[::1]:10250/healthz", "https://[::1]:10250/healthz"),
        (addresses.router_id, "auto", "auto"),
        (values.label_value, "", ""),
        (values.description, "", ""),
        (values.secret_key, "tor-a1.md5", "tor-a1.md5"),
    ],
)
def test_a_value_in_its_usual_form_is_read(read: object, good: str, value: object) -> None:
    assert callable(read)
    assert read(good) == value


@pytest.mark.parametrize("endpoint", ["[fd00::a]:53", "10.0.0.1:53"])
def test_a_written_endpoint_reads_back_unchanged(endpoint: str) -> None:
    assert addresses.write_endpoint(addresses.endpoint(endpoint)) == endpoint


@pytest.mark.parametrize("taint", ["a", "a.b/c:NoExecute"])
def test_a_written_taint_reads_back_unchanged(taint: str) -> None:
    assert values.write_taint(values.taint(taint)) == taint
