"""What holds in every world and for every event, not only in those one thinks of."""

from __future__ import annotations

import dataclasses

import hypothesis
from hypothesis import strategies as st

from exabgp_k8s.core import step
from exabgp_k8s.core.facts import budget, commands, config, events, model, offer, reload, routers
from exabgp_k8s.core.facts.checks import Health, Hysteresis
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.report import routes as routes_shown
from exabgp_k8s.core.report import rows as tables
from exabgp_k8s.core.report import summary
from tests.support import builders
from tests.support.builders import NODE_IP, START, TOR_A, TOR_B, after

CHECKS = ("kube-proxy", "dns")
UP = Health.UP
RANGES = builders.networks(
    "10.96.0.0/16", "10.244.3.0/24", "10.245.3.0/24", "192.0.2.0/24", "0.0.0.0/0", "fd00:96::/112"
)
TAINTS = (*config.DRAIN_TAINTS, model.Taint(key="node.kubernetes.io/out-of-service"))

some_ranges = st.lists(st.sampled_from(RANGES), max_size=3, unique=True).map(tuple)
peers = st.sampled_from([TOR_A, TOR_B, NODE_IP])
families = st.frozensets(st.sampled_from(model.Family))
attributes = st.builds(
    model.Attributes,
    communities=st.lists(st.tuples(st.just(64512), st.integers(0, 9)), max_size=2).map(tuple),
    med=st.none() | st.integers(0, 9),
)
routes = st.builds(
    builders.a_route,
    prefix=st.sampled_from(builders.ALL_RANGES),
    peer=peers,
    med=st.none() | st.integers(0, 2),
)
nodes = st.builds(
    builders.a_node,
    labels=st.dictionaries(
        st.sampled_from(["rack", "node.kubernetes.io/exclude-from-external-load-balancers"]),
        st.sampled_from(["a", "b"]),
    ),
    annotations=st.dictionaries(
        st.just("example.com/router"), st.sampled_from(["", "192.0.2.1", "192.0.2.9"])
    ),
    override=st.sampled_from(model.Override),
    is_unschedulable=st.booleans(),
    is_deleting=st.booleans(),
    is_shutting_down=st.booleans(),
    taints=st.lists(st.sampled_from(TAINTS), max_size=2).map(tuple),
    pod_cidrs=some_ranges,
    internal_ips=st.sampled_from(
        [(), (builders.NODE_IP,), (builders.NODE_IP6,), (builders.NODE_IP, builders.NODE_IP6)]
    ),
)
cells = st.builds(
    config.Cell, action=st.sampled_from(model.Action), after=st.sampled_from([0, 0, 5])
)
policies = st.dictionaries(
    st.tuples(st.sampled_from(model.CAUSES), st.sampled_from(model.PrefixClass)), cells
).map(builders.a_policy)
some_peers = st.tuples(
    st.builds(
        builders.a_peer,
        password_from=st.sampled_from([None, None, "tor-a"]),
        graceful_restart=st.sampled_from([None, 120]),
        attributes=attributes,
        prepend=st.integers(0, 2),
        asn=st.sampled_from([64512, 64513]),
    ),
    st.builds(
        builders.a_peer,
        st.just("tor-b"),
        st.just(TOR_B),
        families=st.sampled_from([builders.BOTH, (model.Family.IPV4,)]),
        pods=st.sampled_from([offer.Offer(), None]),
    ),
)
PLACES = (
    routers.Gateway(family=model.Family.IPV4),
    routers.Annotated(key="example.com/router"),
)
sought = st.builds(
    config.Entry.at,
    st.builds(config.Entry, name=st.just("found"), asn=st.just(64513), local_asn=st.just(64512)),
    st.sampled_from(PLACES),
)
settings = st.builds(
    builders.a_config,
    peers=some_peers,
    sought=st.lists(sought, max_size=1).map(tuple),
    service_cidrs=st.none() | some_ranges,
    policy=policies,
    checks=st.lists(
        st.builds(
            builders.a_check,
            st.sampled_from(CHECKS),
            affects=st.frozensets(st.sampled_from(model.PrefixClass), min_size=1),
        ),
        max_size=2,
        unique_by=lambda check: check.name,
    ).map(tuple),
    graceful_shutdown=st.sampled_from([0, 0, 10]),
    deprioritise_med=st.none() | st.just(500),
    budget=st.none()
    | st.builds(
        config.Budget,
        covers=st.frozensets(
            st.sampled_from([model.Reason.UNHEALTHY, model.Reason.CORDONED]), min_size=1
        ),
        without_api=st.sampled_from(config.WithoutApi),
    ),
)
rows = st.builds(
    builders.a_row, peers, is_up=st.booleans(), fsm=st.sampled_from(["IDLE", "ESTABLISHED"])
)
any_command: st.SearchStrategy[commands.Command] = st.one_of(
    st.builds(commands.Announce, route=routes),
    st.builds(commands.Withdraw, route=routes),
    st.builds(commands.Flush, peer=peers),
    st.builds(commands.EndOfRib, peer=peers, family=st.sampled_from(model.Family)),
    st.builds(commands.ShowNeighbors),
    st.builds(commands.ShowRib),
)
some_prefixes = st.frozensets(st.sampled_from(builders.ALL_RANGES), max_size=3)
neighbors = st.sampled_from(builders.decided(builders.a_world()).neighbors or ())
counts = st.builds(
    budget.Count, taken=st.integers(0, 2), allowed=st.integers(0, 2), nodes=st.just(3)
)
any_event: st.SearchStrategy[events.Event] = st.one_of(
    st.builds(events.Tick),
    st.builds(events.ConfigLoaded, config=settings),
    st.builds(events.ConfigRefused, problems=st.just(("bad",))),
    st.builds(events.NodeSeen, node=nodes),
    st.builds(events.NodeGone),
    st.builds(events.KubeContact),
    st.builds(events.KubeLost, problem=st.just("refused")),
    st.builds(events.ServiceCidrsSeen, cidrs=some_ranges),
    st.builds(events.BudgetSeen, count=st.none() | counts),
    st.builds(events.BudgetLost, problem=st.just("refused")),
    st.builds(
        events.HostSeen,
        uplinks=st.frozensets(st.sampled_from(RANGES), max_size=1),
        sources=st.just({TOR_A: NODE_IP}),
        gateways=st.fixed_dictionaries(
            {model.Family.IPV4: st.lists(st.sampled_from([TOR_A, TOR_B]), max_size=2).map(tuple)}
        ),
    ),
    st.builds(builders.outcome, st.sampled_from(CHECKS), is_ok=st.booleans()),
    st.builds(events.DrainAsked, is_stopping=st.booleans()),
    st.builds(events.UndrainAsked),
    st.builds(
        events.SessionChanged,
        peer=peers,
        state=st.sampled_from(["connected", "up", "down", "sideways"]),
        local=st.just(NODE_IP),
        problem=st.sampled_from(["", "notification received (6,2)"]),
    ),
    st.builds(events.Negotiated, peer=peers, families=families, hold_time=st.just(9)),
    st.builds(events.NotificationReceived, peer=peers, code=st.just(6), subcode=st.integers(0, 9)),
    st.builds(events.UpdateSent, peer=peers, announced=some_prefixes, withdrawn=some_prefixes),
    st.builds(events.NeighborsRead, rows=st.lists(rows, max_size=3).map(tuple)),
    st.builds(events.RibRead, routes=st.lists(routes, max_size=4).map(tuple)),
    st.builds(reload.Asked, neighbors=st.lists(neighbors, max_size=2).map(tuple)),
    st.builds(reload.Taken, neighbors=st.lists(neighbors, max_size=2).map(tuple)),
    st.builds(reload.Refused, problem=st.just("refused")),
    st.builds(events.CommandDone, command=any_command),
    st.builds(events.CommandFailed, command=any_command, problem=st.just("error")),
)


@st.composite
def lives(draw: st.DrawFn) -> tuple[World, float]:
    """Draw a world with a past, and the time it has come to."""
    now = START
    world = draw(st.just(World(started=now)) | st.builds(builders.a_serving_world))
    if draw(st.booleans()):
        world = after(world, events.ConfigLoaded(config=draw(settings)), now=now)
    if draw(st.booleans()):
        world = after(world, events.NodeSeen(node=draw(nodes)), now=now)
    for event in draw(st.lists(any_event, max_size=12)):
        now += draw(st.sampled_from([0, 0.1, 1, 4, 40]))
        world = after(world, event, now=now)
    return world, now


def routes_of(world: World, now: float) -> set[tuple[model.Address, model.Network]]:
    """Return what may stand with the routers after a decision: what is wanted and what stays."""
    decision = builders.decided(world, now)
    held = {(peer, prefix) for peer, rib in (world.rib or {}).items() for prefix in rib.routes}
    if decision.routes is None:
        return held
    return set(decision.routes) | {key for key in held if key[1] in decision.kept}


def assert_never_more(worse: World, better: World, now: float) -> None:
    """Compare two worlds now and for as long as holds and hold-downs last."""
    for moment in (now, now + 2, now + 4, now + 12, now + 45):
        worse = after(worse, events.Tick(), now=moment)
        better = after(better, events.Tick(), now=moment)
        assert routes_of(worse, moment) <= routes_of(better, moment)


@hypothesis.given(lives())
def test_every_withheld_prefix_has_a_cause_and_says_what_is_done(
    life: tuple[World, float],
) -> None:
    for each in builders.decided(*life).withheld:
        assert each.causes
        assert each.action is not model.Action.KEEP


@hypothesis.given(lives())
def test_no_announced_prefix_belongs_to_a_withdrawn_class(life: tuple[World, float]) -> None:
    turn = builders.turn(*life)

    allowed = {
        each.prefix
        for each in turn.decision.prefixes
        if each.guard is None
        and turn.judgement.actions[each.prefix_class] is not model.Action.WITHDRAW
    }
    assert builders.announced(turn.decision) <= allowed


@hypothesis.given(lives())
def test_every_announced_route_has_a_next_hop_of_its_family(life: tuple[World, float]) -> None:
    for route in (builders.decided(*life).routes or {}).values():
        assert route.next_hop.version == route.prefix.version
        assert route.prefix.prefixlen > 0


@hypothesis.given(lives(), st.sampled_from(CHECKS))
def test_a_check_that_fails_never_adds_a_route(life: tuple[World, float], name: str) -> None:
    world, now = life
    healthy = after(world, builders.outcome(name, is_ok=True), now=now)

    failed = after(healthy, builders.outcome(name, is_ok=False), now=now)

    assert_never_more(failed, healthy, now)


@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.filter_too_much])
@hypothesis.given(lives())
def test_a_node_without_a_slot_withdraws_nothing_for_its_health(
    life: tuple[World, float],
) -> None:
    world, now = life
    settings = dataclasses.replace(world.config or builders.a_config(), budget=config.Budget())
    exhausted = events.BudgetSeen(count=budget.Count(taken=2, allowed=2, nodes=3))
    world = after(world, events.ConfigLoaded(config=settings), exhausted, now=now)
    for check in settings.checks:
        if model.Cause(model.Reason.UNHEALTHY, check.name) not in world.causes:
            world = after(world, builders.outcome(check.name, is_ok=True), now=now)
    cured = {name: dataclasses.replace(state, hysteresis=Hysteresis(health=UP))
             for name, state in world.checks.items()}  # fmt: skip
    healthy = dataclasses.replace(world, checks=cured)
    for moment in (now, now + 100, now + 200):
        world = after(world, exhausted, now=moment)
        healthy = after(healthy, exhausted, now=moment)
    hypothesis.assume(world.budget.standing is not budget.Standing.PLANNED)

    assert routes_of(world, now + 200) == routes_of(healthy, now + 200)


@hypothesis.given(lives(), st.booleans())
def test_a_drain_never_adds_a_route(life: tuple[World, float], is_stopping: bool) -> None:
    world, now = life
    drained = after(world, events.DrainAsked(is_stopping=is_stopping), now=now)

    assert_never_more(drained, world, now)


@hypothesis.given(lives(), any_event)
def test_any_event_can_happen_in_any_world(life: tuple[World, float], event: events.Event) -> None:
    world, now = life

    turn = step.step(world, (event,), now)

    assert turn.deadline is None or turn.deadline > now
    summary.status(turn, now)
    tables.sessions(turn, now)
    routes_shown.rows(turn)
    routes_shown.why(turn, None, now)


@hypothesis.given(lives())
def test_nothing_happens_twice_at_one_moment(life: tuple[World, float]) -> None:
    """A second tick at the same time changes nothing: the decision depends on facts only."""
    world, now = life

    once = step.step(world, (events.Tick(),), now)

    assert step.step(once.world, (events.Tick(),), now) == once


@hypothesis.given(settings, nodes)
def test_a_truthful_exabgp_has_soon_nothing_left_to_do(
    wanted: config.Config, node: model.NodeFacts
) -> None:
    """From an empty table in one round, and from there the plan is empty."""
    world = builders.a_serving_world(settings=wanted, node=node)

    turn = step.step(world, (events.Tick(),), START)

    assert turn.commands == ()
    held = {
        (peer, prefix): route
        for peer, rib in (world.rib or {}).items()
        for prefix, route in rib.routes.items()
    }
    assert held == dict(turn.decision.routes or {})


@hypothesis.given(settings, nodes, settings, nodes)
def test_each_prefix_changes_once_from_one_wish_to_the_next(
    before: config.Config, node: model.NodeFacts, wanted: config.Config, changed: model.NodeFacts
) -> None:
    world = builders.a_serving_world(settings=before, node=node)
    wanted = dataclasses.replace(wanted, peers=before.peers)
    world = after(
        world, events.ConfigLoaded(config=wanted), events.NodeSeen(node=changed), now=START
    )

    touched = [
        (command.route.peer, command.route.prefix)
        for command in step.step(world, (events.Tick(),), START).commands
        if isinstance(command, commands.Announce | commands.Withdraw)
    ]

    assert len(touched) == len(set(touched))
