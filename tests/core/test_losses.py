"""A lost session is counted by a reason that no router can make up."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_address

import pytest

from exabgp_k8s.core.facts.world import Session, World
from exabgp_k8s.core.report import losses

ROUTER = ip_address("192.0.2.1")
UP = Session(name="tor-a1", is_up=True)


def world(session: Session) -> World:
    return World(sessions={ROUTER: session})


def ended(problem: str) -> World:
    return world(dataclasses.replace(UP, is_up=False, problem=problem))


def test_a_session_that_ends_is_counted_once() -> None:
    before, after = world(UP), ended("notification 6/2 (administrative shutdown) bye")

    assert list(losses.lost(before, after)) == [("tor-a1", "notification 6/2")]
    assert list(losses.lost(after, after)) == []
    assert list(losses.lost(after, ended("no answer"))) == []


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ("notification 6/2 (administrative shutdown) reason 7/7", "notification 6/2"),
        ("notification sent 4/0 (hold timer expired)", "notification sent 4/0"),
        ("notification 6/0 (cease)", "notification 6/0"),
        ("notification 6/99 (cease)", "notification 6/other"),
        ("notification 99/1 (unknown)", "notification other"),
        ("closed by the router without a NOTIFICATION", "closed without a notification"),
        ("whatever a router may say", "other"),
    ],
)
def test_a_reason_is_one_of_few_words(problem: str, reason: str) -> None:
    assert losses.reason(problem) == reason
