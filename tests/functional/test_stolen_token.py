"""What the tokens of two nodes may write, at a real API server with our rights and policies.

Collected only where there is one: ``KUBEBUILDER_ASSETS``, see tests/support/controlplane.py.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from exabgp_k8s.core.facts import budget, model
from exabgp_k8s.core.report.notice import Kind, Notice, Word
from exabgp_k8s.wire import bgpspeaker, kube_events, leases
from tests.support import controlplane
from tests.support.lab import until

pytestmark = pytest.mark.functional

LEASES = leases.COLLECTION.format(namespace=controlplane.NAMESPACE)
LONG = f"{'n' * 60}.{'o' * 60}.{'d' * 60}.{'e' * 62}.x"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[controlplane.ControlPlane]:
    with controlplane.ControlPlane(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture(scope="module")
def tokens(server: controlplane.ControlPlane) -> dict[str, str]:
    """The tokens of the pods on two nodes, and on one whose Lease's name ends in a hash."""
    return {node: server.token_of(node) for node in ("n2", "n3", LONG)}


def a_lease(
    node: str, standing: budget.Standing = budget.Standing.SLOT, **more: Any
) -> dict[str, Any]:
    now = time.time()
    lease = leases.Lease(
        node=node, standing=standing, uid=f"uid-{node}", since=now, renewed=now, lasts=1800, **more
    )
    return copy.deepcopy(dict(leases.render(lease)))


def an_event(node: str) -> dict[str, Any]:
    notice = Notice(kind=Kind.WARNING, word=Word.SESSION_LOST, message="out")
    facts = model.NodeFacts(name=node, uid=f"uid-{node}")
    return copy.deepcopy(dict(kube_events.event(notice, facts, time.time(), time.time_ns())))


def a_speaker(node: str) -> dict[str, Any]:
    return copy.deepcopy(dict(bgpspeaker.new(model.NodeFacts(name=node, uid=f"uid-{node}"))))


def changed(document: dict[str, Any], *path: str, value: Any) -> dict[str, Any]:
    """Return a document with one field set to something else."""
    *parents, last = path
    inner = document
    for each in parents:
        inner = inner[each]
    inner[last] = value
    return document


def stored(server: controlplane.ControlPlane, collection: str, body: dict[str, Any]) -> str:
    """Have the admin create an object; return its path."""
    return f"{collection}/{server.ask('POST', collection, body)['metadata']['name']}"


@pytest.mark.parametrize("standing", list(budget.Standing))
@pytest.mark.parametrize("node", ["n2", LONG], ids=["short", "long"])
def test_an_agent_may_write_its_own_lease_whatever_it_says(
    node: str,
    standing: budget.Standing,
    server: controlplane.ControlPlane,
    tokens: dict[str, str],
) -> None:
    first = a_lease(node, standing)
    path = f"{LEASES}/{first['metadata']['name']}"
    created = server.ask("POST", LEASES, first, tokens[node])
    try:
        version = created["metadata"]["resourceVersion"]
        server.ask("PUT", path, a_lease(node, standing, version=version, claim=7), tokens[node])
    finally:
        server.ask("DELETE", path)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lambda: a_lease("n3"), id="of another node"),
        pytest.param(
            lambda: changed(a_lease("n2"), "spec", "holderIdentity", value="n3"),
            id="held by another node",
        ),
        pytest.param(
            lambda: changed(a_lease("n3"), "spec", "holderIdentity", value="n2"),
            id="under the name of another node's",
        ),
        pytest.param(
            lambda: changed(
                a_lease("n2"),
                "metadata",
                "ownerReferences",
                value=a_lease("n3")["metadata"]["ownerReferences"],
            ),
            id="owned by another node",
        ),
        pytest.param(
            lambda: changed(a_lease("n2"), "metadata", "ownerReferences", value=[]),
            id="that nobody owns",
        ),
        pytest.param(
            lambda: changed(
                a_lease("n2"), "metadata", "labels", "app.kubernetes.io/name", value="x"
            ),
            id="of another program",
        ),
        pytest.param(
            lambda: changed(
                a_lease("n2"), "metadata", "labels", "exabgp-k8s.io/standing", value="x"
            ),
            id="with a standing that there is not",
        ),
        pytest.param(
            lambda: changed(a_lease("n2"), "metadata", "labels", "exabgp-k8s.io/shard", value="x"),
            id="in no shard",
        ),
        pytest.param(
            lambda: changed(
                a_lease("n2"), "metadata", "annotations", value={leases.CLAIM: "9" * 5000}
            ),
            id="with a claim of 5000 digits",
        ),
        pytest.param(
            lambda: changed(a_lease("n2"), "spec", "leaseDurationSeconds", value=2_000_000_000),
            id="for sixty years",
        ),
        pytest.param(lambda: {"metadata": {"name": leases.name_of("n2")}}, id="without anything"),
    ],
)
def test_a_stolen_token_may_not_write_a_lease(
    body: Callable[[], dict[str, Any]],
    server: controlplane.ControlPlane,
    tokens: dict[str, str],
) -> None:
    assert "exabgp-k8s-leases" in server.refusal("POST", LEASES, body(), tokens["n2"])


def test_a_stolen_token_may_not_change_or_delete_another_nodes_lease(
    server: controlplane.ControlPlane, tokens: dict[str, str]
) -> None:
    path = stored(server, LEASES, a_lease("n3"))
    version = server.ask("GET", path)["metadata"]["resourceVersion"]
    try:
        taken = a_lease("n3", budget.Standing.IN, version=version)

        assert "exabgp-k8s-leases" in server.refusal("PUT", path, taken, tokens["n2"])
        assert "forbidden" in server.refusal("PATCH", path, {"spec": {}}, tokens["n2"])
        assert "forbidden" in server.refusal("DELETE", path, None, tokens["n2"])
        assert server.ask("GET", path)["metadata"]["labels"][leases.STANDING] == "slot"
    finally:
        server.ask("DELETE", path)


def test_an_agent_may_write_events_about_its_node_and_count_them_up(
    server: controlplane.ControlPlane, tokens: dict[str, str]
) -> None:
    created = server.ask("POST", kube_events.COLLECTION, an_event("n2"), tokens["n2"])
    path = f"{kube_events.COLLECTION}/{created['metadata']['name']}"

    patched = server.ask("PATCH", path, kube_events.repetition(2, time.time()), tokens["n2"])

    assert patched["count"] == 2


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lambda: an_event("n3"), id="about another node"),
        pytest.param(
            lambda: changed(an_event("n2"), "involvedObject", "name", value="n3"),
            id="about another node in its own name",
        ),
        pytest.param(
            lambda: changed(an_event("n2"), "involvedObject", "kind", value="Namespace"),
            id="about something else",
        ),
        pytest.param(
            lambda: changed(an_event("n2"), "source", "component", value="kubelet"),
            id="as kubelet",
        ),
        pytest.param(
            lambda: changed(an_event("n2"), "source", "host", value="n3"), id="from another node"
        ),
        pytest.param(
            lambda: changed(an_event("n2"), "reportingComponent", value="kubelet"),
            id="reported by kubelet",
        ),
        pytest.param(
            lambda: changed(an_event("n2"), "reportingInstance", value="n3"),
            id="reported by another node",
        ),
    ],
)
def test_a_stolen_token_may_not_write_an_event(
    body: Callable[[], dict[str, Any]],
    server: controlplane.ControlPlane,
    tokens: dict[str, str],
) -> None:
    said = server.refusal("POST", kube_events.COLLECTION, body(), tokens["n2"])

    assert "exabgp-k8s-events" in said


@pytest.mark.parametrize("node", ["n2", LONG], ids=["short", "long"])
def test_an_agent_may_make_its_nodes_bgpspeaker_and_write_its_status(
    node: str, server: controlplane.ControlPlane, tokens: dict[str, str]
) -> None:
    path = f"{bgpspeaker.COLLECTION}/{node}"
    server.ask("POST", bgpspeaker.COLLECTION, a_speaker(node), tokens[node])
    try:
        said = {"status": {"phase": "serving"}}
        server.ask("PATCH", f"{path}/status", said, tokens[node])
        owner = {"metadata": bgpspeaker.owned_by(model.NodeFacts(name=node, uid="anew"))}
        server.ask("PATCH", path, owner, tokens[node])

        assert server.speaker(node)["status"] == said["status"]
    finally:
        server.ask("DELETE", path)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lambda: a_speaker("n3"), id="of another node"),
        pytest.param(
            lambda: changed(a_speaker("n3"), "metadata", "name", value="n2"),
            id="that another node owns",
        ),
        pytest.param(
            lambda: changed(a_speaker("n2"), "metadata", "ownerReferences", value=[]),
            id="that nobody owns",
        ),
        pytest.param(
            lambda: changed(a_speaker("n2"), "metadata", "finalizers", value=["x.example/y"]),
            id="that outlives its node",
        ),
    ],
)
def test_a_stolen_token_may_not_make_a_bgpspeaker(
    body: Callable[[], dict[str, Any]],
    server: controlplane.ControlPlane,
    tokens: dict[str, str],
) -> None:
    said = server.refusal("POST", bgpspeaker.COLLECTION, body(), tokens["n2"])

    assert "exabgp-k8s-bgpspeakers" in said


def test_a_stolen_token_may_not_change_or_delete_another_nodes_bgpspeaker(
    server: controlplane.ControlPlane, tokens: dict[str, str]
) -> None:
    path = stored(server, bgpspeaker.COLLECTION, a_speaker("n3"))
    healthy = {"status": {"phase": "serving"}}
    taken = {"metadata": bgpspeaker.owned_by(model.NodeFacts(name="n2", uid="uid-n2"))}
    try:
        for asked, body in ((f"{path}/status", healthy), (path, taken), (path, {"spec": {}})):
            said = server.refusal("PATCH", asked, body, tokens["n2"])
            assert "exabgp-k8s-bgpspeakers" in said
        assert "forbidden" in server.refusal("DELETE", path, None, tokens["n2"])
        assert "status" not in server.speaker("n3")
    finally:
        server.ask("DELETE", path)


@pytest.mark.parametrize("theirs", ["another node's", "kubelet's"])
def test_a_stolen_token_may_not_change_or_delete_an_event(
    theirs: str, server: controlplane.ControlPlane, tokens: dict[str, str]
) -> None:
    event = an_event("n3")
    if theirs == "kubelet's":
        event = changed(an_event("n2"), "source", "component", value="kubelet")
    path = stored(server, kube_events.COLLECTION, event)
    ours = {
        key: value
        for key, value in an_event("n2").items()
        if key in {"involvedObject", "source", "reportingComponent", "reportingInstance"}
    }

    assert "exabgp-k8s-events" in server.refusal("PATCH", path, ours, tokens["n2"])
    assert "forbidden" in server.refusal("DELETE", path, None, tokens["n2"])


def test_events_may_be_written_in_the_namespace_default_only(
    server: controlplane.ControlPlane, tokens: dict[str, str]
) -> None:
    """RBAC says so, without any policy."""
    collection = "/api/v1/namespaces/exabgp-k8s/events"
    event = changed(an_event("n2"), "metadata", "namespace", value="exabgp-k8s")

    said = server.refusal("POST", collection, event, tokens["n2"])

    assert "cannot create resource" in said


def test_a_token_that_was_made_for_no_pod_may_write_nothing(
    server: controlplane.ControlPlane,
) -> None:
    token = server.request_token({})

    assert "not made for a pod" in server.refusal("POST", LEASES, a_lease("n2"), token)
    for collection, body in (
        (kube_events.COLLECTION, an_event("n2")),
        (bgpspeaker.COLLECTION, a_speaker("n2")),
    ):
        assert "not made for a pod" in server.refusal("POST", collection, body, token)


def test_not_even_a_wider_role_lets_an_agent_delete(
    server: controlplane.ControlPlane, tokens: dict[str, str]
) -> None:
    lease = stored(server, LEASES, a_lease("n2"))
    event = stored(server, kube_events.COLLECTION, an_event("n2"))
    spoken = stored(server, bgpspeaker.COLLECTION, a_speaker("n2"))
    role = {
        "metadata": {"name": "wider"},
        "rules": [
            {
                "apiGroups": ["*"],
                "resources": ["leases", "events", "bgpspeakers"],
                "verbs": ["*"],
            },
        ],
    }
    account = {"kind": "ServiceAccount", "name": "exabgp-k8s", "namespace": "exabgp-k8s"}
    binding = {
        "metadata": {"name": "wider"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "wider",
        },
        "subjects": [account],
    }
    paths = [stored(server, f"{RBAC}/clusterroles", role)]
    paths.append(stored(server, f"{RBAC}/clusterrolebindings", binding))
    try:
        # The server learns of its own rights a moment later.
        until(lambda: "deletes no" in server.refusal("DELETE", lease, None, tokens["n2"]))
        until(lambda: "deletes none" in server.refusal("DELETE", event, None, tokens["n2"]))
        until(lambda: "deletes no" in server.refusal("DELETE", spoken, None, tokens["n2"]))
    finally:
        for path in (*paths, lease, event, spoken):
            server.ask("DELETE", path)


def test_nobody_else_is_concerned(server: controlplane.ControlPlane) -> None:
    """The policies look at every Lease and every Event of the cluster."""
    foreign = {"metadata": {"name": "leader"}, "spec": {"holderIdentity": "somebody"}}
    about = {"kind": "Pod", "name": "p", "namespace": "kube-system"}
    event = {"metadata": {"generateName": "e-"}, "involvedObject": about}

    stored(server, "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases", foreign)
    stored(server, "/api/v1/namespaces/kube-system/events", event)
