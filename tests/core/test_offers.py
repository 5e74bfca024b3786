"""What each peer is offered: attributes by class, and a class or a range only."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import commands, config, events, model, offer
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.report import announced, readiness, routes, summary
from tests.support import builders
from tests.support.builders import POD_RANGE, SERVICE_RANGE, SERVICE_RANGE6, START, TOR_A, TOR_B

SERVICES = model.PrefixClass.SERVICES
PODS = model.PrefixClass.PODS


def with_peers(*peers: config.Peer) -> World:
    """Return a world in which all that these peers are offered is announced."""
    return builders.a_serving_world(settings=builders.a_config(peers=peers))


def edge(**changes: Any) -> config.Peer:
    return builders.a_peer("tor-b", TOR_B, **changes)


def found(world: World, prefix: model.Network) -> announced.Standing:
    turn = builders.turn(world)
    standings = announced.standings(turn.world, turn.decision)
    return next(each for each in standings if each.prefix == prefix)


def heard(world: World, peer: model.Address) -> set[model.Network]:
    return {prefix for to, prefix in builders.decided(world).routes or {} if to == peer}


class TestAttributes:
    """Services and pods of one peer do not carry the same."""

    OFFERS: ClassVar[dict[str, Any]] = {
        "services": offer.Offer(attributes=model.Attributes(med=50, communities=((64512, 20),))),
        "pods": offer.Offer(
            attributes=model.Attributes(extended_communities=(2, 1, 2), local_pref=7), prepend=1
        ),
    }

    def carried(self, prefix: model.Network, asn: int = 64513) -> model.Attributes:
        world = with_peers(builders.a_peer(asn=asn, **self.OFFERS))
        return (builders.decided(world).routes or {})[TOR_A, prefix].attributes

    def test_are_those_of_the_class(self) -> None:
        assert self.carried(SERVICE_RANGE) == model.Attributes(med=50, communities=((64512, 20),))
        assert self.carried(POD_RANGE) == model.Attributes(
            extended_communities=(1, 2), as_path=(64512, 64512)
        )

    def test_of_a_class_follow_the_same_rules_within_one_as(self) -> None:
        assert self.carried(POD_RANGE, asn=64512) == model.Attributes(
            extended_communities=(1, 2), local_pref=7
        )

    def test_are_kept_where_a_class_is_deprioritised(self) -> None:
        settings = builders.a_config(peers=(builders.a_peer(**self.OFFERS),), graceful_shutdown=60)
        world = builders.a_serving_world(events.DrainAsked(), settings=settings)

        routes_of = builders.decided(world).routes or {}

        assert routes_of[TOR_A, SERVICE_RANGE].attributes == model.Attributes(
            med=50, communities=((64512, 20), model.GRACEFUL_SHUTDOWN)
        )

    def test_that_differ_only_in_extended_communities_are_an_announcement(self) -> None:
        """Without a look at them an edit would reach nobody."""
        world = with_peers(builders.a_peer(**self.OFFERS))
        pods = offer.Offer(attributes=model.Attributes(extended_communities=(3,), local_pref=7))
        edited = builders.a_config(peers=(builders.a_peer(**{**self.OFFERS, "pods": pods}),))

        turn = step.step(world, (events.ConfigLoaded(config=edited),), START)

        told = turn.commands[0]
        assert isinstance(told, commands.Announce | commands.Together)


class TestAClassOnly:
    """A peer that is announced services and no pods."""

    def world(self) -> World:
        return with_peers(builders.a_peer(), edge(pods=None))

    def test_is_all_that_it_hears(self) -> None:
        assert heard(self.world(), TOR_B) == {SERVICE_RANGE, SERVICE_RANGE6}
        assert POD_RANGE in heard(self.world(), TOR_A)

    def test_is_no_absence_anywhere(self) -> None:
        world = self.world()

        status = summary.status(builders.turn(world), START)

        assert not builders.decided(world).withheld
        assert {each["state"] for each in status["classes"].values()} == {"announced"}
        assert not readiness.missing(builders.turn(world))
        assert not readiness.lacking(builders.turn(world))

    def test_leaves_the_peer_out_of_those_meant(self) -> None:
        pods, services = (found(self.world(), each) for each in (POD_RANGE, SERVICE_RANGE))

        assert (len(pods.sent), pods.meant) == (1, 1)
        assert (len(services.sent), services.meant) == (2, 2)
        assert {row["peer"] for row in routes.rows(builders.turn(self.world()))
                if row["class"] == "pods"} == {"tor-a"}  # fmt: skip

    def test_is_announced_nowhere_while_the_other_peer_is_away(self) -> None:
        world = builders.after(self.world(), builders.down())

        assert found(world, POD_RANGE).summary is announced.Summary.WAITING
        assert found(world, SERVICE_RANGE).summary is announced.Summary.ANNOUNCED

    def test_is_withheld_without_a_word_about_the_other_class(self) -> None:
        """A rollout withdraws from each peer that cannot bridge it, of what it was announced."""
        settings = builders.a_config(
            peers=(builders.a_peer(graceful_restart=120), edge(pods=None)),
        )
        world = builders.a_serving_world(settings=settings)
        world = builders.after(world, events.DrainAsked(is_stopping=True, is_rollout=True))

        withheld = builders.decided(world).withheld

        assert {each.prefix_class for each in withheld if each.peer == "tor-b"} == {SERVICES}

    def test_by_an_edit_takes_the_rest_back_from_that_peer_alone(self) -> None:
        world = with_peers(builders.a_peer(), edge())
        edited = builders.a_config(peers=(builders.a_peer(), edge(pods=None)))

        turn = step.step(world, (events.ConfigLoaded(config=edited),), START)

        told = turn.commands[0]
        changes = told.changes if isinstance(told, commands.Together) else (told,)
        assert all(isinstance(each, commands.Withdraw) for each in changes)
        assert {each.route.peer for each in changes if isinstance(each, commands.Withdraw)} == {
            TOR_B
        }
        left = found(turn.world, POD_RANGE)
        assert [(each.peer, each.is_meant) for each in left.hearings] == [
            ("tor-a", True),
            ("tor-b", False),
        ]


class TestARangeOnly:
    """A peer that is announced one of the ranges of a class."""

    def test_is_what_lies_inside(self) -> None:
        pods = offer.Offer(within=builders.networks("10.244.0.0/16"))
        services = offer.Offer(within=(SERVICE_RANGE6,))
        world = with_peers(builders.a_peer(), edge(pods=pods, services=services))

        assert heard(world, TOR_B) == {SERVICE_RANGE6, POD_RANGE}


class TestAClassForNobody:
    """A node none of whose peers is announced a class: somebody misses it."""

    def test_is_withheld_for_want_of_a_peer(self) -> None:
        world = with_peers(builders.a_peer(pods=None))

        assert builders.reasons(builders.decided(world), PODS) == {"no-peer:pods"}
        assert found(world, POD_RANGE).meant == 0
        assert found(world, SERVICE_RANGE).is_announced

    def test_names_the_family_first(self) -> None:
        peer = builders.a_peer(pods=None, families=(model.Family.IPV4,))
        world = with_peers(peer)

        assert builders.reasons(builders.decided(world), SERVICES) == {"no-peer:ipv6"}
        assert builders.reasons(builders.decided(world), PODS) == {"no-peer:ipv6", "no-peer:pods"}

    def test_does_not_count_a_peer_of_other_nodes(self) -> None:
        elsewhere = config.Requirement(
            key="rack", operator=config.Operator.IN, values=frozenset({"z"})
        )
        other = dataclasses.replace(edge(), selector=config.Selector(requirements=(elsewhere,)))
        world = with_peers(builders.a_peer(pods=None), other)

        assert builders.reasons(builders.decided(world), PODS) == {"no-peer:pods"}
