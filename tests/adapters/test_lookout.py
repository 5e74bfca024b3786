"""When the host is looked at: this machine's own network, its loopback addresses."""

from __future__ import annotations

import ipaddress

from exabgp_k8s.agent import lookout
from exabgp_k8s.core.facts import config, events, places
from tests.support import builders
from tests.support.builders import START

LOOPBACK = ipaddress.ip_address("127.0.0.1")
ELSEWHERE = ipaddress.ip_address("127.3.2.1")
NODE = builders.a_node(internal_ips=(LOOPBACK,))
WORLD = builders.a_world(node=NODE)

WORLD_ADDRESSES = {
    used.local_address for used in WORLD.in_use.peers.values() if used.local_address is not None
}


def looks(looking: lookout.Lookout, event: events.Event, now: float = START) -> int:
    """Return how often the host is looked at before an event is acted upon."""
    return len(seen_of(looking.before(event, WORLD, now)))


def seen_of(found: tuple[object, ...]) -> list[events.HostSeen]:
    """Return what was seen of the host's network; its pods are another matter."""
    return [each for each in found if isinstance(each, events.HostSeen)]


def a_lookout() -> lookout.Lookout:
    """Return one that has looked for what the world needs."""
    looking = lookout.Lookout()
    assert looks(looking, events.Tick()) == 1
    return looking


def test_new_addresses_of_the_node_are_looked_for_before_they_are_acted_upon() -> None:
    seen = events.NodeSeen(node=builders.a_node(internal_ips=(ELSEWHERE, LOOPBACK)))

    (found,) = seen_of(a_lookout().before(seen, WORLD, START))

    assert found.addresses.keys() == {ELSEWHERE, LOOPBACK, *WORLD_ADDRESSES}


def test_an_address_that_an_edit_names_is_looked_for_before_it_is_acted_upon() -> None:
    peers = (builders.a_peer(local_address=ELSEWHERE),)
    loaded = events.ConfigLoaded(config=builders.a_config(peers=peers))

    assert looks(a_lookout(), loaded) == 1


def test_a_cordon_waits_for_no_look() -> None:
    cordoned = builders.a_node(internal_ips=(LOOPBACK,), is_unschedulable=True)

    assert looks(a_lookout(), events.NodeSeen(node=cordoned), START + 3600) == 0


def test_a_session_that_comes_up_is_reason_to_look() -> None:
    """Its link may have been down, and lost its IPv6 addresses."""
    up = events.SessionChanged(peer=builders.TOR_A, state="up", local=LOOPBACK)
    looking = a_lookout()

    assert looks(looking, up) == 1
    assert looks(looking, builders.down()) == 0


def test_the_host_is_looked_at_now_and_then_and_more_often_for_routes() -> None:
    looking = a_lookout()
    assert looks(looking, events.Tick(), START + lookout.LOOK - 1) == 0
    assert looks(looking, events.Tick(), START + lookout.LOOK) == 1

    by_route = builders.a_config(peers=(builders.a_peer(local_address=config.LocalAddress.ROUTE),))
    world = builders.a_world(settings=by_route, node=NODE)
    now = START + lookout.LOOK
    looking.before(events.Tick(), world, now)
    assert seen_of(looking.before(events.Tick(), world, now + lookout.LOOK_ROUTES))


def test_what_an_interface_has_is_looked_for_as_often_as_a_route() -> None:
    place = places.OnInterface(interface="lo")
    settings = builders.a_config(peers=(builders.a_peer(local_address=place),))
    world, looking = builders.a_world(settings=settings, node=NODE), lookout.Lookout()

    (found,) = seen_of(looking.before(events.Tick(), world, START))

    assert place in found.places
    assert seen_of(looking.before(events.Tick(), world, START + lookout.LOOK_ROUTES))
