"""The words for why a session is down."""

from __future__ import annotations

import dataclasses
import ipaddress
import itertools

import pytest

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.observe import disconnects, notifications
from tests.support import builders

OPEN_PEER = model.Neighbor(
    name="tor-a",
    description="",
    address=builders.TOR_A,
    port=179,
    local_address=ipaddress.ip_address("192.0.2.11"),
    router_id=ipaddress.IPv4Address("192.0.2.11"),
    peer_asn=64513,
    local_asn=64512,
    hold_time=9,
)
KEYED_PEER = dataclasses.replace(OPEN_PEER, password=model.Secret("s3cret"))

CAUSES = [
    "lost ECONNREFUSED in IDLE",
    "lost ETIMEDOUT in IDLE",
    "lost EHOSTUNREACH in IDLE",
    "lost ENETUNREACH in IDLE",
    "lost EADDRNOTAVAIL in IDLE",
    "lost ECONNRESET in IDLE",
    "lost ENOBUFS in IDLE",
    "lost FIN in OPENSENT",
    "lost ECONNRESET in OPENSENT",
    "lost FIN in OPENCONFIRM",
    "lost ECONNRESET in OPENCONFIRM",
    "lost FIN in ESTABLISHED",
    "lost ECONNRESET in ESTABLISHED",
    "lost ETIMEDOUT in ESTABLISHED",
    "lost EHOSTUNREACH in ESTABLISHED",
    "notification sent (2,2) peer-as 64599",
    "notification sent (4,0)",
    "notification sent (1,1)",
    "notification sent (1,1) no-open",
    "",
]


def test_different_causes_have_different_words() -> None:
    words = [disconnects.named(cause, OPEN_PEER) for cause in CAUSES]

    for one, other in itertools.combinations(words, 2):
        assert one != other
    assert all(words)


@pytest.mark.parametrize("cause", CAUSES)
def test_a_neighbor_that_is_not_configured_any_more_has_words_too(cause: str) -> None:
    words = disconnects.named(cause, None)

    assert words
    assert not {"{", "}"} & set(words)


def test_silence_says_what_a_password_has_to_do_with_it() -> None:
    silence = "lost ETIMEDOUT in IDLE"

    assert "password is another one or none" in disconnects.named(silence, KEYED_PEER)
    assert "expects a TCP MD5 password" in disconnects.named(silence, OPEN_PEER)


@pytest.mark.parametrize(
    ("counter", "words"),
    [
        ("TCPMD5NotFound", "packets without a TCP MD5 signature"),
        ("TCPMD5Unexpected", "packets with a TCP MD5 signature that nobody here expects"),
        ("TCPMD5Failure", "packets with a wrong TCP MD5 signature"),
    ],
)
def test_what_the_kernel_dropped_is_told(counter: str, words: str) -> None:
    said = f"lost ETIMEDOUT in IDLE [md5 {counter}]"

    assert disconnects.named(said, KEYED_PEER).endswith(f"(meanwhile the kernel dropped {words})")


def test_an_open_that_does_not_come_says_what_ttl_security_has_to_do_with_it() -> None:
    said = "notification sent (1,1) no-open"
    guarded = dataclasses.replace(OPEN_PEER, ttl_security=True)

    assert disconnects.named(said, OPEN_PEER).endswith("but no OPEN of it came")
    assert "without ttlSecurity (GTSM) at the router" in disconnects.named(said, guarded)


def test_a_wrong_as_of_the_router_is_told_with_both_numbers() -> None:
    words = disconnects.named("notification sent (2,2) peer-as 4200000001", OPEN_PEER)

    assert words == (
        "notification sent 2/2 (bad peer AS) "
        f"the router is AS 4200000001, and the settings say {OPEN_PEER.peer_asn}"
    )


def test_a_wrong_as_of_ours_is_told_with_both_numbers() -> None:
    problem = notifications.received(2, 2, "\ufffd", OPEN_PEER)
    assert problem.endswith(f"the router expects another AS of us than {OPEN_PEER.local_asn}")

    said = "notification received (2,2) peer-as 64599"
    words = notifications.with_router_asn(problem, said, OPEN_PEER)
    assert words == f"{problem}; its own is 64599, not {OPEN_PEER.peer_asn}"
    assert notifications.with_router_asn(words, said, OPEN_PEER) == words


@pytest.mark.parametrize(
    ("code", "subcode", "name"),
    [
        (1, 2, "bad message length"),
        (2, 11, "role mismatch"),
        (3, 11, "malformed AS_PATH"),
        (5, 3, "unexpected message in Established"),
        (6, 9, "hard reset"),
        (6, 10, "BFD down"),
        (7, 1, "invalid ROUTE-REFRESH message length"),
        (8, 0, "send hold timer expired"),
        (3, 99, "UPDATE message error"),
        (77, 1, "unknown"),
    ],
)
def test_a_notification_has_its_name_of_the_registry(code: int, subcode: int, name: str) -> None:
    words = notifications.received(code, subcode, "", None)

    assert words == f"notification {code}/{subcode} ({name})"


@pytest.mark.parametrize(
    ("said", "is_attempt"),
    [
        ("lost ECONNREFUSED in IDLE", True),
        ("lost FIN in OPENSENT", True),
        ("lost FIN in ESTABLISHED", False),
        ("notification sent (4,0)", False),
    ],
)
def test_an_attempt_is_told_from_the_end_of_a_session(said: str, *, is_attempt: bool) -> None:
    assert disconnects.is_attempt(said) is is_attempt
