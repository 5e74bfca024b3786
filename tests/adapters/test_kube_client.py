"""The client on real connections, HTTP and HTTPS, and what of ``kubernetes`` it relies on."""

from __future__ import annotations

import contextlib
import json
import pathlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

import exabgp_k8s
from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import client, limits
from exabgp_k8s.tryout.kubeapi import apiserver
from tests.support import descriptors, kubeapi

NODES = "/api/v1/nodes"


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest) -> Iterator[kubeapi.KubeApi]:
    with kubeapi.KubeApi(
        nodes=[apiserver.node_object("n1")], tls=request.param == "https"
    ) as running:
        yield running


@pytest.fixture
def secure() -> Iterator[kubeapi.KubeApi]:
    with kubeapi.KubeApi(nodes=[apiserver.node_object("n1")]) as running:
        yield running


@pytest.fixture
def kubeconfig(server: kubeapi.KubeApi, tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "kubeconfig"
    path.write_text(apiserver.kubeconfig(server))
    return path


@pytest.fixture
def api(kubeconfig: pathlib.Path) -> Iterator[client.Client]:
    with contextlib.closing(client.Client(client.Access(kubeconfig=kubeconfig))) as opened:
        yield opened


@pytest.fixture
def pod(
    secure: kubeapi.KubeApi, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[client.Client]:
    """Yield a client as it runs inside a pod: environment, token file and CA of kubelet."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(secure.port))
    account = kubeapi.write_service_account(tmp_path, secure)
    access = client.Access(service_account=account)
    with contextlib.closing(client.Client(access)) as opened:
        yield opened


def get(api: client.Client, path: str = NODES) -> Any:
    return json.loads(api.request("GET", path))


def test_a_kubeconfig_is_enough_to_list_nodes(api: client.Client) -> None:
    assert [node["metadata"]["name"] for node in get(api)["items"]] == ["n1"]


def test_inside_a_pod_the_bearer_token_is_really_sent(
    pod: client.Client, secure: kubeapi.KubeApi
) -> None:
    """Version 36.0.0 of the library sent no Authorization header at all in a pod."""
    get(pod)
    assert secure.requests[-1].headers["authorization"].lower() == "bearer first-token"


def test_the_user_agent_names_us_and_our_version(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    get(api)
    assert server.requests[-1].headers["user-agent"] == f"exabgp-k8s/{exabgp_k8s.__version__}"


def test_no_compression_is_asked_for_that_would_hold_a_watch_back(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    get(api)
    assert server.requests[-1].headers.get("accept-encoding", "identity") == "identity"


def test_requests_share_one_connection(api: client.Client, server: kubeapi.KubeApi) -> None:
    for _ in range(3):
        get(api)
    assert len({request.client for request in server.requests}) == 1


def test_a_query_is_encoded_once(api: client.Client, server: kubeapi.KubeApi) -> None:
    api.request("GET", NODES, query={"fieldSelector": "metadata.name=a b%2F"})
    assert server.requests[-1].query["fieldSelector"] == "metadata.name=a b%2F"


@pytest.mark.parametrize("code", [400, 403, 404, 409, 422, 429, 500, 503])
def test_an_error_status_is_an_error_with_the_servers_words(
    api: client.Client, server: kubeapi.KubeApi, code: int
) -> None:
    server.inject(kubeapi.status(code))
    with pytest.raises(errors.KubeError, match=f"made to answer {code}") as caught:
        get(api)
    assert (caught.value.status, caught.value.retry_after) == (code, 0)
    assert len(server.requests) == 1, "it was retried"


def test_410_is_expired(api: client.Client, server: kubeapi.KubeApi) -> None:
    server.inject(kubeapi.status(410))
    with pytest.raises(errors.Expired):
        get(api)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3600", 3600), ("soon", 0), ("-5", 0), ("\xb2", 0), ("", 0), ("9" * 5000, 999_999_999)],
)
def test_retry_after_is_reported_and_not_slept(
    api: client.Client, server: kubeapi.KubeApi, header: str, seconds: int
) -> None:
    """The library would sleep inside the call for as long as the server says."""
    server.inject(kubeapi.status(429, header))
    before = time.monotonic()
    with pytest.raises(errors.KubeError) as caught:
        get(api)
    assert caught.value.retry_after == seconds
    assert len(server.requests) == 1
    assert time.monotonic() - before < 3600


def test_an_error_body_that_is_no_json_is_shown_harmlessly(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    server.inject(kubeapi.body(b"<html>\r\nBad Gateway</html>", 502))
    with pytest.raises(errors.KubeError, match="502") as caught:
        get(api)
    assert str(caught.value).isprintable()


def test_a_redirect_is_an_error_and_the_token_goes_nowhere_else(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    with kubeapi.KubeApi(tls=False) as elsewhere:
        server.inject(kubeapi.body(b"", 302, {"Location": elsewhere.url + NODES}))
        with pytest.raises(errors.KubeError, match="302"):
            get(api)
        assert not elsewhere.requests


def test_a_refused_connection_is_an_error_at_once(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    server.kill()
    with pytest.raises(errors.KubeError, match="refused"):
        get(api)


def test_a_server_that_never_answers_is_given_up(
    server: kubeapi.KubeApi, kubeconfig: pathlib.Path
) -> None:
    server.inject_always(server.deafness)
    # On a machine that is busy the time may be over before the request is there: then more.
    for timeout in (1, 4, 16):
        access = client.Access(kubeconfig=kubeconfig, answer_timeout=timeout)
        with (
            contextlib.closing(client.Client(access)) as api,
            pytest.raises(errors.KubeError, match="timed out"),
        ):
            get(api)
        if server.requests:
            break
    assert len(server.requests) == 1


def test_a_connection_that_took_all_the_time_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asking = urllib3.PoolManager(retries=False)
        limits.bound(asking)
        limits.end_within(-1)
        with pytest.raises(urllib3.exceptions.HTTPError, match="timed out") as found:
            asking.request("GET", f"https://127.0.0.1:{listener.getsockname()[1]}/")
        # What is raised holds on to everything that took part. Seen from the other end: other
        # threads of this process open and close what they like meanwhile.
        other, _ = listener.accept()
        with other:
            other.settimeout(60)
            assert not other.recv(1), found


def test_the_proxy_of_the_environment_is_not_used(
    api: client.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library would send requests for the ClusterIP to the company's proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert get(api)["items"]


def test_a_connection_has_keepalive_and_a_limit_for_unanswered_data(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    with contextlib.closing(api.watch(NODES, {}, within=5)) as watched:
        sock = watched._response.connection.sock  # type: ignore[union-attr]
        assert isinstance(sock, socket.socket)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert server.requests[-1].is_watch


def test_writes_speak_the_patch_language_they_are_told(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    api.request(
        "PATCH",
        f"{NODES}/n1",
        body={"metadata": {"annotations": {"a": "b"}}},
        content_type="application/merge-patch+json",
    )
    assert server.requests[-1].headers["content-type"] == "application/merge-patch+json"
    assert server.node("n1")["metadata"]["annotations"]["a"] == "b"


def test_an_event_can_be_created(api: client.Client) -> None:
    path = "/api/v1/namespaces/default/events"
    created = json.loads(
        api.request("POST", path, body={"metadata": {"generateName": "n1."}, "reason": "Drained"})
    )
    assert created["reason"] == "Drained"
    assert get(api, path)["items"][0]["metadata"]["name"].startswith("n1.")


def test_another_server_can_be_named_than_the_configured_one(
    server: kubeapi.KubeApi, kubeconfig: pathlib.Path
) -> None:
    kubeconfig.write_text(kubeconfig.read_text().replace(str(server.port), "9"))
    access = client.Access(kubeconfig=kubeconfig, server=server.url)
    with contextlib.closing(client.Client(access)) as api:
        assert get(api)["items"]


# -- credentials that change ---------------------------------------------------------------------


def test_a_replaced_token_is_read_when_the_old_one_is_refused(
    pod: client.Client, secure: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    get(pod)
    secure.token = "second-token"
    kubeapi.write_service_account(tmp_path, secure)
    assert get(pod)["items"]
    assert [request.headers["authorization"][7:] for request in secure.requests] == [
        "first-token",
        "first-token",
        "second-token",
    ]


def test_a_token_replaced_in_a_kubeconfig_is_read_when_the_old_one_is_refused(
    api: client.Client, server: kubeapi.KubeApi, kubeconfig: pathlib.Path
) -> None:
    get(api)
    server.token = "second-token"
    kubeconfig.write_text(apiserver.kubeconfig(server))
    assert get(api)["items"]


def test_a_token_that_stays_refused_is_tried_twice_and_no_more(
    pod: client.Client, secure: kubeapi.KubeApi
) -> None:
    secure.token = "another"
    with pytest.raises(errors.KubeError) as caught:
        get(pod)
    assert caught.value.status == 401
    assert len(secure.requests) == 2


def test_the_library_reads_the_token_file_again_when_it_is_due(
    pod: client.Client, secure: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    """It does so on the first request after a minute; here the minute is over at once."""
    get(pod)
    assert pod._api is not None
    hook = pod._api._settings.refresh_api_key_hook
    loader = dict(zip(hook.__code__.co_freevars, hook.__closure__, strict=True))["self"]
    loader.cell_contents.token_expires_at = loader.cell_contents.token_expires_at.min
    (tmp_path / "token").write_text("rotated")
    secure.token = "rotated"
    get(pod)
    assert len(secure.requests) == 2


def test_a_replaced_authority_is_trusted_from_the_next_connection_on(
    pod: client.Client, secure: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    get(pod)
    secure.rotate_authority()
    secure.listener.disconnect()
    with pytest.raises(errors.KubeError, match="certificate is not trusted"):
        get(pod)
    kubeapi.write_service_account(tmp_path, secure)
    assert get(pod)["items"]


def test_an_authority_replaced_in_a_kubeconfig_is_trusted_after_one_failure(
    secure: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(apiserver.kubeconfig(secure))
    with contextlib.closing(client.Client(client.Access(kubeconfig=path))) as api:
        get(api)
        secure.rotate_authority()
        secure.listener.disconnect()
        path.write_text(apiserver.kubeconfig(secure))
        with pytest.raises(errors.KubeError, match="certificate is not trusted"):
            get(api)
        assert get(api)["items"]


def test_missing_credentials_are_an_error_until_they_appear(
    pod: client.Client, secure: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "token").unlink()
    with pytest.raises(errors.KubeError, match="no usable credentials in"):
        get(pod)
    kubeapi.write_service_account(tmp_path, secure)
    assert get(pod)["items"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"clusters": 1}', "a: &a [*a]"])
def test_a_broken_kubeconfig_is_an_error_that_names_the_file(
    tmp_path: pathlib.Path, content: str
) -> None:
    path = tmp_path / "broken"
    path.write_text(content)
    with pytest.raises(errors.KubeError, match="broken"):
        get(client.Client(client.Access(kubeconfig=path)))


def test_a_token_that_is_no_header_is_an_error_that_does_not_show_it(
    pod: client.Client, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "token").write_text("very-secret\nx: y")
    with pytest.raises(errors.KubeError, match="one line of ASCII") as caught:
        get(pod)
    shown: BaseException | None = caught.value
    assert "very-secret" not in str(shown)
    assert caught.value.__suppress_context__


# -- streams -------------------------------------------------------------------------------------


def test_lines_arrive_as_they_are_sent(api: client.Client, server: kubeapi.KubeApi) -> None:
    version = get(api)["metadata"]["resourceVersion"]
    with contextlib.closing(api.watch(NODES, {"resourceVersion": version}, within=20)) as watched:
        lines = watched.lines()
        for is_cordoned in (True, False):
            server.patch_node("n1", {"spec": {"unschedulable": is_cordoned}})
            assert json.loads(next(lines))["object"]["spec"]["unschedulable"] is is_cordoned


def test_a_line_may_come_in_pieces_and_two_at_once(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    def pieces(asked: Any) -> None:
        asked.start_stream()
        for piece in (b"on", b"e\ntwo\nth", b"r", b"ee\n\n", b"four"):
            asked.send_chunk(piece)
        asked.send_chunk(b"")

    server.inject(pieces)
    with contextlib.closing(api.watch(NODES, {}, within=20)) as watched:
        assert list(watched.lines()) == [b"one", b"two", b"three"]


def test_a_stream_that_is_not_ended_in_time_is_an_error(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    server.inject(server.silence)
    with (
        contextlib.closing(api.watch(NODES, {}, within=0.1)) as watched,
        pytest.raises(errors.Unreachable, match="timed out"),
    ):
        list(watched.lines())


def test_the_connection_of_a_silent_stream_is_not_used_again(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    server.inject(server.silence)
    with (
        contextlib.closing(api.watch(NODES, {}, within=0.1)) as watched,
        pytest.raises(errors.Unreachable),
    ):
        list(watched.lines())
    get(api)
    assert len({request.client for request in server.requests}) == 2


@pytest.mark.parametrize("fault", [kubeapi.truncated_chunk, kubeapi.reset])
def test_a_stream_that_breaks_off_is_an_error(
    api: client.Client, server: kubeapi.KubeApi, fault: kubeapi.Fault
) -> None:
    server.inject(fault)
    with (
        contextlib.closing(api.watch(NODES, {}, within=20)) as watched,
        pytest.raises(errors.KubeError, match=r"cannot be reached|in the middle of an answer"),
    ):
        list(watched.lines())


def test_a_server_that_ends_between_two_lines_is_told_of_in_words(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    def ended(asked: Any) -> None:
        asked.start_stream()
        asked.close_connection = True
        asked.connection.shutdown(socket.SHUT_RDWR)

    server.inject(ended)
    with (
        contextlib.closing(api.watch(NODES, {}, within=20)) as watched,
        pytest.raises(errors.Unreachable, match="in the middle of an answer"),
    ):
        list(watched.lines())


def test_a_line_without_an_end_is_given_up(api: client.Client, server: kubeapi.KubeApi) -> None:
    def flood(asked: Any) -> None:
        asked.start_stream()
        for _ in range(6):
            asked.send_chunk(b"x" * 2**20)

    server.inject(flood)
    with (
        contextlib.closing(api.watch(NODES, {}, within=20)) as watched,
        pytest.raises(errors.KubeError, match="longer than any object"),
    ):
        list(watched.lines())


def test_a_stream_can_be_interrupted_from_another_thread(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    server.inject(server.silence)
    with contextlib.closing(api.watch(NODES, {}, within=60)) as watched:
        threading.Timer(0.05, watched.interrupt).start()
        assert list(watched.lines()) == []


def test_interrupting_a_stream_that_has_ended_does_nothing(
    api: client.Client, server: kubeapi.KubeApi
) -> None:
    server.inject(kubeapi.instant_end)
    watched = api.watch(NODES, {}, within=5)
    assert list(watched.lines()) == []
    watched.interrupt()
    watched.close()
    watched.interrupt()


def test_a_client_that_does_not_trust_the_server_sends_nothing(
    secure: kubeapi.KubeApi,
) -> None:
    """The test server is what it claims: a plain client is refused by TLS."""
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(
            socket.create_connection(("127.0.0.1", secure.port)), server_hostname="127.0.0.1"
        )


def test_a_request_that_we_have_no_descriptor_for_says_so(tmp_path: pathlib.Path) -> None:
    """A server that is away is another thing, and no lack of ours."""
    with kubeapi.KubeApi(tls=False) as gone:
        path = tmp_path / "kubeconfig"
        path.write_text(apiserver.kubeconfig(gone))
    asking = client.Client(client.Access(kubeconfig=path))
    with pytest.raises(errors.KubeError) as away:
        asking.request("GET", NODES)
    with descriptors.used_up(), pytest.raises(errors.KubeError) as lacking:
        asking.request("GET", NODES)
    assert (away.value.lack, lacking.value.lack) == ("", "too many open files")
