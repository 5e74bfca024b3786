"""The API server of ``try`` behaves as a real one does, in what our client and tests rely on.

Where ``KUBEBUILDER_ASSETS`` names a real control plane, it has to pass the same tests: they are
what keeps our reading of the protocol honest.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import pathlib
import socket
import ssl
import threading
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import client
from exabgp_k8s.tryout.kubeapi import api as answers
from exabgp_k8s.tryout.kubeapi import apiserver, store
from tests.support import controlplane, kubeapi, ports

NODES = "/api/v1/nodes"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[controlplane.ControlPlane]:
    with controlplane.ControlPlane(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture(params=controlplane.KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[apiserver.Reachable]:
    if request.param == "real":
        yield request.getfixturevalue("control_plane").admin
        return
    with kubeapi.KubeApi(service_cidrs=["10.96.0.0/16"]) as own:
        yield own.admin


@pytest.fixture
def api(server: apiserver.Reachable, tmp_path: pathlib.Path) -> Iterator[client.Client]:
    path = tmp_path / "kubeconfig"
    path.write_text(apiserver.kubeconfig(server))
    with contextlib.closing(client.Client(client.Access(kubeconfig=path))) as opened:
        yield opened


@pytest.fixture
def node(api: client.Client) -> str:
    """Create a Node and return its path."""
    name = f"n-{uuid.uuid4().hex[:8]}"
    ask(api, "POST", NODES, apiserver.node_object(name, pod_cidrs=[]))
    return f"{NODES}/{name}"


def ask(
    api: client.Client,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    content_type: str = "application/json",
    *,
    query: Mapping[str, str] | None = None,
) -> Any:
    return json.loads(api.request(method, path, body=body, content_type=content_type, query=query))


def selector(node: str) -> dict[str, str]:
    return {"fieldSelector": f"metadata.name={node.rpartition('/')[2]}"}


@contextlib.contextmanager
def watching(api: client.Client, node: str, seconds: int, **query: str) -> Iterator[Iterator[Any]]:
    """Watch a Node for a while, and yield the lines as they come."""
    asked = {**selector(node), "timeoutSeconds": str(seconds), **query}
    with contextlib.closing(api.watch(NODES, asked, within=seconds + 20)) as watched:
        yield (json.loads(line) for line in watched.lines())


def test_a_list_selects_by_name_and_its_items_do_not_repeat_their_kind(
    api: client.Client, node: str
) -> None:
    ask(api, "POST", NODES, apiserver.node_object(f"other-{uuid.uuid4().hex[:8]}", pod_cidrs=[]))
    found = ask(api, "GET", NODES, query=selector(node))
    assert (found["kind"], found["apiVersion"]) == ("NodeList", "v1")
    (item,) = found["items"]
    assert "kind" not in item
    assert int(found["metadata"]["resourceVersion"]) >= int(item["metadata"]["resourceVersion"])


def test_a_list_of_a_name_that_does_not_exist_is_empty(api: client.Client) -> None:
    assert ask(api, "GET", NODES, query=selector("nobody"))["items"] == []


def test_a_name_is_given_once(api: client.Client, node: str) -> None:
    name = node.rpartition("/")[2]
    with pytest.raises(errors.KubeError, match="already exists") as caught:
        ask(api, "POST", NODES, apiserver.node_object(name, pod_cidrs=[]))
    assert caught.value.status == 409


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_does_not_exist_is_not_found(api: client.Client, method: str) -> None:
    with pytest.raises(errors.KubeError, match='nodes "nobody" not found') as caught:
        ask(api, method, f"{NODES}/nobody")
    assert caught.value.status == 404


def test_a_write_from_a_stale_version_is_a_conflict(api: client.Client, node: str) -> None:
    stale = ask(api, "GET", node)
    ask(api, "PATCH", node, {"spec": {"unschedulable": True}}, MERGE)
    with pytest.raises(errors.KubeError, match="object has been modified") as caught:
        ask(api, "PUT", node, stale)
    assert caught.value.status == 409


def test_a_write_of_another_uid_is_a_conflict(api: client.Client, node: str) -> None:
    fresh = ask(api, "GET", node)
    fresh["metadata"]["uid"] = str(uuid.uuid4())
    with pytest.raises(errors.KubeError) as caught:
        ask(api, "PUT", node, fresh)
    assert caught.value.status == 409


def test_a_write_from_the_current_version_is_stored(api: client.Client, node: str) -> None:
    fresh = ask(api, "GET", node)
    fresh["spec"]["unschedulable"] = True
    written = ask(api, "PUT", node, fresh)
    assert written == ask(api, "GET", node)
    assert written["metadata"]["resourceVersion"] != fresh["metadata"]["resourceVersion"]


def test_a_patch_that_changes_nothing_makes_no_version(api: client.Client, node: str) -> None:
    patch = {"spec": {"unschedulable": True}}
    first = ask(api, "PATCH", node, patch, MERGE)
    second = ask(api, "PATCH", node, patch, MERGE)
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


@pytest.mark.parametrize("language", [MERGE, STRATEGIC])
def test_taints_are_replaced_by_either_patch(api: client.Client, node: str, language: str) -> None:
    for key in ("a", "b"):
        taints = [{"key": key, "effect": "NoSchedule"}]
        patched = ask(api, "PATCH", node, {"spec": {"taints": taints}}, language)
        assert patched["spec"]["taints"] == taints


def test_conditions_are_merged_by_type(api: client.Client, node: str) -> None:
    patch = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    found = ask(api, "PATCH", f"{node}/status", patch, STRATEGIC)["status"]["conditions"]
    assert len(found) == 4
    assert [item["status"] for item in found if item["type"] == "Ready"] == ["False"]


def test_the_status_is_written_only_through_its_own_path(api: client.Client, node: str) -> None:
    both = {"spec": {"unschedulable": True}, "status": {"phase": "Running"}}
    written = ask(api, "PATCH", node, both, MERGE)
    assert written["spec"]["unschedulable"] is True
    assert "phase" not in written["status"]
    both = {"spec": {"unschedulable": None}, "status": {"phase": "Running"}}
    written = ask(api, "PATCH", f"{node}/status", both, MERGE)
    assert written["spec"]["unschedulable"] is True
    assert written["status"]["phase"] == "Running"


def test_an_unknown_patch_language_is_refused(api: client.Client, node: str) -> None:
    with pytest.raises(errors.KubeError) as caught:
        ask(api, "PATCH", node, {}, "application/banana+json")
    assert caught.value.status == 415


def test_a_watch_from_a_version_shows_what_came_after_it(api: client.Client, node: str) -> None:
    version = ask(api, "GET", NODES, query=selector(node))["metadata"]["resourceVersion"]
    ask(api, "PATCH", node, {"spec": {"unschedulable": True}}, MERGE)
    ask(api, "DELETE", node)
    # What comes after the two shows that there were no more of them.
    ask(api, "POST", NODES, apiserver.node_object(node.rpartition("/")[2], pod_cidrs=[]))
    with watching(api, node, 60, resourceVersion=version) as lines:
        changed, deleted, again = itertools.islice(lines, 3)
    assert (changed["type"], changed["object"]["kind"]) == ("MODIFIED", "Node")
    assert changed["object"]["apiVersion"] == "v1"
    assert (deleted["type"], deleted["object"]["spec"]["unschedulable"]) == ("DELETED", True)
    versions = [int(line["object"]["metadata"]["resourceVersion"]) for line in (changed, deleted)]
    assert int(version) < versions[0] < versions[1]
    assert again["type"] == "ADDED"


def test_a_watch_without_a_version_starts_with_what_there_is(
    api: client.Client, node: str
) -> None:
    with watching(api, node, 60) as lines:
        ask(api, "DELETE", node)
        assert [line["type"] for line in itertools.islice(lines, 2)] == ["ADDED", "DELETED"]


def test_a_watch_from_a_version_not_reached_yet_is_silent(api: client.Client, node: str) -> None:
    bookmarked = {"resourceVersion": "9999999", "allowWatchBookmarks": "true"}
    with watching(api, node, 1, **bookmarked) as lines:
        assert list(lines) == []


def test_a_finalizer_holds_a_deleted_object(api: client.Client, node: str) -> None:
    ask(api, "PATCH", node, {"metadata": {"finalizers": ["example.org/wait"]}}, MERGE)
    ask(api, "DELETE", node)
    assert ask(api, "GET", node)["metadata"]["deletionTimestamp"]
    ask(api, "PATCH", node, {"metadata": {"finalizers": None}}, MERGE)
    assert ask(api, "GET", NODES, query=selector(node))["items"] == []


def test_service_ranges_are_listed(api: client.Client) -> None:
    (found,) = ask(api, "GET", "/apis/networking.k8s.io/v1/servicecidrs")["items"]
    assert found["spec"]["cidrs"] == ["10.96.0.0/16"]


def test_an_event_about_a_node_goes_to_the_default_namespace(
    api: client.Client, node: str
) -> None:
    event = {
        "metadata": {"generateName": "drain.", "namespace": "default"},
        "involvedObject": {"kind": "Node", "name": node.rpartition("/")[2]},
        "reason": "Drained",
        "type": "Normal",
    }
    created = ask(api, "POST", "/api/v1/namespaces/default/events", event)
    assert created["metadata"]["name"].startswith("drain.")
    assert created["metadata"]["namespace"] == "default"


def test_a_lease_taken_meanwhile_is_a_conflict(api: client.Client) -> None:
    leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    name = f"lease-{uuid.uuid4().hex[:8]}"
    lease = ask(api, "POST", leases, {"metadata": {"name": name}, "spec": {}})
    ask(api, "PATCH", f"{leases}/{name}", {"spec": {"holderIdentity": "a"}}, MERGE)
    with pytest.raises(errors.KubeError) as caught:
        ask(api, "PUT", f"{leases}/{name}", lease)
    assert caught.value.status == 409


def test_a_body_that_is_no_object_is_refused(api: client.Client, node: str) -> None:
    with pytest.raises(errors.KubeError) as caught:
        ask(api, "PUT", node, ["a"])  # type: ignore[arg-type]
    assert caught.value.status == 400


SPEAKERS = "/apis/exabgp-k8s.io/v1alpha1/bgpspeakers"


@pytest.fixture
def speaker(api: client.Client) -> str:
    """Create a custom resource with a status that does not count, and return its path."""
    name = f"s-{uuid.uuid4().hex[:8]}"
    made = {
        "apiVersion": "exabgp-k8s.io/v1alpha1",
        "kind": "BGPSpeaker",
        "metadata": {"name": name},
        "status": {"phase": "serving"},
    }
    assert "status" not in ask(api, "POST", SPEAKERS, made)
    return f"{SPEAKERS}/{name}"


def test_a_status_is_put_in_whole_by_a_json_patch(api: client.Client, speaker: str) -> None:
    for said in ({"phase": "serving", "version": "1"}, {"phase": "drained"}):
        patch = [{"op": "add", "path": "/status", "value": said}]
        body = api.request("PATCH", f"{speaker}/status", body=patch, content_type=JSON_PATCH)
        assert json.loads(body)["status"] == said


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "test", "path": "/metadata/name", "value": "other"}],
        [{"op": "replace", "path": "/status/phase", "value": "serving"}],
    ],
    ids=["a test that fails", "what is not there"],
)
def test_a_json_patch_that_does_not_fit_is_refused(
    patch: list[Mapping[str, Any]], api: client.Client, speaker: str
) -> None:
    with pytest.raises(errors.KubeError) as caught:
        api.request("PATCH", f"{speaker}/status", body=patch, content_type=JSON_PATCH)
    assert caught.value.status == 422


def test_a_list_of_custom_resources_repeats_their_kind(api: client.Client, speaker: str) -> None:
    items = ask(api, "GET", SPEAKERS)["items"]
    (found,) = [each for each in items if speaker.endswith(each["metadata"]["name"])]
    assert (found["apiVersion"], found["kind"]) == ("exabgp-k8s.io/v1alpha1", "BGPSpeaker")


def test_a_kind_that_nobody_defined_is_not_found(api: client.Client) -> None:
    with pytest.raises(errors.KubeError) as caught:
        ask(api, "POST", "/apis/nobody.example/v1/things", {"metadata": {"name": "x"}})
    assert caught.value.status == 404


def test_a_wrong_token_is_unauthorized(
    server: apiserver.Reachable, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "other"
    path.write_text(apiserver.kubeconfig(controlplane.Admin(server.url, server.ca, "wrong")))
    with (
        contextlib.closing(client.Client(client.Access(kubeconfig=path))) as api,
        pytest.raises(errors.KubeError, match="Unauthorized") as caught,
    ):
        ask(api, "GET", NODES)
    assert caught.value.status == 401


def test_an_unknown_collection_is_not_found(api: client.Client) -> None:
    with pytest.raises(errors.KubeError) as caught:
        ask(api, "GET", "/api/v1/bananas")
    assert caught.value.status == 404


# -- what only our own is asked for --------------------------------------------------------------


def test_it_listens_on_a_socket_that_is_handed_in() -> None:
    sock = socket.create_server(("::1", 0), family=socket.AF_INET6)
    with apiserver.ApiServer(sock=sock) as own:
        assert own.url == f"http://[::1]:{own.port}"
        with socket.create_connection(("::1", own.port)) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert connection.makefile("rb").read().endswith(b"\r\n\r\nok")


def test_objects_and_port_survive_a_restart() -> None:
    own = apiserver.ApiServer(nodes=[apiserver.node_object("n1")])
    own.start(socket.create_server(("127.0.0.1", ports.claim())))
    port = own.port
    own.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    own.start()
    assert (own.port, own.node("n1")["metadata"]["name"]) == (port, "n1")
    own.stop()


class _Hesitant(ssl.SSLContext):
    """Begins with a connection only once it is told to."""

    begun = threading.Event()
    goes_on = threading.Event()

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        self.begun.set()
        assert self.goes_on.wait(60)
        return super().wrap_socket(*arguments, **options)


def test_a_connection_that_is_being_accepted_does_not_outlive_a_stop() -> None:
    own = kubeapi.KubeApi()
    trusting = ssl.create_default_context(cadata=own.ca.decode())
    own.listener.context = _Hesitant(ssl.PROTOCOL_TLS_SERVER)
    own.authority.issue_cert("127.0.0.1").configure_cert(own.listener.context)
    own.start()
    with socket.create_connection(("127.0.0.1", own.port), timeout=60) as connection:
        assert _Hesitant.begun.wait(60)
        own.kill()
        own.restart()
        _Hesitant.goes_on.set()
        with pytest.raises((ssl.SSLError, OSError)):
            trusting.wrap_socket(connection, server_hostname="127.0.0.1")
    own.stop()


def test_history_beyond_its_limit_is_expired() -> None:
    own = apiserver.ApiServer(nodes=[apiserver.node_object("n1")])
    first = own.store.version()
    flips = itertools.cycle([True, None])
    for _ in range(1001):
        own.patch_node("n1", {"spec": {"unschedulable": next(flips)}})
    collection, scope = answers.NODES, store.Scope(name="n1")
    assert len(own.store.since(first + 1, collection, scope)) == 1000
    with pytest.raises(store.StatusError, match="too old resource version"):
        own.store.since(first, collection, scope)
