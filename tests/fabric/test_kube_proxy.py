"""What the pages say of ClusterIPs from outside is true of a real kube-proxy, in both modes.

Collected only where there is one: ``KUBEBUILDER_ASSETS``, see tests/support/controlplane.py. Not
in ``ipvs`` mode: that takes a kernel with IPVS.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

import dns.message
import dns.query
import pytest
import yaml

from tests.architecture import repository
from tests.fabric import addresses, bird, conftest, frr, proxied, routers, traffic, tunnel, waiting
from tests.fabric.proxied import ASKED_FIRST, WITH_THE_POD
from tests.support import controlplane

pytestmark = pytest.mark.fabric

MODES: Mapping[str, Any] = {"iptables": bird.Bird, "nftables": frr.Frr}
"""Each mode behind another kind of router."""


@pytest.fixture(params=MODES, scope="module")
def bed(request: pytest.FixtureRequest, _privileges: None) -> Iterator[proxied.Proxied]:
    kind: type[routers.Router] = MODES[request.param]
    found = proxied.Proxied(kind, request.param)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _logs(request: pytest.FixtureRequest, bed: proxied.Proxied) -> None:
    request.node.stash[conftest.FABRICS] = [bed.fabric]


def test_a_pod_sees_the_node_that_was_asked_and_its_answer_finds_the_client(
    bed: proxied.Proxied,
) -> None:
    with bed.through(ASKED_FIRST, proxied.FAR):
        assert bed.ask(proxied.FAR) == bed.fabric.node(ASKED_FIRST).address
    with bed.through(WITH_THE_POD, proxied.FAR):
        assert bed.ask(proxied.FAR) == "10.244.2.1"


def test_without_the_translation_only_pods_of_the_asked_node_can_answer(
    bed: proxied.Proxied,
) -> None:
    with _kube_proxies(bed):
        with bed.through(WITH_THE_POD, proxied.FAR):
            assert bed.ask(proxied.FAR) == addresses.CLIENT
        with bed.through(ASKED_FIRST, proxied.FAR):
            assert bed.is_silent(proxied.FAR)
    with _kube_proxies(bed, "--masquerade-all"), bed.through(ASKED_FIRST, proxied.FAR):
        assert bed.ask(proxied.FAR) == bed.fabric.node(ASKED_FIRST).address


def test_only_the_internal_traffic_policy_is_about_the_cluster_ip(bed: proxied.Proxied) -> None:
    both = proxied.INSIDE_LOCAL, proxied.OUTSIDE_LOCAL
    with bed.through(ASKED_FIRST, *both):
        assert bed.is_silent(proxied.INSIDE_LOCAL)
        assert bed.ask(proxied.OUTSIDE_LOCAL) == bed.fabric.node(ASKED_FIRST).address
    with bed.through(WITH_THE_POD, *both):
        assert {bed.ask(each) for each in both} == {"10.244.2.1"}


def test_a_service_without_pods_refuses_and_what_no_service_has_loops_or_is_dropped(
    bed: proxied.Proxied,
) -> None:
    unused, wrong_port = proxied.UNUSED, 81
    with bed.through(ASKED_FIRST, unused, proxied.FAR, proxied.WITHOUT_PODS):
        assert bed.ask(proxied.WITHOUT_PODS) == proxied.REFUSED
        if bed.mode == "nftables":
            assert bed.ask(proxied.FAR, wrong_port) == proxied.REFUSED
            assert bed.is_silent(unused)
            return
        said: list[str] = []
        times = bed.syns(unused, lambda: said.append(bed.ask(unused)))
        said.append(bed.ask(proxied.FAR, wrong_port))
    assert said == [proxied.NO_ROUTE, proxied.NO_ROUTE]
    # Each SYN passes the router every second time of its sixty-four.
    assert times % 32 == 0
    assert times


@pytest.mark.parametrize("kind", ["blackhole", "unreachable"])
def test_the_loop_rule_ends_it_at_the_node_and_harms_no_service(
    bed: proxied.Proxied, kind: str
) -> None:
    node = bed.fabric.node(ASKED_FIRST)
    rule = f"iif eth0 to {addresses.SERVICES} {kind}"
    node.namespace.ip(f"rule add {rule}")
    try:
        unserved = proxied.UNUSED, proxied.WITHOUT_PODS
        with bed.through(ASKED_FIRST, *unserved, proxied.FAR):
            if kind == "blackhole":
                assert all(bed.is_silent(each) for each in unserved)
            else:
                assert {bed.ask(each) for each in unserved} == {proxied.NO_NETWORK}
            assert bed.ask(proxied.FAR) == node.address
        assert node.namespace.inside(lambda: proxied.ask(proxied.FAR)) == node.address
    finally:
        node.namespace.ip(f"rule del {rule}")


@pytest.mark.parametrize(
    ("rp_filter", "is_heard"), [(1, False), (2, True), (0, True)], ids=["strict", "loose", "off"]
)
def test_only_a_strict_rp_filter_minds_that_the_answer_leaves_by_another_uplink(
    bed: proxied.Proxied, rp_filter: int, is_heard: bool
) -> None:
    node = bed.fabric.node(ASKED_FIRST)
    with _second_uplink(bed):
        node.namespace.sysctl({"ipv4/conf/all/rp_filter": str(rp_filter)})
        try:
            if is_heard:
                assert bed.ask(proxied.EVERYWHERE).startswith(("192.", "10."))
            else:
                assert bed.is_silent(proxied.EVERYWHERE)
        finally:
            node.namespace.sysctl({"ipv4/conf/all/rp_filter": "0"})


@contextlib.contextmanager
def _second_uplink(bed: proxied.Proxied) -> Iterator[None]:
    """A link from the router to a node that the node's default route does not use."""
    node, router = bed.fabric.node(ASKED_FIRST).namespace, bed.router.namespace
    router.ip(
        f"link add uplink2 type veth peer name eth1 netns {node.name}",
        "addr add 203.0.113.1/30 dev uplink2",
        "link set uplink2 up",
    )
    node.sysctl({"ipv4/conf/eth1/rp_filter": "0"})
    node.ip("addr add 203.0.113.2/30 dev eth1", "link set eth1 up")
    router.ip(f"route add {proxied.EVERYWHERE} via 203.0.113.2")
    yield
    router.ip("link del uplink2")


def test_a_drain_under_load_costs_no_new_connection(bed: proxied.Proxied) -> None:
    client = bed.fabric.client
    with traffic.Traffic(client, proxied.EVERYWHERE, 80) as flow:
        bed.agents[ASKED_FIRST].drain()
        bed.expect("n2", "n3")
        bed.agents[ASKED_FIRST].undrain()
        bed.expect("n1", "n2", "n3")

    assert flow.report.failed == (), str(flow.report)
    assert set(flow.report.by_node()) == {"n1", "n2", "n3"}


def test_a_node_whose_kube_proxy_is_gone_leaves_and_returns(bed: proxied.Proxied) -> None:
    """Its rules work on, so who is connected notices nothing of it."""
    node = bed.fabric.node(ASKED_FIRST)
    node.kill_kube_proxy()
    bed.expect("n2", "n3")
    assert bed.agents[ASKED_FIRST].causes() == ["unhealthy:kube-proxy"]
    with bed.through(ASKED_FIRST, proxied.FAR):
        assert bed.ask(proxied.FAR) == node.address

    bed.run_kube_proxies(proxied.MASQUERADING)
    bed.expect("n1", "n2", "n3")


def test_a_service_is_reachable_when_kube_proxy_knows_it_and_no_router_learns_of_it(
    bed: proxied.Proxied,
) -> None:
    before = bed.router.routes()
    bed.create("new", proxied.Service(address=addresses.MYSQL, port=3306))

    waiting.until(
        lambda: bed.ask(addresses.MYSQL, 3306).startswith(("192.", "10.")), "the service answers"
    )
    assert bed.router.routes() == before


def test_through_a_tunnel_a_pod_sees_its_end_and_large_answers_arrive(
    bed: proxied.Proxied,
) -> None:
    with tunnel.between(bed), bed.through(ASKED_FIRST, proxied.FAR):
        assert bed.ask(proxied.FAR) == "10.244.1.0"
        assert bed.ask(proxied.FAR, path="/large") == WITH_THE_POD


def test_the_commands_before_an_installation_say_what_the_page_shows(bed: proxied.Proxied) -> None:
    page = repository.ROOT / "docs/will-it-work.md"
    look, mode, static_route, *_ = repository.blocks(page, "sh")
    shown, *_ = repository.blocks(page, "text")
    kubectl = controlplane.kubectl()
    assert kubectl is not None
    env = f"KUBECONFIG={bed.kubeconfig}", f"PATH={kubectl.parent}:{os.environ['PATH']}"

    said = bed.fabric.control.run("env", *env, "bash", "-ec", look)
    _, ranges, found = shown.split("\n\n")
    assert found in said
    assert ranges.split()[3:5] == ["kubernetes", addresses.SERVICES]
    assert "kubernetes   10.96.0.0/16" in said
    assert bed.fabric.node(ASKED_FIRST).namespace.run("bash", "-ec", mode) == f"{bed.mode}\n"
    # Where a router's route by BGP is, one by hand comes first.
    lines = [line for line in static_route.splitlines() if not line.startswith("dig ")]
    assert len(lines) == len(static_route.splitlines()) - 1
    assert bed.router.namespace.run("bash", "-ec", "\n".join(lines)) == "ok\n"
    # FRR takes its own route out for the one by hand, and puts it back a moment after that went.
    bed.expect(*bed.agents)
    query = dns.message.make_query(addresses.MYSQL_NAME, "A")
    answer = bed.fabric.client.inside(lambda: dns.query.udp(query, proxied.DNS, timeout=30))
    assert answer.answer[0][0].to_text() == addresses.MYSQL


def test_the_api_server_takes_the_policies_of_the_page(bed: proxied.Proxied) -> None:
    page = repository.ROOT / "docs/explanation/clusterip.md"
    policies = [yaml.safe_load(text) for text in repository.blocks(page, "yaml")]
    assert {each["kind"] for each in policies} == {"NetworkPolicy"}
    at = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
    for each in policies:
        each["metadata"]["namespace"] = "default"
        bed.plane.ask("POST", f"{at}?dryRun=All&fieldValidation=Strict", each)


def test_the_api_server_takes_the_database_of_the_tutorial(bed: proxied.Proxied) -> None:
    page = repository.ROOT / "docs/tutorial.md"
    (text,) = (each for each in repository.blocks(page, "yaml") if "kind: Deployment" in each)
    for document, at in zip(
        yaml.safe_load_all(text),
        ("apis/apps/v1/namespaces/default/deployments", "api/v1/namespaces/default/services"),
        strict=True,
    ):
        bed.plane.ask("POST", f"/{at}?dryRun=All&fieldValidation=Strict", document)


@contextlib.contextmanager
def _kube_proxies(bed: proxied.Proxied, *options: str) -> Iterator[None]:
    bed.run_kube_proxies(*options)
    yield
    bed.run_kube_proxies(proxied.MASQUERADING)
