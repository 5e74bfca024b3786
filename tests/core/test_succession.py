"""A Node that is registered anew inherits for a while what others have not put there yet."""

from __future__ import annotations

import ipaddress

import pytest

from exabgp_k8s.core.facts import config, events
from exabgp_k8s.core.observe import kubernetes
from tests.support import builders
from tests.support.builders import START

RACK_A = config.Selector(
    requirements=(
        config.Requirement(key="rack", operator=config.Operator.IN, values=frozenset({"a"})),
    )
)
SELECTED = builders.a_config(peers=(builders.a_peer(selector=RACK_A),))


@pytest.mark.fault(
    area="control plane",
    what="the Node is deleted and registered anew, its labels and addresses coming later",
    sees="the pod ranges leave and return; no session closes",
    within="labels and addresses are kept for 30 s",
)
def test_a_new_node_object_keeps_the_sessions_that_the_old_labels_selected() -> None:
    world = builders.a_world(settings=SELECTED)
    bare = builders.a_node(uid="new", labels={}, internal_ips=(), pod_cidrs=())

    world = builders.after(world, events.NodeGone(), events.NodeSeen(node=bare), now=START + 1)

    (neighbor,) = builders.decided(world, START + 1).neighbors or ()
    assert neighbor.local_address == builders.NODE_IP


def test_what_nobody_put_there_within_the_time_is_gone() -> None:
    world = builders.a_world(settings=SELECTED)
    world = builders.after(world, events.NodeSeen(node=builders.a_node(uid="new", labels={})))
    over = START + kubernetes.INHERITED_FOR

    assert builders.turn(world).judgement.deadline == over
    assert builders.decided(world, over).neighbors == ()


def test_a_pod_range_is_not_inherited() -> None:
    """It may have been given to another node."""
    world = builders.a_world()

    world = builders.after(world, events.NodeSeen(node=builders.a_node(uid="new", pod_cidrs=())))

    assert builders.reasons(builders.decided(world), builders.PODS) == {"no-pod-cidr"}


def test_what_the_new_object_says_itself_counts_at_once() -> None:
    world = builders.a_world(settings=SELECTED)
    moved = builders.a_node(uid="new", labels={"rack": "b"})

    world = builders.after(world, events.NodeSeen(node=moved))

    assert builders.decided(world).neighbors == ()


def test_an_address_of_one_family_is_inherited_beside_a_new_one_of_the_other() -> None:
    new = ipaddress.ip_address("2001:db8::99")
    world = builders.a_world()

    world = builders.after(
        world, events.NodeSeen(node=builders.a_node(uid="new", internal_ips=(new,)))
    )

    assert world.node is not None
    assert world.node.internal_ips == (new, builders.NODE_IP)
