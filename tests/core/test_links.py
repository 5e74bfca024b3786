"""Routers at link-local addresses, and IPv4 routes over an IPv6 next hop (RFC 8950)."""

from __future__ import annotations

import dataclasses
import ipaddress

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, config, events, in_use, links, model, reload, routers
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.report import rows
from exabgp_k8s.wire import in_use as in_use_text
from tests.support import builders
from tests.support.builders import POD_RANGE, POD_RANGE6, START, after

ROUTER = ipaddress.ip_address("fe80::1%eth1")
OTHER_LINK = ipaddress.ip_address("fe80::1%eth2")
OURS = ipaddress.ip_address("fe80::11%eth1")
PLAIN = ipaddress.ip_address("fe80::11")
ON_THE_LINK = ipaddress.ip_address("198.51.100.7")
SEEN = events.HostSeen(links={"eth1": links.Link(own=(OURS,))}, addresses={OURS: (OURS,)})
UNKNOWN = "no-next-hop:ipv4, the router has not said yet whether it takes an IPv6 one"
REFUSED = (
    "no-next-hop:ipv4, the router takes no IPv6 one (RFC 8950) "
    "and the interface has no IPv4 address"
)


def a_peer(address: model.Address = ROUTER) -> config.Peer:
    return builders.a_peer("r1", address, is_extended=True)


def a_world(*happened: events.Event, seen: events.HostSeen = SEEN) -> World:
    settings = builders.a_config(peers=(a_peer(),))
    return builders.a_world(seen, *happened, settings=settings)


def comes_up(*, is_extended: bool) -> tuple[events.Event, ...]:
    families = frozenset(model.Family)
    return (
        events.Negotiated(peer=ROUTER, families=families, hold_time=9, is_extended=is_extended),
        events.SessionChanged(peer=ROUTER, state="up", local=OURS),
    )


def running(*happened: events.Event) -> World:
    """Return a world whose ExaBGP runs what was decided."""
    world = a_world()
    neighbors = builders.decided(world).neighbors or ()
    return after(world, reload.Taken(neighbors=neighbors), *happened)


def next_hops(world: World) -> dict[model.Network, model.Address]:
    routes = builders.decided(world).routes or {}
    return {prefix: route.next_hop for (_, prefix), route in routes.items()}


def withheld(world: World) -> frozenset[str]:
    return builders.reasons(builders.decided(world), model.PrefixClass.PODS)


def test_the_session_starts_from_the_link_local_address_of_that_interface() -> None:
    (neighbor,) = builders.decided(a_world()).neighbors or ()

    assert (neighbor.address, neighbor.local_address) == (ROUTER, OURS)


def test_without_an_address_on_the_link_the_peer_is_held() -> None:
    (held,) = builders.decided(a_world(seen=events.HostSeen())).peers_held

    assert str(held.cause) == "no-local-address:eth1"


def test_a_link_that_cannot_be_seen_for_a_while_ends_nothing() -> None:
    world = after(a_world(), events.HostSeen())

    (neighbor,) = builders.decided(world).neighbors or ()
    assert neighbor.local_address == OURS


def test_two_routers_of_one_address_on_two_links_are_two_sessions() -> None:
    second = dataclasses.replace(a_peer(OTHER_LINK), name="r2")
    ours = ipaddress.ip_address("fe80::11%eth2")
    on_links = {**SEEN.links, "eth2": links.Link(own=(ours,))}
    settings = builders.a_config(peers=(a_peer(), second))
    world = builders.a_world(events.HostSeen(links=on_links), settings=settings)

    found = {each.address: each.local_address for each in builders.decided(world).neighbors or ()}
    assert found == {ROUTER: OURS, OTHER_LINK: ours}


class TestIPv4OverAnIPv6NextHop:
    def test_waits_for_the_routers_word(self) -> None:
        world = a_world()

        assert POD_RANGE not in next_hops(world)
        assert next_hops(world)[POD_RANGE6] == PLAIN
        assert withheld(world) == {UNKNOWN}

    def test_goes_to_a_router_that_agreed_to_it(self) -> None:
        world = a_world(*comes_up(is_extended=True))

        assert next_hops(world)[POD_RANGE] == PLAIN
        assert not withheld(world)

    def test_goes_to_no_router_that_did_not(self) -> None:
        world = a_world(*comes_up(is_extended=False))

        assert POD_RANGE not in next_hops(world)
        assert next_hops(world)[POD_RANGE6] == PLAIN
        assert withheld(world) == {REFUSED}

    def test_is_not_needed_where_the_interface_has_an_ipv4_address(self) -> None:
        seen = dataclasses.replace(SEEN, addresses={OURS: (OURS, ON_THE_LINK)})
        world = a_world(*comes_up(is_extended=False), seen=seen)

        assert next_hops(world)[POD_RANGE] == ON_THE_LINK

    def test_is_taken_back_with_the_session_that_agreed_to_it(self) -> None:
        """The next one may not, and ExaBGP sends all that it holds when it comes up."""
        world = builders.obeyed(running(*comes_up(is_extended=True)))
        assert world.rib is not None
        assert POD_RANGE in world.rib[ROUTER].routes
        world = after(world, builders.down(ROUTER))

        turn = step.step(world, (events.Tick(),), START)

        withdrawn = {
            each.route.prefix
            for each in builders.single(turn.commands)
            if isinstance(each, commands.Withdraw)
        }
        assert withdrawn == {POD_RANGE, builders.SERVICE_RANGE}

    def test_goes_on_for_an_agent_that_starts_while_the_session_is_up(self) -> None:
        row = builders.a_row(ROUTER, local=OURS, is_extended=True)
        world = a_world(events.NeighborsRead(rows=(row,)))

        assert next_hops(world)[POD_RANGE] == PLAIN

    def test_is_never_joined_with_ipv6_in_one_line(self) -> None:
        """ExaBGP takes all prefixes of a line for ones of the last one's family."""
        world = running(*comes_up(is_extended=True))
        (neighbor,) = world.neighbors or ()
        rows_read = events.NeighborsRead(rows=(builders.row_of(neighbor),))
        world = after(world, rows_read, events.RibRead(routes=()))

        told = step.step(world, (events.Tick(),), START).commands
        joined = [each for each in told if isinstance(each, commands.Together)]
        assert joined
        for command in joined:
            assert len({each.route.prefix.version for each in command.changes}) == 1


def test_people_are_told_the_address_with_its_link() -> None:
    turn = step.step(a_world(*comes_up(is_extended=True)), (events.Tick(),), START)

    (row,) = rows.sessions(turn, START)
    assert (row["address"], row["local_address"]) == ("fe80::1%eth1", "fe80::11%eth1")


class TestTheOneRouterOnALink:
    """Another cable, a router that is silent for a while, and two of them on one link."""

    OTHER = ipaddress.ip_address("fe80::2%eth1")

    def seen(self, *found: model.Address) -> events.HostSeen:
        on_link = links.Link(own=(OURS,), routers=found)
        return events.HostSeen(links={"eth1": on_link}, addresses={OURS: (OURS,)})

    def world(self, *happened: events.Event, used: in_use.InUse | None = None) -> World:
        said = config.Entry(name="r1", asn=64513, local_asn=64512, is_extended=True)
        sought = said.at(routers.OnLink(interface="eth1"))
        assert isinstance(sought, config.Sought)
        settings = builders.a_config(peers=(), sought=(sought,))
        recalled = (events.UseRecalled(in_use=used),) if used else ()
        return builders.a_world(*recalled, *happened, settings=settings)

    def serving(self, *found: model.Address) -> World:
        """Return a world whose session with the first of these routers is up."""
        world = self.world(self.seen(*found))
        neighbors = builders.decided(world).neighbors or ()
        started = after(world, reload.Taken(neighbors=neighbors), *self.comes_up())
        return builders.obeyed(started)

    def comes_up(self) -> tuple[events.Event, ...]:
        return comes_up(is_extended=True)

    def where(self, world: World) -> list[model.Address]:
        return [each.address for each in builders.decided(world).neighbors or ()]

    def why(self, world: World) -> list[str]:
        return [str(each.cause) for each in builders.decided(world).peers_held]

    def test_is_the_peer(self) -> None:
        assert self.where(self.world(self.seen(ROUTER))) == [ROUTER]

    def test_is_waited_for(self) -> None:
        world = self.world(self.seen())

        assert self.why(world) == ["router-missing:router on eth1, none has been heard there"]
        assert self.where(after(world, self.seen(ROUTER))) == [ROUTER]

    def test_is_not_looked_for_on_an_interface_that_is_not_there(self) -> None:
        (why,) = self.why(self.world(events.HostSeen()))

        assert why.endswith("the node has no such interface")

    def test_is_none_of_two(self) -> None:
        (why,) = self.why(self.world(self.seen(ROUTER, self.OTHER)))

        assert why.endswith("several are there, write the address of one: fe80::1 fe80::2")

    def test_stays_when_it_is_silent_or_a_second_one_comes(self) -> None:
        world = self.serving(ROUTER)
        for found in ((), (ROUTER, self.OTHER), (self.OTHER,)):
            world = after(world, self.seen(*found), now=START + 3600)
            assert self.where(world) == [ROUTER], found

    def test_is_the_other_one_once_its_session_is_down_and_it_does_not_answer(self) -> None:
        world = after(self.serving(ROUTER), builders.down(ROUTER))
        assert self.where(world) == [ROUTER]
        assert self.where(after(world, self.seen(ROUTER, self.OTHER))) == [ROUTER]
        assert self.where(after(world, self.seen())) == [ROUTER]

        assert self.where(after(world, self.seen(self.OTHER))) == [self.OTHER]

    def test_is_known_to_the_next_process(self) -> None:
        kept = in_use_text.load(in_use_text.dump(self.serving(ROUTER).in_use))
        assert kept is not None

        assert self.where(self.world(self.seen(), used=kept)) == [ROUTER]
