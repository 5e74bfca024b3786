"""The agent against a model ExaBGP, whatever happens in whatever order.

The core, the dialogue and both wire languages are the real ones, and only text passes between
the two sides. The model has ExaBGP's faults; sessions come and go, answers are late, commands
are refused, either side dies. Two things hold always (in ``_act`` and ``exabgp_executes``); the
rest must hold once nothing happens any more (in ``_quiet``).
"""

from __future__ import annotations

import dataclasses
import ipaddress

import hypothesis
from hypothesis import stateful
from hypothesis import strategies as st

from exabgp_k8s.core import step
from exabgp_k8s.core.decide.decision import Decision
from exabgp_k8s.core.facts import (
    asns,
    budget,
    commands,
    config,
    events,
    in_use,
    lifecycle,
    model,
    offer,
    reload,
    routers,
)
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.judge import slots
from exabgp_k8s.core.plan import changes
from exabgp_k8s.core.report import notices
from exabgp_k8s.core.report.told import Told
from exabgp_k8s.wire.dialogue import Dialogue
from tests.support import builders, model_exabgp
from tests.support.builders import TOR_A, TOR_B

PREFIXES = (builders.SERVICE_RANGE, builders.POD_RANGE, builders.POD_RANGE6)
PEERS = (
    builders.a_peer(graceful_restart=120, selector=builders.in_rack("a")),
    builders.a_peer("tor-a-of-b", graceful_restart=60, asn=64514, selector=builders.in_rack("b")),
    builders.a_peer("tor-b", TOR_B, families=(model.Family.IPV4,)),
)
"""The first router has the same address in both racks."""
SETTINGS = builders.a_config(
    peers=PEERS,
    service_cidrs=(builders.SERVICE_RANGE,),
    checks=(builders.a_check(affects=frozenset({model.PrefixClass.SERVICES})),),
    budget=config.Budget(),
)
GRANTED = events.BudgetSeen(count=budget.Count(taken=1, allowed=2, nodes=4))
EXHAUSTED = events.BudgetSeen(count=budget.Count(taken=2, allowed=2, nodes=4))
LEASES = (GRANTED, EXHAUSTED, events.BudgetSeen(), events.BudgetLost(problem="refused"))
GATEWAY = routers.Gateway(family=model.Family.IPV4)
OF_THE_NODE = asns.OfTheNode(source=asns.Source.LABEL, key="asn")
OTHER_IP = ipaddress.ip_address("192.0.2.77")
ADDRESSES = st.sampled_from([TOR_A, TOR_B])
NOTHING_USED = in_use.InUse()
SECOND_IP = ipaddress.ip_address("192.0.2.77")
LISTED = (
    (builders.NODE_IP, builders.NODE_IP6),
    (SECOND_IP, builders.NODE_IP, builders.NODE_IP6),
    (SECOND_IP,),
    (),
)
"""The InternalIPs that a Node may list; the host has them all."""


class Machine(stateful.RuleBasedStateMachine):
    """One node: its agent, its ExaBGP and its two routers."""

    def __init__(self) -> None:
        super().__init__()
        self.now = builders.START
        self.exabgp = model_exabgp.Daemon()
        self.settings = SETTINGS
        self.node = builders.a_node()
        self.is_drained = False
        self.unheard: dict[tuple[model.Address, model.Network], float] = {}
        """Changes of peers that are up whose echo the agent has not read, and since when."""
        self._start()

    def _start(self, used: in_use.InUse = NOTHING_USED) -> None:
        """Begin a new agent's life: it has its settings and, where there was one, its drain.

        What its predecessor in the same pod used is in the state directory.
        """
        self.world = World(started=self.now)
        self.told = Told()
        self.dialogue = Dialogue()
        self.unheard.clear()
        self.inherited = {
            key: router.lost_at for key, router in self.exabgp.routers.items() if router.stale
        }
        self._turn(events.UseRecalled(in_use=used))
        self._turn(events.ConfigLoaded(config=self.settings))
        if self.is_drained:
            self._turn(events.DrainAsked())
        self._act()

    def _turn(self, event: events.Event) -> None:
        self.turn = step.step(self.world, (event,), self.now)
        self.world = self.turn.world
        self.told, _ = notices.tell(self.told, self.turn)
        assert not notices.tell(self.told, self.turn)[1]

    def _check_drained(self) -> None:
        """Drained, no router has a route of ours, not even as the neighbor of a former session.

        Of an address that an earlier agent used nothing can be known, and what has not been read
        yet is not known either.
        """
        is_drained = self.world.phase is lifecycle.Phase.DRAINED
        if not is_drained or self.world.stop is lifecycle.Stop.ROLLOUT or self.exabgp.output:
            return
        configured = self.world.neighbors or self.turn.decision.neighbors or ()
        current = {(each.address, each.local_address) for each in configured}
        for key, router in self.exabgp.routers.items():
            is_foreign = self.inherited.get(key) == router.lost_at and key not in current
            assert is_foreign or not router.routes, f"drained, and {key} has {router.routes}"

    def _act(self) -> None:
        """Do what the agent's loop does after each item of its inbox."""
        if self.world.is_reload_lost:
            self.exabgp.die()
            self._start(self.world.in_use)
        if not self.turn.commands or not self.dialogue.is_idle:
            return
        command = self.turn.commands[0]
        if isinstance(command, commands.EndOfRib):
            self._check_end(command)
        self.exabgp.ask(self.dialogue.send(command, self.now))

    def _check_end(self, command: commands.EndOfRib) -> None:
        """End-of-RIB comes after the routes, and only where graceful restart is configured."""
        peer = self.exabgp.peers[command.peer]
        assert peer.neighbor.graceful_restart is not None
        if not peer.is_up or self.exabgp.output:
            return
        wanted = _routes_of(self.turn.decision, command.peer, (command.family,))
        heard = peer.router.routes
        assert all(heard.get(prefix) == route for prefix, route in wanted.items())

    def _happens(self, event: events.Event) -> None:
        self._turn(event)
        self._check_drained()
        self._act()

    @stateful.initialize(is_serving=st.sampled_from([True, True, False]))
    def most_lives_begin_in_the_middle(self, *, is_serving: bool) -> None:
        if not is_serving:
            return
        self._quiet()
        for address in self.exabgp.peers:
            self.exabgp.establish(address)
        self._quiet()

    # ExaBGP and the routers

    @stateful.rule()
    def exabgp_executes(self) -> None:
        """A change is answered; never a second one of a prefix before the first one's echo."""
        held = {address: dict(peer.stored) for address, peer in self.exabgp.peers.items()}
        for peer, change in self.exabgp.execute():
            address, prefix = peer.neighbor.address, change.route.prefix
            if change.is_withdrawal and prefix in held[address]:
                assert held[address][prefix] == change.route, "withdrawn with other attributes"
            if peer.is_up and model.family_of(prefix) in peer.neighbor.families:
                since = self.unheard.get((address, prefix), float("-inf"))
                is_late = self.now >= since + changes.OVERDUE
                assert is_late, "a second change before the first one's echo"
                self.unheard[address, prefix] = self.now

    @stateful.rule(address=ADDRESSES)
    def exabgp_sends(self, address: model.Address) -> None:
        if address in self.exabgp.peers:
            list(self.exabgp.send(self.exabgp.peers[address]))

    @stateful.rule()
    def exabgp_takes_its_configuration(self) -> None:
        self.exabgp.take_configuration()

    @stateful.rule(lines=st.integers(min_value=1, max_value=4), cut=st.integers(0, 60))
    def the_agent_reads(self, lines: int, cut: int) -> None:
        texts = [self.exabgp.output.popleft() for _ in range(min(lines, len(self.exabgp.output)))]
        data = "".join(f"{text}\n" for text in texts).encode()
        for part in (data[:cut], data[cut:]):
            for event in self.dialogue.receive(part):
                self._note_echo(event)
                self._turn(event)
            self._act()
        self._check_drained()

    def _note_echo(self, event: events.Event) -> None:
        if isinstance(event, events.UpdateSent):
            for prefix in event.announced | event.withdrawn:
                self.unheard.pop((event.peer, prefix), None)

    @stateful.rule(address=ADDRESSES)
    def a_session_comes_up(self, address: model.Address) -> None:
        if address in self.exabgp.peers:
            self.exabgp.establish(address)

    @stateful.rule(address=ADDRESSES)
    def a_session_goes_down(self, address: model.Address) -> None:
        if address in self.exabgp.peers:
            self.exabgp.lose(address)
        self._forget(address)

    def _forget(self, address: model.Address) -> None:
        self.unheard = {key: at for key, at in self.unheard.items() if key[0] != address}

    @stateful.rule()
    def exabgp_will_refuse(self) -> None:
        self.exabgp.refuses_next = True

    @stateful.rule()
    def exabgp_dies(self) -> None:
        self.exabgp.die()
        self._start(self.world.in_use)

    # The node and the people

    @stateful.rule()
    def the_agent_dies(self) -> None:
        self.exabgp.respawn_helper()
        self._start(self.world.in_use)

    @stateful.rule()
    def the_agent_configures(self) -> None:
        wanted = self.turn.stage
        if wanted is None or wanted == self.world.neighbors:
            return
        self._happens(reload.Asked(neighbors=wanted))
        same = {each.address for each in set(wanted) & set(self.exabgp.neighbors())}
        for address in {TOR_A, TOR_B} - same:
            self._forget(address)
        self.exabgp.reload(wanted)
        self._happens(reload.Taken(neighbors=wanted))

    @stateful.rule()
    def the_node_is_seen(self) -> None:
        self._happens(events.NodeSeen(node=self.node))

    @stateful.rule(
        is_unschedulable=st.booleans(),
        override=st.sampled_from(model.Override),
        has_pods=st.booleans(),
    )
    def the_node_changes(
        self, *, is_unschedulable: bool, override: model.Override, has_pods: bool
    ) -> None:
        self.node = dataclasses.replace(
            self.node,
            is_unschedulable=is_unschedulable,
            override=override,
            pod_cidrs=(builders.POD_RANGE, builders.POD_RANGE6) if has_pods else (),
        )
        self._happens(events.NodeSeen(node=self.node))

    @stateful.rule(listed=st.sampled_from(LISTED))
    def the_node_lists_other_addresses(self, listed: tuple[model.Address, ...]) -> None:
        """A session keeps the address that its router knows the node by."""
        rules = {peer.name: str(peer.local_address) for peer in self.settings.peers}
        proven = {
            name: used.local_address
            for name, used in self.world.in_use.peers.items()
            if used.is_proven and used.rule == rules.get(name)
        }
        self.node = dataclasses.replace(self.node, internal_ips=listed)
        self._happens(events.NodeSeen(node=self.node))
        for neighbor in self.turn.decision.neighbors or ():
            expected = proven.get(neighbor.name, neighbor.local_address)
            assert neighbor.local_address == expected

    @stateful.rule(
        rack=st.sampled_from(["a", "b"]), asn=st.sampled_from(["64512", "64599", "none", ""])
    )
    def the_node_moves_to_a_rack(self, rack: str, asn: str) -> None:
        """It has the one peer or the other of the same address, never both.

        It has none only where it never said the AS number that it is to say, or has no address
        that the router could know it by.
        """
        self.node = dataclasses.replace(self.node, labels={"rack": rack, "asn": asn})
        self._happens(events.NodeSeen(node=self.node))
        name = {"a": "tor-a", "b": "tor-a-of-b"}[rack]
        if self.turn.decision.neighbors is not None:
            at_a = [each.name for each in self.turn.decision.neighbors if each.address == TOR_A]
            unaddressed = model.Reason.NO_LOCAL_ADDRESS
            held = {each.name: each.cause.reason for each in self.turn.decision.peers_held}
            is_excused = not self.world.in_use.asns or held.get(name) == unaddressed
            assert at_a == [name] or (is_excused and not at_a)

    @stateful.rule(is_ok=st.booleans())
    def the_check_runs(self, *, is_ok: bool) -> None:
        self._happens(builders.outcome(is_ok=is_ok))

    @stateful.rule(
        med=st.sampled_from([None, 1, 2]),
        hold=st.sampled_from([0, 4]),
        count=st.sampled_from([2, 2, 1]),
        local=st.sampled_from([config.LocalAddress.NODE, OTHER_IP]),
        hold_time=st.sampled_from([9, 6]),
        asn=st.sampled_from([64512, 64512, 64599, OF_THE_NODE]),
        is_found=st.booleans(),
    )
    def the_settings_change(
        self,
        *,
        med: int | None,
        hold: float,
        count: int,
        local: config.LocalAddress | model.Address = config.LocalAddress.NODE,
        hold_time: int = 9,
        asn: int | asns.OfTheNode = 64512,
        is_found: bool = False,
    ) -> None:
        attributes = model.Attributes(med=med, communities=((64512, 10),))
        # Not the same, so that their changes are lines of their own; or no pods at all.
        pods = None if med == 1 else offer.Offer(attributes=model.Attributes(med=med))
        peers = tuple(
            dataclasses.replace(
                peer,
                services=offer.Offer(attributes=attributes),
                pods=pods,
                local_address=local,
                hold_time=hold_time,
                local_asn=asn,
            )
            for peer in PEERS
        )
        left = tuple(each for each in peers if count == 2 or each.address == TOR_A)
        found = tuple(each.at(GATEWAY) for each in left if is_found and each.address == TOR_B)
        self.settings = dataclasses.replace(
            SETTINGS,
            peers=left[: len(left) - len(found)],
            sought=tuple(each for each in found if isinstance(each, config.Sought)),
            graceful_shutdown=hold,
        )
        self._happens(events.ConfigLoaded(config=self.settings))

    @stateful.rule(gateways=st.sampled_from([(), (TOR_B,), (TOR_A,), (TOR_A, TOR_B)]))
    def the_default_route_changes(self, gateways: tuple[model.Address, ...]) -> None:
        """What the node found stays without a route, and never takes another peer's router."""
        found = self.world.in_use.routers.get(str(GATEWAY))
        self._happens(events.HostSeen(gateways={model.Family.IPV4: gateways}))
        if self.turn.decision.neighbors is None or self.settings.sought == ():
            return
        used = self.world.in_use.routers.get(str(GATEWAY))
        assert used is None or used.address == TOR_B
        assert used is not None or (found is None and TOR_B not in gateways[:1])

    @stateful.rule(answer=st.sampled_from(LEASES))
    def the_leases_answer(self, answer: events.Event) -> None:
        self._happens(answer)

    @stateful.rule()
    def somebody_drains(self) -> None:
        self.is_drained = True
        self._happens(events.DrainAsked())

    @stateful.rule()
    def somebody_undrains(self) -> None:
        self.is_drained = False
        self._happens(events.UndrainAsked())

    @stateful.rule(is_rollout=st.booleans())
    def the_pod_is_to_end(self, *, is_rollout: bool) -> None:
        self._happens(events.DrainAsked(is_stopping=True, is_rollout=is_rollout))

    @stateful.rule()
    def the_pod_ends_and_another_one_starts(self) -> None:
        self.is_drained = False
        self.exabgp.die()
        self._start()

    @stateful.rule(seconds=st.sampled_from([0.01, 0.2, 1.5, 6, 40]))
    def time_passes(self, seconds: float) -> None:
        self._pass(seconds)
        if self.dialogue.deadline is not None and self.now >= self.dialogue.deadline:
            self.the_agent_dies()
        self._happens(events.Tick())

    def _pass(self, seconds: float) -> None:
        self.now += seconds
        self.exabgp.now = self.now
        for router in self.exabgp.routers.values():
            router.waits(self.now)

    # What must be true

    @stateful.rule()
    def nothing_happens_any_more(self) -> None:
        self._quiet()

    def teardown(self) -> None:
        """Hold every life to its end."""
        self._quiet()

    def _quiet(self) -> None:
        """Let everything under way come to its end; then look at the routers."""
        self.the_node_is_seen()
        if self.settings.checks[0].name not in self.world.checks:
            self.the_check_runs(is_ok=True)
        self.exabgp.refuses_next = False
        for _ in range(300):
            if slots.permission(self.world, self.now) is slots.Permission.PENDING:
                self.the_leases_answer(GRANTED)
            self._everybody_works()
            if self._is_quiet():
                break
            self._pass(max(0.001, (self.turn.deadline or self.now) - self.now))
            self._happens(events.Tick())
        else:
            raise AssertionError(f"no end in sight: {self.turn.commands}")
        self._check_routers()

    def _everybody_works(self) -> None:
        for _ in range(50):
            self.the_agent_configures()
            self.exabgp.take_configuration()
            self.exabgp_executes()
            for address in list(self.exabgp.peers):
                self.exabgp_sends(address)
            if not self.exabgp.output:
                return
            while self.exabgp.output:
                self.the_agent_reads(lines=4, cut=0)

    def _is_quiet(self) -> bool:
        is_idle = self.dialogue.is_idle and not self.turn.commands and not self.exabgp.is_busy
        return is_idle and self.turn.deadline is None

    def _check_routers(self) -> None:
        decision = self.turn.decision
        assert set(decision.neighbors or ()) == set(self.exabgp.neighbors())
        for address, peer in self.exabgp.peers.items():
            wanted = _routes_of(decision, address, tuple(model.Family))
            assert peer.stored == wanted, "ExaBGP holds something else"
            if peer.is_up:
                heard = _routes_of(decision, address, peer.neighbor.families)
                assert peer.router.routes == heard, "the router holds something else"
        if self.is_drained or self.world.stop is not lifecycle.Stop.NOT_ASKED:
            assert self.world.phase is lifecycle.Phase.DRAINED
        if self.is_drained or self.world.stop is lifecycle.Stop.DRAIN:
            assert decision.routes == {}
        if self.world.stop is lifecycle.Stop.ROLLOUT:
            assert not self.node.is_unschedulable or self.node.override is model.Override.ALWAYS
            assert {peer for peer, _ in decision.routes or {}} <= {TOR_A}, "kept for nothing"


def _routes_of(
    decision: Decision, address: model.Address, families: tuple[model.Family, ...]
) -> dict[model.Network, model.Route]:
    return {
        prefix: route
        for (peer, prefix), route in (decision.routes or {}).items()
        if peer == address and model.family_of(prefix) in families
    }


TestMachine = Machine.TestCase
TestMachine.settings = hypothesis.settings(
    max_examples=60,
    report_multiple_bugs=False,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


def test_a_route_that_exabgp_announces_after_its_withdrawal_does_not_stay() -> None:
    """Two attribute sets and a withdrawal wait for the session; the first set leaves alone."""
    life = Machine()
    life.most_lives_begin_in_the_middle(is_serving=True)
    life.a_session_goes_down(TOR_A)
    for med in (1, 2):
        life.the_settings_change(med=med, hold=0, count=2)
        life.nothing_happens_any_more()
    life.somebody_drains()
    life.nothing_happens_any_more()

    life.a_session_comes_up(TOR_A)
    life.exabgp_sends(TOR_A)
    router = life.exabgp.routers[TOR_A, builders.NODE_IP]
    assert router.routes, "the model lost the fault that this is about"
    life.nothing_happens_any_more()

    assert not router.routes


def test_a_withdrawal_that_comes_after_its_peer_was_removed_is_not_repeated_for_ever() -> None:
    """ExaBGP took the new configuration before the agent told it anything."""
    life = Machine()
    life.most_lives_begin_in_the_middle(is_serving=True)

    life.the_settings_change(count=1, hold=0, med=None)
    life.exabgp_takes_its_configuration()

    life.nothing_happens_any_more()
