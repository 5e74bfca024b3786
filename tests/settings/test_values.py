"""Single values: addresses, prefixes, communities, names."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exabgp_k8s.core import model
from exabgp_k8s.settings import values

SHORT = st.integers(min_value=0, max_value=0xFFFF)
LONG = st.integers(min_value=0, max_value=0xFFFF_FFFF)


@given(st.tuples(SHORT, SHORT))
def test_a_written_community_reads_back_unchanged(community: tuple[int, int]) -> None:
    assert values.community(values.write_community(community)) == community


@given(st.tuples(LONG, LONG, LONG))
def test_a_written_large_community_reads_back_unchanged(community: tuple[int, int, int]) -> None:
    assert values.large_community(values.write_community(community)) == community


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
        assert values.network(written) == right
    except ValueError as error:
        is_local = right.is_loopback or right.is_multicast or right.is_link_local
        assert is_local or str(error).endswith(f"write {right}")  # noqa: PT017


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1"])
def test_a_default_route_is_refused_in_halves_too(text: str) -> None:
    with pytest.raises(ValueError, match="wider than /8"):
        values.network(text)


@pytest.mark.parametrize(
    ("read", "bad"),
    [
        (values.address, "192.0.2.1/24"),
        (values.address, "fe80::1"),
        (values.address, "fd00::1%eth0"),
        (values.address, "224.0.0.5"),
        (values.address, "0.0.0.0"),
        (values.address, "router.example.com"),
        (values.network, "10.96.0.0"),
        (values.network, "10.96.0.0/255.255.0.0"),
        (values.network, "127.0.0.0/8"),
        (values.community, "64512:65536"),
        (values.community, "064512:1"),
        (values.community, "64512:1:2"),
        (values.community, "blackhole"),
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
        (values.endpoint, "10.0.0.1"),
        (values.endpoint, "fd00::a:53"),
        (values.endpoint, "10.0.0.1:0"),
        (values.dns_name, "a..b"),
        (values.interface, "a" * 16),
        (values.interface, "eth/0"),
        (values.argument, "a\0b"),
        (values.process, ""),
        (values.router_id, "0.0.0.0"),
        (values.router_id, "fd00::1"),
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
        (values.endpoint, "[fd00::a]:53", ("fd00::a", 53)),
        (values.endpoint, "db.example.com:3306", ("db.example.com", 3306)),
        (values.taint, "a.b/c:NoExecute", model.Taint(key="a.b/c", effect="NoExecute")),
        (values.taint, "a", model.Taint(key="a")),
        (values.url, "https://[::1]:10250/healthz", "https://[::1]:10250/healthz"),
        (values.router_id, "auto", "auto"),
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
    assert values.write_endpoint(values.endpoint(endpoint)) == endpoint


@pytest.mark.parametrize("taint", ["a", "a.b/c:NoExecute"])
def test_a_written_taint_reads_back_unchanged(taint: str) -> None:
    assert values.write_taint(values.taint(taint)) == taint
