"""What an earlier process was told counts only until this one is told something itself."""

from __future__ import annotations

from exabgp_k8s.core.facts import events
from exabgp_k8s.core.facts.world import World
from tests.support import builders

LOADED = events.ConfigLoaded(config=builders.a_config())


def test_a_remembered_node_is_announced_and_the_loss_stays_visible() -> None:
    world = builders.after(
        World(),
        LOADED,
        events.KubeLost(problem="refused"),
        events.Remembered(node=builders.a_node()),
    )

    assert builders.announced(builders.decided(world)) == set(builders.ALL_RANGES)
    assert world.kube_problem == "refused"
    assert world.kube_contact is None


def test_a_remembered_cordon_stands() -> None:
    cordoned = builders.a_node(is_unschedulable=True)

    world = builders.after(World(), LOADED, events.Remembered(node=cordoned))

    assert builders.announced(builders.decided(world)) == set()


def test_nothing_is_remembered_over_what_was_seen() -> None:
    world = builders.a_world(node=builders.a_node(is_unschedulable=True))

    assert builders.after(world, events.Remembered(node=builders.a_node())) == world


def test_a_node_that_is_seen_replaces_the_remembered_one() -> None:
    world = builders.after(World(), LOADED, events.Remembered(node=builders.a_node()))

    world = builders.after(world, events.NodeSeen(node=builders.a_node(is_unschedulable=True)))

    assert not world.is_node_remembered
    assert builders.announced(builders.decided(world)) == set()


def test_the_ranges_of_the_api_are_remembered_with_the_node() -> None:
    automatic = events.ConfigLoaded(config=builders.a_config(service_cidrs=None))
    known = events.Remembered(
        node=builders.a_node(), service_cidrs=(builders.SERVICE_RANGE, builders.SERVICE_RANGE6)
    )

    world = builders.after(World(), automatic, known)

    assert builders.announced(builders.decided(world)) == set(builders.ALL_RANGES)


def test_a_source_address_outlives_the_loss_of_its_route() -> None:
    """The link is down, and the session with it; a new configuration would change nothing."""
    source = events.HostSeen(sources={builders.TOR_A: builders.NODE_IP})
    world = builders.a_world(source)

    world = builders.after(world, events.HostSeen())

    assert world.host.sources == {builders.TOR_A: builders.NODE_IP}
