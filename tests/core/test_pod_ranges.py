"""Pod ranges that a network plugin names, and pods that are outside of the announced ones."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Any

import pytest

from exabgp_k8s.core import quiet, step
from exabgp_k8s.core.facts import commands, events, model, pod_ranges
from exabgp_k8s.core.facts.pod_ranges import PodSource
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import pod_ranges as judged
from exabgp_k8s.core.report import elsewhere, notices, summary
from exabgp_k8s.core.report.notice import Word
from exabgp_k8s.core.report.told import Told
from tests.support import builders

CILIUM = builders.a_config(pods_from=PodSource.CILIUM)
CALICO = builders.a_config(pods_from=PodSource.CALICO)
RANGE, BLOCK = builders.networks("10.244.77.0/24", "10.244.78.64/26")
FORBIDDEN = "the right to them is missing"


def said(
    *cidrs: model.Network, source: PodSource = PodSource.CILIUM, owner: str = ""
) -> pod_ranges.RangesSeen:
    return pod_ranges.RangesSeen(source=source, cidrs=cidrs, owner=owner)


def with_cilium(*happened: events.Event) -> World:
    return builders.a_world(*happened, settings=CILIUM)


def pods(world: World) -> set[model.Network]:
    services = {builders.SERVICE_RANGE, builders.SERVICE_RANGE6}
    return set(builders.announced(builders.decided(world))) - services


def withheld(world: World) -> frozenset[str]:
    return builders.reasons(builders.decided(world), builders.PODS)


def missing(world: World) -> list[str]:
    return [str(each.cause) for each in builders.decided(world).missing]


def lost(source: PodSource = PodSource.CILIUM) -> pod_ranges.RangesLost:
    return pod_ranges.RangesLost(source=source, problem=FORBIDDEN)


def test_the_ranges_of_the_plugin_are_announced_and_not_the_nodes_own() -> None:
    assert pods(with_cilium(said(RANGE))) == {RANGE}


def test_until_the_plugin_has_been_heard_nothing_is_announced() -> None:
    world = with_cilium()

    assert pods(world) == set()
    assert withheld(world) == {"starting:the CiliumNode object not seen yet"}


def test_a_right_that_is_missing_from_the_beginning_is_the_reason() -> None:
    assert withheld(with_cilium(lost())) == {f"pod-ranges-unseen:{FORBIDDEN}"}


def test_a_plugin_that_names_no_range_is_the_reason() -> None:
    assert withheld(with_cilium(said())) == {"no-pod-cidr:none named by the CiliumNode object"}


@pytest.mark.fault(
    area="control plane",
    what="the right to a network plugin's objects, or their definition, is taken away",
    sees="nothing: the ranges stay announced, and are named missing",
    within="0 s",
)
def test_what_stands_stays_while_the_plugins_objects_cannot_be_read() -> None:
    world = with_cilium(said(RANGE), lost())

    assert pods(world) == {RANGE}
    assert missing(world) == [f"pod-ranges-unseen:{FORBIDDEN}"]


@pytest.mark.fault(
    area="control plane",
    what="all objects of a network plugin vanish, as with their definition",
    sees="nothing: the ranges stay announced, and are named missing",
    within="0 s",
)
def test_what_stands_stays_when_all_objects_of_the_plugin_are_gone() -> None:
    world = with_cilium(said(RANGE), said())

    assert pods(world) == {RANGE}
    assert missing(world) == [f"no-pod-cidr:{RANGE}"]


def test_objects_that_can_be_read_again_are_missing_no_longer() -> None:
    assert missing(with_cilium(said(RANGE), lost(), said(RANGE))) == []


def test_another_range_in_the_place_of_one_counts() -> None:
    assert pods(with_cilium(said(RANGE), said(BLOCK))) == {BLOCK}


def test_blocks_come_and_go_one_by_one() -> None:
    both = said(RANGE, BLOCK, source=PodSource.CALICO)
    left = said(RANGE, source=PodSource.CALICO)
    world = builders.a_world(both, settings=CALICO)

    assert pods(world) == {RANGE, BLOCK}
    assert pods(builders.after(world, left)) == {RANGE}


def test_an_object_of_the_former_node_object_gives_the_new_one_no_range() -> None:
    """The range may have been given to another node meanwhile."""
    world = with_cilium(said(RANGE, owner="5b0f"))

    again = builders.after(world, events.NodeSeen(node=builders.a_node(uid="new")))

    assert pods(world) == {RANGE}
    assert pods(again) == set()


def test_after_an_edit_of_the_source_the_former_ranges_stand_until_the_new_one_is_heard() -> None:
    world = builders.a_world()
    edited = builders.after(world, events.ConfigLoaded(config=CILIUM))

    assert pods(edited) == {builders.POD_RANGE, builders.POD_RANGE6}
    assert pods(builders.after(edited, said(RANGE))) == {RANGE}


def test_after_an_edit_of_the_source_fewer_ranges_count() -> None:
    """That a Node cannot lose a range says nothing of what a plugin named before."""
    (first, *_) = builders.a_node().pod_cidrs
    node = builders.a_node(pod_cidrs=(first,))
    calico = said(first, BLOCK, source=PodSource.CALICO)
    world = builders.a_world(calico, settings=CALICO, node=node)
    assert pods(world) == {first, BLOCK}

    edited = builders.after(world, events.ConfigLoaded(config=builders.a_config()))

    assert pods(edited) == {first}


def test_the_last_word_of_the_former_source_does_not_count() -> None:
    world = with_cilium(said(RANGE), said(BLOCK, source=PodSource.CALICO))

    assert judged.named(world) == (RANGE,)


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        ("0.0.0.0/0", "a default route is never announced"),
        ("10.0.0.0/8", "outside of the allowed"),
        ("10.245.0.0/24", "outside of the allowed"),
    ],
)
def test_a_hostile_range_is_withheld_whoever_names_it(hostile: str, words: str) -> None:
    world = with_cilium(said(*builders.networks(hostile)))

    (reason,) = withheld(world)
    assert pods(world) == set()
    assert reason.startswith("not-allowed:")
    assert words in reason


@pytest.mark.parametrize(
    ("cidr", "words"),
    [("10.96.7.0/24", "overlaps the service range"), ("192.0.2.8/29", "covers 192.0.2.11")],
)
def test_a_range_of_the_services_or_of_the_node_is_withheld_where_within_is_too_wide(
    cidr: str, words: str
) -> None:
    wide = dataclasses.replace(CILIUM, pods_within=builders.networks("10.0.0.0/8", "192.0.2.0/24"))

    world = builders.a_world(said(*builders.networks(cidr)), settings=wide)

    (reason,) = withheld(world)
    assert words in reason


def test_end_of_rib_waits_until_the_plugin_has_been_heard() -> None:
    """Sent before, it makes a router purge the pod range that graceful restart preserved."""
    peer = builders.a_peer(graceful_restart=60)
    settings = dataclasses.replace(CILIUM, peers=(peer,))
    world = builders.a_serving_world(settings=settings)

    assert not ends(world)
    assert ends(builders.after(world, said(RANGE)))


def ends(world: World) -> bool:
    """Return whether End-of-RIB comes, once all else is said and acknowledged."""
    for _ in range(20):
        turn = step.step(world, (events.Tick(),), builders.START)
        world = turn.world
        if any(isinstance(each, commands.EndOfRib) for each in turn.commands):
            return True
        if not turn.commands:
            return False
        world = builders.after(world, events.CommandDone(command=turn.commands[0]))
        routes = [route for rib in (world.rib or {}).values() for route in rib.routes]
        sent = events.UpdateSent(peer=builders.TOR_A, announced=frozenset(routes))
        world = builders.after(world, sent)
    return False


def test_what_cannot_be_understood_of_the_objects_is_shown() -> None:
    odd = dataclasses.replace(said(RANGE), problems=("spec.ipam.podCIDRs[1] is 7",))

    shown = summary.status(builders.turn(with_cilium(odd)), builders.START)

    assert shown["kubernetes"]["node_problems"] == ["spec.ipam.podCIDRs[1] is 7"]


class TestPodsElsewhere:
    """The network plugin does not use the ranges that the node announces."""

    def world(self, *addresses: str, **changes: Any) -> World:
        found = tuple(ipaddress.ip_address(each) for each in addresses)
        seen = pod_ranges.PodsSeen(addresses={"cali*": found})
        return builders.a_world(seen, settings=builders.a_config(**changes))

    def test_are_a_warning_that_names_one_of_them(self) -> None:
        (row,) = summary.status(
            builders.turn(self.world("10.244.3.7", "10.0.1.5", "10.0.1.6")), builders.START
        )["warnings"]

        assert (row["cause"], row["pods"]) == ("pods-elsewhere", 2)
        assert row["text"].startswith("10.0.1.5 behind cali* and 1 more outside of the announced")

    def test_withdraw_nothing(self) -> None:
        assert builders.PODS not in {
            each.prefix_class for each in builders.decided(self.world("10.0.1.5")).withheld
        }

    def test_that_are_none_are_no_warning(self) -> None:
        assert not self.world("10.244.3.7", "fd00:10:244:3::9").pods_elsewhere

    def test_of_a_family_without_a_range_are_no_warning(self) -> None:
        node = builders.a_node(pod_cidrs=(builders.POD_RANGE,))
        seen = pod_ranges.PodsSeen(addresses={"cali*": (ipaddress.ip_address("fd00:1::9"),)})

        assert not builders.a_world(seen, node=node).pods_elsewhere

    def test_are_looked_for_only_where_the_node_names_the_ranges(self) -> None:
        blocks = said(RANGE, source=PodSource.CALICO)
        world = builders.after(self.world("10.0.1.5", pods_from=PodSource.CALICO), blocks)

        assert pods(world) == {RANGE}
        assert not world.pods_elsewhere

    def test_are_looked_for_only_where_pods_are_announced(self) -> None:
        assert not self.world("10.0.1.5", pods_within=()).pods_elsewhere

    def test_are_said_once_and_that_they_are_gone(self) -> None:
        told, first = notices.tell(Told(), builders.turn(self.world("10.0.1.5")))
        told, more = notices.tell(told, builders.turn(self.world("10.0.1.6", "10.0.1.7")))
        _, last = notices.tell(told, builders.turn(self.world()))

        assert Word.PODS_ELSEWHERE in {each.word for each in first}
        assert Word.PODS_ELSEWHERE not in {each.word for each in more}
        assert Word.PODS_COVERED in {each.word for each in last}

    def test_are_said_anew_for_no_pod_that_comes_or_goes(self) -> None:
        assert elsewhere.sentence(self.world("10.0.1.5")) == elsewhere.sentence(
            self.world("10.0.1.6", "10.0.1.7")
        )


def test_what_a_plugin_says_takes_a_turn() -> None:
    turn = builders.turn(with_cilium())

    assert quiet.noted(turn, (said(RANGE),), builders.START) is None
