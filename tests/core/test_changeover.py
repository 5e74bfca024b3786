"""The way from the sessions that ExaBGP has to the wanted ones, stage by stage."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping
from typing import Any

import hypothesis
from hypothesis import strategies as st

from exabgp_k8s.core import step
from exabgp_k8s.core.decide import changeover
from exabgp_k8s.core.facts import commands, config, events, model, reload
from exabgp_k8s.core.observe import reloads
from exabgp_k8s.core.plan import stages
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import waits
from tests.support import builders
from tests.support.builders import START, TOR_A, TOR_B

OTHER_IP = ipaddress.ip_address("192.0.2.77")
TOR_C, TOR_D = ipaddress.ip_address("192.0.2.3"), ipaddress.ip_address("192.0.2.4")
NAMES = {TOR_A: "tor-a", TOR_B: "tor-b", TOR_C: "tor-c", TOR_D: "tor-d"}
ALL = frozenset(builders.ALL_RANGES)
SLOWER = {"hold_time": 30}
MOVED = {"local_address": OTHER_IP}

Peers = Mapping[model.Address, Mapping[str, Any]]


def settings(peers: Peers) -> config.Config:
    """Return settings for these peers, each with its own changes."""
    return builders.a_config(
        peers=tuple(
            builders.a_peer(NAMES[address], address, **changes)
            for address, changes in peers.items()
        )
    )


class Life:
    """A node, an ExaBGP that does what it is told, and routers that take what they get."""

    def __init__(self, peers: Peers) -> None:
        self.now = START
        self.world = builders.a_serving_world(settings=settings(peers))

    def happens(self, *happened: events.Event) -> None:
        self.world = step.step(self.world, happened, self.now).world

    def edit(self, peers: Peers) -> None:
        self.happens(events.ConfigLoaded(config=settings(peers)))

    def turn(self) -> Turn:
        return step.step(self.world, (events.Tick(),), self.now)

    def stage(self) -> dict[model.Address, model.Neighbor]:
        stage = self.turn().stage
        assert stage is not None
        return {each.address: each for each in stage}

    def running(self) -> dict[model.Address, model.Neighbor]:
        return {each.address: each for each in self.world.neighbors or ()}

    def torn(self) -> set[model.Address]:
        """Return the sessions that are up and that the stage makes anew."""
        stage, running = self.stage(), self.running()
        return {
            peer
            for peer in stage.keys() & running.keys()
            if self.is_up(peer) and stage[peer].is_reset_from(running[peer])
        }

    def is_up(self, peer: model.Address) -> bool:
        return peer in self.world.sessions and self.world.sessions[peer].is_up

    def held(self, peer: model.Address) -> frozenset[model.Network]:
        return frozenset((self.world.rib or {})[peer].routes)

    def obey(self) -> None:
        """Have ExaBGP do all that it is told."""
        for _ in range(100):
            turn = self.turn()
            self.world = turn.world
            if not turn.commands:
                return
            command = turn.commands[0]
            if isinstance(command, commands.ShowNeighbors):
                rows = (builders.row_of(each) for each in self.world.neighbors or ())
                self.happens(events.NeighborsRead(rows=tuple(
                    row if self.is_up(row.peer) else dataclasses.replace(row, is_up=False)
                    for row in rows
                )))  # fmt: skip
            else:
                self.happens(*builders.answers(self.world, command))
        raise AssertionError("no end")

    def configure(self) -> None:
        """Have ExaBGP take the stage; what it makes anew is down then."""
        self.now += 1
        stage, torn = tuple(self.stage().values()), self.torn()
        self.happens(reload.Asked(neighbors=stage))
        self.happens(reload.Taken(neighbors=stage))
        for peer in torn:
            self.happens(builders.down(peer))

    def install(self) -> None:
        """Have the routers bring into their kernels what they were sent."""
        self.now += changeover.INSTALL_TIME

    def come_up(self, peer: model.Address) -> None:
        negotiated, changed = builders.up(peer)
        assert isinstance(changed, events.SessionChanged)
        local = self.running()[peer].local_address
        self.happens(negotiated, dataclasses.replace(changed, local=local))


def serving(*peers: model.Address) -> Life:
    return Life({peer: {} for peer in peers})


def test_a_new_peer_never_waits() -> None:
    life = serving(TOR_A)
    life.edit({TOR_A: SLOWER, TOR_B: {}, TOR_C: {}})
    life.configure()

    life.edit({peer: {} for peer in NAMES})

    assert life.stage().keys() == NAMES.keys()


def test_a_session_that_waits_for_its_turn_says_so() -> None:
    life = serving(TOR_A, TOR_B)
    life.edit({TOR_A: SLOWER, TOR_B: SLOWER})
    life.configure()

    (wait,) = waits.find(life.turn(), life.now)

    assert wait.what is waits.What.TURN
    assert "tor-b" in wait.then
    assert wait.until == life.now + reloads.RESET_LIMIT


def test_a_removed_peer_stays_until_its_routes_are_withdrawn() -> None:
    life = serving(TOR_A, TOR_B)
    life.edit({TOR_B: {}})
    assert TOR_A in life.stage()
    asked = list(builders.single(life.turn().commands))
    assert {each.route for each in asked if isinstance(each, commands.Withdraw)} == set(
        (life.world.rib or {})[TOR_A].routes.values()
    )

    life.obey()

    assert life.stage().keys() == {TOR_B}
    assert life.held(TOR_B) == ALL


def test_what_is_only_kept_because_little_is_known_goes_with_its_session() -> None:
    life = serving(TOR_A, TOR_B)
    undecided = builders.a_config(peers=(builders.a_peer(),), checks=(builders.a_check(),))
    life.happens(events.ConfigLoaded(config=undecided))

    life.obey()

    assert life.held(TOR_A) == ALL
    assert life.held(TOR_B) == frozenset()


def test_nobody_waits_for_ever_for_a_withdrawal() -> None:
    life = serving(TOR_A, TOR_B)
    life.edit({TOR_B: {}})
    assert life.turn().deadline == START + stages.LEAVE_LIMIT

    life.now += stages.LEAVE_LIMIT

    assert life.stage().keys() == {TOR_B}


def test_a_session_that_gets_another_address_of_ours_is_withdrawn_before_it_moves() -> None:
    life = serving(TOR_A, TOR_B)
    life.edit({TOR_A: MOVED, TOR_B: {}})
    assert life.stage()[TOR_A].local_address == builders.NODE_IP
    assert TOR_A not in {peer for peer, _ in life.turn().decision.routes or {}}

    life.obey()
    assert life.held(TOR_A) == frozenset()
    assert life.stage()[TOR_A].local_address == OTHER_IP

    life.configure()
    life.come_up(TOR_A)
    life.obey()
    assert life.held(TOR_A) == ALL
    assert (life.world.rib or {})[TOR_A].routes[builders.POD_RANGE].next_hop == OTHER_IP
    assert not life.world.leaving


def test_a_session_that_comes_back_with_the_same_addresses_keeps_its_routes() -> None:
    """With graceful restart its router forwards on meanwhile."""
    life = serving(TOR_A)

    life.edit({TOR_A: SLOWER})

    assert life.stage()[TOR_A].hold_time == 30
    assert not life.turn().commands
    assert not life.world.leaving


def test_a_session_that_is_down_before_the_reload_is_known_holds_back_the_next() -> None:
    """ExaBGP closes it at once, and its file is looked at every few milliseconds."""
    life = serving(TOR_A, TOR_B)
    life.edit({TOR_A: SLOWER, TOR_B: SLOWER})
    stage = tuple(life.stage().values())

    life.happens(reload.Asked(neighbors=stage))
    life.happens(builders.down(TOR_A))
    assert tuple(life.stage().values()) == stage
    life.happens(reload.Taken(neighbors=stage))

    assert not life.torn()
    life.now += 1
    life.come_up(TOR_A)
    life.obey()
    life.install()
    assert life.torn() == {TOR_B}


def test_a_configuration_that_is_refused_holds_back_nobody() -> None:
    life = serving(TOR_A, TOR_B)
    life.edit({TOR_A: SLOWER, TOR_B: SLOWER})
    stage = tuple(life.stage().values())

    life.happens(reload.Asked(neighbors=stage))
    assert tuple(life.stage().values()) == stage
    life.happens(reload.Refused(problem="no"))

    assert tuple(life.stage().values()) == stage
    assert life.torn() == {TOR_A}


def test_a_session_that_moves_gets_nothing_back_while_its_configuration_is_on_its_way() -> None:
    life = serving(TOR_A, TOR_B)
    life.edit({TOR_A: MOVED, TOR_B: {}})
    life.obey()

    for happened in (
        reload.Asked(neighbors=tuple(life.stage().values())),
        reload.Refused(problem="no"),
    ):
        life.happens(happened)

        assert not life.turn().commands
        assert life.world.leaving.keys() == {TOR_A}


def test_the_next_session_is_promised_its_turn_by_the_limit_whatever_comes_before() -> None:
    life = serving(TOR_A, TOR_B, TOR_C)
    life.edit(dict.fromkeys((TOR_A, TOR_B, TOR_C), SLOWER))
    life.configure()
    limit = life.now + reloads.RESET_LIMIT
    life.come_up(TOR_A)
    life.obey()

    assert {wait.until for wait in waits.find(life.turn(), life.now)} == {limit}


def test_sessions_are_made_anew_one_after_the_other() -> None:
    life = serving(TOR_A, TOR_B, TOR_C)
    life.edit(dict.fromkeys((TOR_A, TOR_B, TOR_C), SLOWER))
    order = []
    for _ in range(3):
        (peer,) = life.torn()
        order.append(peer)
        life.configure()
        assert not life.torn(), "the next one waits"
        life.come_up(peer)
        assert not life.torn(), "up is not enough: it has to have its routes"
        life.obey()
        assert not life.torn(), "nor is what is sent: the router has to forward by it"
        assert life.turn().deadline == life.now + changeover.INSTALL_TIME
        life.install()

    assert order == [TOR_A, TOR_B, TOR_C]
    assert {each.hold_time for each in life.running().values()} == {30}
    assert life.turn().stage == life.turn().decision.neighbors == life.world.neighbors


def test_routes_go_to_a_session_that_waits_as_it_runs() -> None:
    life = serving(TOR_A, TOR_B)

    life.edit({TOR_A: MOVED, TOR_B: MOVED})

    routes = life.turn().decision.routes or {}
    assert routes[TOR_B, builders.POD_RANGE].next_hop == builders.NODE_IP
    assert (TOR_A, builders.POD_RANGE) not in routes


def test_one_that_does_not_come_back_is_not_waited_for_for_ever() -> None:
    life = serving(TOR_A, TOR_B)
    life.edit({TOR_A: SLOWER, TOR_B: SLOWER})
    life.configure()
    life.obey()
    since = life.now

    life.now = since + reloads.RESET_LIMIT - 1
    assert life.stage()[TOR_B].hold_time == 9
    life.now = since + reloads.RESET_LIMIT
    assert life.stage()[TOR_B].hold_time == 30
    assert life.now in stages.deadlines(life.world)


def test_sessions_that_are_down_anyway_do_not_wait() -> None:
    """The edit may be what brings them up."""
    life = serving(TOR_A, TOR_B, TOR_C)
    life.happens(builders.down(TOR_A), builders.down(TOR_C))

    life.edit(dict.fromkeys((TOR_A, TOR_B, TOR_C), SLOWER))

    assert {each.hold_time for each in life.stage().values()} == {30}


def test_an_edit_taken_back_before_its_turn_changes_nothing() -> None:
    life = serving(TOR_A, TOR_B)
    life.edit({TOR_A: SLOWER, TOR_B: SLOWER})
    life.configure()
    life.edit({TOR_A: SLOWER, TOR_B: {}})
    life.come_up(TOR_A)
    life.obey()

    assert life.turn().stage == life.world.neighbors


def test_an_agent_that_starts_withdraws_what_its_predecessor_configured_and_nobody_wants() -> None:
    rows = (builders.a_row(TOR_A, local=OTHER_IP), builders.a_row(TOR_B), builders.a_row(TOR_C))
    held = tuple(builders.a_route(builders.POD_RANGE, row.peer) for row in rows)
    world = builders.a_world(settings=settings({TOR_A: {}, TOR_B: {}}))
    turn = step.step(world, (events.Tick(),), START)
    assert turn.stage is None, "not before it is known who is there"

    read = (events.NeighborsRead(rows=rows), events.RibRead(routes=held))
    turn = step.step(turn.world, read, START)

    assert turn.stage is None
    assert {
        each.route.peer
        for each in builders.single(turn.commands)
        if isinstance(each, commands.Withdraw)
    } == {TOR_A, TOR_C}


def test_a_node_that_changes_racks_turns_from_router_to_router_one_session_after_the_other() -> (
    None
):
    """Both routers of a rack have the addresses of those of the other rack."""
    peers = tuple(
        builders.a_peer(f"{NAMES[address]}-{rack}", address, asn=asn,
                        selector=builders.in_rack(rack))
        for address in (TOR_A, TOR_B)
        for rack, asn in (("a", 64513), ("b", 64514))
    )  # fmt: skip
    life = Life({})
    life.world = builders.a_serving_world(settings=builders.a_config(peers=peers))

    life.happens(events.NodeSeen(node=builders.a_node(labels={"rack": "b"})))
    order = []
    for _ in range(4):
        life.obey()
        life.install()
        life.obey()
        torn = life.torn()
        assert not any(life.held(peer) for peer in torn), "withdrawn before it ends"
        order += sorted(torn)
        life.configure()
        for peer in torn:
            life.come_up(peer)

    assert order == [TOR_A, TOR_B]
    running = {each.name: each.peer_asn for each in life.running().values()}
    assert running == {"tor-a-b": 64514, "tor-b-b": 64514}
    assert life.held(TOR_A) == life.held(TOR_B) == ALL


PEERS = st.dictionaries(
    st.sampled_from(sorted(NAMES)),
    st.fixed_dictionaries(
        {"hold_time": st.sampled_from([9, 30]), "asn": st.sampled_from([64513, 64513, 64514])},
        optional={
            "local_address": st.sampled_from([config.LocalAddress.NODE, OTHER_IP]),
            "graceful_restart": st.sampled_from([None, 60]),
        },
    ),
)


@hypothesis.given(before=PEERS, wanted=PEERS, down=st.frozensets(st.sampled_from(sorted(NAMES))))
@hypothesis.settings(
    max_examples=40, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
def test_every_way_ends_and_no_stage_of_it_takes_two_sessions_down(
    before: Peers, wanted: Peers, down: frozenset[model.Address]
) -> None:
    life = Life(before)
    for peer in down & before.keys():
        life.happens(builders.down(peer))
    life.edit(wanted)
    for _ in range(10):
        life.obey()
        life.install()
        life.obey()
        running, stage, torn = life.running(), life.stage(), life.torn()
        assert wanted.keys() <= stage.keys(), "additions never wait"
        assert len(torn) <= 1
        moved = {peer for peer in torn if stage[peer].is_moved_from(running[peer])}
        assert not any(life.held(peer) for peer in running.keys() - stage.keys() | moved)
        if life.turn().stage == life.world.neighbors:
            break
        life.configure()
        for peer in torn:
            life.come_up(peer)

    assert set(life.running().values()) == set(life.turn().decision.neighbors or ())
