"""A control plane that is wrong in many ways: none of them costs a route, none hides a cordon.

What each answer does to the reflector alone is in tests/adapters/test_kube_faults.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from exabgp_k8s.tryout.kubeapi import api, apiserver, store
from tests.support import kubeapi
from tests.support.lab import Lab, until

pytestmark = pytest.mark.functional

CUT_SHORT = kubeapi.body(b'{"kind": "NodeList", "metadata": {"resourceVersion": "9"}, "items": [{')
PROXYS_PAGE = kubeapi.body(b"<html>502 Bad Gateway</html>", 502)


def problem(lab: Lab) -> str:
    """Return what the agent says against the API server."""
    return str(lab.json("status")["kubernetes"]["problem"])


@pytest.mark.fault(
    area="control plane",
    what="410 Gone inside the stream after a restart; a cordon before it",
    sees="withdrawals",
    within="5 s after it is back",
)
def test_a_cordon_that_no_watch_can_show_any_more_is_found_by_a_list(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()

    with lab.api.away():
        until(lambda: bool(problem(lab)), lab.state)
        lab.api.cordon(lab.name)
        lab.api.compact()
        assert lab.router.routes() == before

    lab.expect()


@pytest.mark.fault(
    area="control plane",
    what="403 to a valid token for a while after a restart; a cordon meanwhile",
    sees="nothing while it lasts; then withdrawals",
    within="5 s after the first answer",
)
def test_a_server_that_refuses_everybody_at_first_withdraws_nothing(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()

    with lab.api.away():
        lab.api.warm_up = math.inf
        lab.api.cordon(lab.name)
    until(lambda: "answered 403" in problem(lab), lab.state)
    assert lab.router.routes() == before
    lab.api.warm_up = 0

    lab.expect()


@pytest.mark.fault(
    area="control plane",
    what="410, then half a list, then a proxy's 502 page; a cordon meanwhile",
    sees="nothing while it lasts; then withdrawals",
    within="5 s after the last of them",
)
def test_answers_that_say_nothing_about_the_node_change_nothing(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()
    lab.api.inject(kubeapi.gone_event, on=kubeapi.WATCH)
    lab.api.inject(CUT_SHORT, on=kubeapi.LIST)
    # More than once, so that there is time to look at what the agent says of it.
    lab.api.inject(PROXYS_PAGE, on=kubeapi.LIST, times=3)

    lab.api.listener.disconnect()
    lab.api.cordon(lab.name)
    until(lambda: "Bad Gateway" in problem(lab), lab.state)
    assert lab.router.routes() == before

    lab.expect()


@pytest.mark.fault(
    area="control plane",
    what="the token is rotated on disk after the old one is refused; a cordon meanwhile",
    sees="nothing while it is refused; then withdrawals",
    within="5 s after the new one is there, 30 s if it took longer than a minute",
)
def test_a_rotated_token_costs_nothing_and_is_found(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()

    with lab.api.away():
        lab.api.token = "second-token"
        lab.api.cordon(lab.name)
    until(lambda: "answered 401" in problem(lab), lab.state)
    assert lab.router.routes() == before
    (lab.directory / "kubeconfig").write_text(apiserver.kubeconfig(lab.api))

    lab.expect()


@pytest.mark.fault(
    area="control plane",
    what="the API server's certificate is of another authority; a cordon meanwhile",
    sees="nothing while it is not trusted; then withdrawals",
    within="5 s after the new authority is on disk",
)
def test_a_rotated_authority_costs_nothing_and_is_found(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()

    with lab.api.away():
        lab.api.rotate_authority()
        lab.api.cordon(lab.name)
    until(lambda: "certificate is not trusted" in problem(lab), lab.state)
    assert lab.router.routes() == before
    (lab.directory / "kubeconfig").write_text(apiserver.kubeconfig(lab.api))

    lab.expect()


@pytest.mark.fault(
    area="control plane",
    what="the podCIDRs of the Node change: others, several",
    sees="exactly the ranges of the Node; the service range stays",
    within="0.1 s",
)
def test_the_router_has_the_pod_ranges_that_the_node_has(lab: Lab) -> None:
    lab.up()
    before = lab.router.routes()

    for cidrs in (["10.244.7.0/24"], ["10.244.7.0/24", "10.244.8.0/24"], [lab.pods]):
        lab.api.patch_node(lab.name, {"spec": {"podCIDR": cidrs[0], "podCIDRs": cidrs}})
        lab.expect(lab.services, *cidrs)

    assert lab.router.routes()[lab.services] == before[lab.services]


@pytest.mark.fault(
    area="control plane",
    what="service ranges from the API: none yet, then two, then an empty list",
    sees="the ranges as they come; an empty list takes none away",
    within="45 s for the first, 10 min for a later one",
)
def test_service_ranges_come_and_an_empty_list_takes_none_away(lab: Lab) -> None:
    document = lab.document()
    document["announce"]["services"] = {"cidrs": "auto"}
    lab.write(document)
    lab.start()
    lab.expect(lab.pods)

    _while_away(lab, lambda: _add_ranges(lab, lab.services, "10.97.0.0/16"))
    lab.expect(lab.pods, lab.services, "10.97.0.0/16")
    before = lab.router.routes()
    _while_away(lab, lambda: _remove_ranges(lab))
    lab.cli("drain", "--wait")
    lab.cli("undrain")

    lab.expect(*before)


SERVICE_CIDRS = api.find_collection("networking.k8s.io/v1", "servicecidrs")


def _while_away(lab: Lab, change: Callable[[], object]) -> None:
    """Change something behind the agent's back, and return when it has read everything anew."""
    asked = lab.api.count(kubeapi.SERVICE_CIDRS)
    with lab.api.away():
        change()
        lab.api.compact()
    until(lambda: lab.api.count(kubeapi.SERVICE_CIDRS) > asked and lab.api.watches == 1, lab.state)
    until(lambda: not problem(lab), lab.state)


def _add_ranges(lab: Lab, *cidrs: str) -> None:
    for name, cidr in zip(("kubernetes", "second"), cidrs, strict=True):
        written = {"metadata": {"name": name}, "spec": {"cidrs": [cidr]}}
        lab.api.store.create(SERVICE_CIDRS, written)


def _remove_ranges(lab: Lab) -> None:
    for name in ("kubernetes", "second"):
        lab.api.store.delete(SERVICE_CIDRS, store.Scope(name=name))
