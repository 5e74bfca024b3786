"""The outage budget over HTTP: many agents, and an API server that is slow, away, or refuses."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import attempts, client, leases, other_leases
from exabgp_k8s.core.facts import budget, config, events, model
from exabgp_k8s.core.judge import budget as counting
from exabgp_k8s.tryout.kubeapi import api, apiserver, exchange, patches, store
from exabgp_k8s.wire import leases as wire
from tests.support import descriptors, fleet, kubeapi
from tests.support.rivals import PATH, Rivals

NODES, HALF = 200, 100
EXHAUSTED, UNREACHABLE = model.Reason.BUDGET_EXHAUSTED, model.Reason.BUDGET_UNREACHABLE
QUICK_PAUSES = attempts.Pauses(longest=2, longest_refused=2)
QUICK = leases.Timings(
    first=0.5,
    linger=0.5,
    # 100 claims that wait and ask every second would be most of what a busy machine does.
    first_wait=3,
    longest_wait=10,
    pauses=QUICK_PAUSES,
    retry=0.1,
    # A machine that is busy needs longer for as many answers that say to come back later.
    patience=300,
)
IN, SLOT, PLANNED = budget.Standing.IN, budget.Standing.SLOT, budget.Standing.PLANNED


class Server(kubeapi.KubeApi):
    """An API server that takes its time for each request."""

    def __init__(self) -> None:
        super().__init__(tls=False, token=None)
        self.slowness = 0.0
        """The longest time that a request takes, in seconds."""

    def answer(self, asked: exchange.Exchange) -> None:
        time.sleep(random.uniform(0, self.slowness))
        super().answer(asked)


@pytest.fixture
def server() -> Iterator[Server]:
    """An API server on plain HTTP."""
    with Server() as found:
        yield found


@pytest.fixture
def kubeconfig(server: Server, tmp_path: Path) -> Path:
    """The way to the server."""
    path = tmp_path / "kubeconfig"
    path.write_text(apiserver.kubeconfig(server))
    return path


@pytest.mark.timeout(900)
@pytest.mark.fault(
    area="outage budget",
    what="a health check fails on 200 nodes within one second",
    sees="100 of the 200 withdraw; the others' routes stay",
    within="0 s",
)
@pytest.mark.parametrize("slowness", [0, 0.5], ids=["quick", "slow"])
def test_of_200_nodes_that_fail_at_once_half_stay(
    slowness: float, server: Server, kubeconfig: Path
) -> None:
    """With the API server slow, a part of its answers is 429 besides."""
    with fleet.Fleet(NODES, kubeconfig, timings=QUICK) as nodes:
        rivals = Rivals(kubeconfig)
        nodes.until(lambda: len(rivals.all()) == NODES)
        server.slowness = slowness
        if slowness:
            server.inject(kubeapi.status(429, "1"), kubeapi.LEASES, times=2 * NODES)

        for node in nodes:
            node.fails()
        nodes.until(lambda: len(nodes.out) + len(nodes.saying(EXHAUSTED)) == NODES, HALF)
        assert len(nodes.out) == HALF

        server.slowness = 0
        for node in nodes:
            node.recovers()
        nodes.until(lambda: not nodes.out, HALF)
        nodes.until(lambda: all(each.standing is IN for each in rivals.all().values()))


@pytest.mark.timeout(900)
@pytest.mark.fault(
    area="outage budget",
    what="a health check fails on 200 nodes while the API server is away, which then comes back",
    sees="all withdraw, or with `withoutAPI: keep` none; then half of them",
    within="60 s after the API server is back",
)
@pytest.mark.parametrize(
    ("without_api", "size"),
    [(config.WithoutApi.WITHDRAW, NODES), (config.WithoutApi.KEEP, NODES // 10)],
)
def test_nodes_that_fail_without_the_api_all_go_or_all_stay_as_the_settings_say(
    without_api: config.WithoutApi, size: int, server: Server, kubeconfig: Path
) -> None:
    settings = config.Budget(without_api=without_api)
    with fleet.Fleet(size, kubeconfig, budget=settings, timings=QUICK) as nodes:
        rivals = Rivals(kubeconfig)
        nodes.until(lambda: len(rivals.all()) == size)

        with server.away():
            for node in nodes:
                node.fails()
            if without_api is config.WithoutApi.KEEP:
                nodes.until(lambda: len(nodes.saying(UNREACHABLE)) == size, 0)
            else:
                nodes.until(lambda: len(nodes.out) == size)

        nodes.until(
            lambda: (len(nodes.out), len(nodes.saying(EXHAUSTED))) == (size // 2, size // 2)
        )


@pytest.mark.fault(
    area="outage budget",
    what="a node dies that holds a slot",
    sees="the next one in the queue withdraws",
    within="3 min 30 s, and 60 s until it asks again",
)
def test_the_slot_of_a_node_that_died_is_given_to_one_that_waits(
    kubeconfig: Path,
) -> None:
    brief = leases.Timings(
        first=0.1, renew_claim=1, lasts_claim=5, skew=1, first_wait=0.2, longest_wait=0.5
    )
    with fleet.Fleet(3, kubeconfig, budget=config.Budget(amount=1, is_percent=False),
                     timings=brief) as nodes:  # fmt: skip
        for node in nodes:
            node.fails()
        nodes.until(lambda: (len(nodes.out), len(nodes.saying(EXHAUSTED))) == (1, 2))
        (holder,) = nodes.out

        holder.dies()

        nodes.until(lambda: len([each for each in nodes.out if each is not holder]) == 1)
        assert len(nodes.saying(EXHAUSTED)) == 1


def test_a_claim_keeps_its_key_when_it_is_renewed(kubeconfig: Path) -> None:
    brief = leases.Timings(first=0.1, renew_claim=0.2)
    rivals = Rivals(kubeconfig)
    with fleet.Fleet(1, kubeconfig, timings=brief) as nodes:
        (node,) = nodes
        node.fails()
        nodes.until(lambda: node.is_out)
        first = rivals.all()["n0"]

        nodes.until(lambda: rivals.all()["n0"].renewed > first.renewed + 0.3)

        assert rivals.all()["n0"].key == first.key
        assert int(rivals.all()["n0"].version) > int(first.version)


@pytest.mark.fault(
    area="outage budget",
    what="the API server is away for longer than the Lease of a slot lasts",
    sees="nothing: the node stays withdrawn, and claims its slot anew",
    within="0 s",
)
def test_a_slot_outlives_its_lease_and_is_claimed_anew_when_the_api_is_back(
    server: Server, kubeconfig: Path
) -> None:
    brief = dataclasses.replace(QUICK, renew_claim=0.2, lasts_claim=1, skew=0.1, regroup=0.5)
    rivals = Rivals(kubeconfig)
    with fleet.Fleet(1, kubeconfig, timings=brief) as nodes:
        (node,) = nodes
        node.fails()
        nodes.until(lambda: node.is_out)
        before = rivals.all()["n0"]

        with server.away():
            nodes.until(lambda: time.time() > before.renewed + 2)
            assert node.is_out
        nodes.until(lambda: rivals.all()["n0"].key > before.key)
        assert node.is_out


def test_a_check_that_flaps_does_not_flap_the_lease(server: Server, kubeconfig: Path) -> None:
    # On a machine that is busy it may flap for longer than a slot lingers.
    timings = leases.Timings(first=0.1, linger=3600)
    with fleet.Fleet(1, kubeconfig, timings=timings) as nodes:
        (node,) = nodes
        for _ in range(10):
            node.fails()
            nodes.until(lambda: node.is_out)
            node.recovers()
            nodes.until(lambda: not node.is_out)
            # What happens faster is one wish to the thread that writes.
            time.sleep(0.2)

    assert sum(request.method in {"PUT", "POST"} for request in server.requests) <= 3


@pytest.mark.fault(
    area="outage budget",
    what="a node fails after another one came back from a planned absence",
    sees="the node that fails withdraws: the one that is back counts no more",
    within="interval x fall of the check + 1 s",
)
def test_a_planned_absence_is_over_for_the_others_when_the_node_is_back(kubeconfig: Path) -> None:
    rivals = Rivals(kubeconfig)
    one = config.Budget(amount=1, is_percent=False)
    with fleet.Fleet(
        2, kubeconfig, budget=one, timings=leases.Timings(first=0.1, linger=3600)
    ) as nodes:
        back, failing = nodes
        nodes.until(lambda: len(rivals.all()) == 2)
        back.cordons()
        nodes.until(lambda: back.is_out and rivals.all()["n0"].standing is PLANNED)

        back.cordons(False)
        nodes.until(lambda: not back.is_out and rivals.all()["n0"].standing is IN)
        failing.fails()

        nodes.until(lambda: failing.is_out or bool(nodes.saying(EXHAUSTED)))
        assert failing.is_out


def test_a_slot_lingers_for_a_check_that_flaps(kubeconfig: Path) -> None:
    rivals = Rivals(kubeconfig)
    with fleet.Fleet(
        1, kubeconfig, timings=leases.Timings(first=0.1, linger=3600, renew_claim=0.2)
    ) as nodes:
        (node,) = nodes
        node.fails()
        nodes.until(lambda: node.is_out)
        node.recovers()
        nodes.until(lambda: not node.is_out)

        since = time.time()
        nodes.until(lambda: rivals.all()["n0"].renewed > since)

        assert rivals.all()["n0"].standing is SLOT


def test_an_agent_that_starts_again_finds_its_slot(kubeconfig: Path) -> None:
    one = config.Budget(amount=1, is_percent=False)
    rivals = Rivals(kubeconfig)
    rivals.say("n1", IN)
    with fleet.Fleet(1, kubeconfig, budget=one, timings=QUICK) as nodes:
        nodes.members[0].fails()
        nodes.until(lambda: len(nodes.out) == 1)
    key = rivals.all()["n0"].key
    rivals.say("n1", SLOT)

    # Until its check fails it is well, and would say so: that gives the slot back.
    later = dataclasses.replace(QUICK, first=3600)
    with fleet.Fleet(1, kubeconfig, budget=one, timings=later) as nodes:
        nodes.members[0].fails()
        nodes.until(lambda: len(nodes.out) == 1)

    assert rivals.all()["n0"].key == key


def test_without_a_budget_no_request_is_made(server: Server, kubeconfig: Path) -> None:
    found = leases.Leases(
        client.Client(client.Access(kubeconfig=kubeconfig)),
        "n0",
        fleet.NAMESPACE,
        deliver=lambda _: None,
        timings=leases.Timings(first=0),
    )
    for standing in (IN, SLOT, PLANNED):
        found.offer(budget.Wish(standing=standing, uid="uid"))
    found.offer(budget.Wish(budget=config.Budget(), uid="uid"))
    kubeapi.until(lambda: len(server.requests) == 2)  # GET, POST

    found.offer(budget.Wish(uid="uid"))
    found.offer(budget.Wish(standing=SLOT, uid="uid"))
    found.stop()

    assert len(server.requests) == 2


@pytest.mark.fault(
    area="outage budget",
    what="the right to the Leases is missing",
    sees="what `withoutAPI` says: the routes are withdrawn, or stay",
    within="interval x fall of the check + 1 s",
)
def test_without_the_right_to_the_leases_the_settings_decide(
    server: Server, kubeconfig: Path
) -> None:
    server.inject_always(kubeapi.status(403), kubeapi.LEASES)
    with fleet.Fleet(1, kubeconfig, timings=QUICK) as nodes:
        nodes.members[0].fails()
        nodes.until(lambda: len(nodes.out) == 1)


def test_one_failed_request_decides_nothing(server: Server, kubeconfig: Path) -> None:
    """An API server that has just started answers a few requests with 403."""
    rivals = Rivals(kubeconfig)
    timings = dataclasses.replace(QUICK, retry=2)
    with fleet.Fleet(1, kubeconfig, budget=config.Budget(amount=0), timings=timings) as nodes:
        nodes.until(lambda: "n0" in rivals.all())
        server.inject(kubeapi.status(403), kubeapi.LEASES, times=1)

        nodes.members[0].fails()
        nodes.until(lambda: bool(nodes.saying(EXHAUSTED)), 0)


def test_a_large_cluster_asks_for_its_shards_claims_only_and_shares_out_every_slot(
    kubeconfig: Path,
) -> None:
    rivals = Rivals(kubeconfig)
    for number in range(270):
        rivals.say(f"n{number}", IN if number % 3 else SLOT)
    claims = [each for each in rivals.all().values() if each.standing is SLOT]
    settings = config.Budget(amount=10)
    slots = counting.allowed(settings, 270)
    among = counting.shards(slots)
    assert among > 1
    asking = other_leases.Others(client.Client(client.Access(kubeconfig=kubeconfig)), PATH, 30)

    granted = [each for each in claims if asking.count(each, settings).verdict == "granted"]

    assert len(granted) == slots
    for shard in range(among):
        mine = [each for each in claims if wire.shard_of(each.node) % among == shard]
        first = sorted(mine, key=lambda each: each.key)[: counting.share(slots, shard, among)]
        assert {each.node for each in first} == {
            each.node for each in granted if wire.shard_of(each.node) % among == shard
        }


@pytest.mark.fault(
    area="outage budget",
    what="somebody else writes a node's Lease: numbers without end, no times, garbage",
    sees="nothing; a check that fails gets its slot all the same",
    within="0 s",
)
@pytest.mark.parametrize("name", ["exabgp-k8s-n0", "exabgp-k8s-n1"])
@pytest.mark.parametrize(
    "foreign",
    [
        {"metadata": {"annotations": {wire.CLAIM: "9" * 5000}}},
        {"spec": {"acquireTime": "9999-12-31T23:59:59.999999-14:00", "renewTime": "never"}},
        {"spec": {"leaseDurationSeconds": 10**4000, "holderIdentity": "\ud800"}},
        {"metadata": {"labels": None}, "spec": None},
    ],
    ids=["digits", "times", "numbers", "nothing"],
)
def test_a_lease_that_somebody_else_wrote_costs_nobody_the_budget(
    name: str, foreign: dict[str, Any], server: Server, kubeconfig: Path
) -> None:
    rivals = Rivals(kubeconfig)
    rivals.say("n0", SLOT)
    rivals.say("n1", IN)
    collection = api.find_collection("coordination.k8s.io/v1", "leases")
    scope = store.Scope(namespace=fleet.NAMESPACE, name=name)
    found = server.store.get(collection, scope)
    server.store.replace(collection, scope, patches.merge(found, foreign))

    with fleet.Fleet(1, kubeconfig, timings=QUICK) as nodes:
        (node,) = nodes
        node.fails()
        nodes.until(lambda: node.is_out)
        nodes.until(lambda: rivals.all()["n0"].standing is SLOT)


@pytest.mark.fault(
    area="outage budget",
    what="somebody else writes Leases as large as the API takes them",
    sees="nothing; the count is what it would be without",
    within="some requests more",
)
def test_leases_that_are_too_large_for_one_answer_are_read_in_parts(
    server: Server, kubeconfig: Path
) -> None:
    rivals = Rivals(kubeconfig)
    collection = api.find_collection("coordination.k8s.io/v1", "leases")
    for number in range(30):
        rivals.say(f"n{number}", SLOT if number < 20 else IN)
    for number in (0, 3, 4, 25):
        scope = store.Scope(namespace=fleet.NAMESPACE, name=wire.name_of(f"n{number}"))
        found = server.store.get(collection, scope)
        labels = {f"label-{each}": "x" * 60 for each in range(15_000)}
        large = patches.merge(found, {"metadata": {"labels": labels}})
        server.store.replace(collection, scope, large)
    asking = other_leases.Others(client.Client(client.Access(kubeconfig=kubeconfig)), PATH, 30)
    mine = wire.Lease(node="n29", standing=SLOT, claim=10**9)

    count = asking.count(mine, config.Budget())

    assert (count.taken, count.nodes) == (20, 30)


def test_a_list_of_leases_without_an_end_is_an_error(server: Server, kubeconfig: Path) -> None:
    endless = kubeapi.body(b'{"metadata": {"continue": "x"}, "items": []}')
    server.inject_always(endless, kubeapi.LEASES)
    asking = other_leases.Others(client.Client(client.Access(kubeconfig=kubeconfig)), PATH, 30)
    with pytest.raises(errors.KubeError, match="no end"):
        asking.count(wire.Lease(node="n1", standing=SLOT), config.Budget())


@pytest.mark.fault(
    area="outage budget",
    what="the thread that keeps the Lease meets a bug of ours",
    sees="what `withoutAPI` says, while it lasts; then the budget counts again",
    within="30 s",
)
def test_an_error_of_ours_is_a_budget_that_is_lost_and_the_thread_goes_on(
    kubeconfig: Path,
) -> None:
    got = kubeapi.Recorder()
    keeps = leases.Leases(
        client.Client(client.Access(kubeconfig=kubeconfig)),
        "n0",
        fleet.NAMESPACE,
        deliver=got,
        timings=QUICK,
    )
    # No budget has this amount: to reckon with it raises what nobody thought of.
    broken = config.Budget(amount=None)  # type: ignore[arg-type]
    keeps.offer(budget.Wish(budget=broken, standing=SLOT, uid="uid"))
    lost = got.wait_for(lambda event: isinstance(event, events.BudgetLost))
    keeps.offer(budget.Wish(budget=config.Budget(), standing=SLOT, uid="uid"))
    got.wait_for(lambda event: isinstance(event, events.BudgetSeen), after=lost)
    keeps.stop()


def test_leases_that_we_had_no_descriptor_for_are_no_lost_budget(
    server: Server, kubeconfig: Path
) -> None:
    """The claim waits; that the API server is away is told as soon as it could be asked."""
    server.stop()
    got = kubeapi.Recorder()
    api_client = client.Client(client.Access(kubeconfig=kubeconfig))
    # The library and the kubeconfig are read before there is nothing to read them with.
    with pytest.raises(errors.KubeError):
        api_client.request("GET", PATH)
    keeps = leases.Leases(api_client, "n0", fleet.NAMESPACE, deliver=got, timings=QUICK)
    with descriptors.used_up():
        keeps.offer(budget.Wish(budget=config.Budget(), standing=SLOT, uid="uid"))
        time.sleep(3)
        assert not got.of(events.BudgetLost)
    got.wait_for(lambda event: isinstance(event, events.BudgetLost))
    keeps.stop()
