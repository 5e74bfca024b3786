"""The one door to the ``kubernetes`` package: authentication and transport, nothing above.

What the library adds on top of that is left alone. Its models cost 20 MB and refuse Nodes that
are merely unusual; its ``Watch`` and informer hammer a server that is down and wait for ever on
one that is silent. What it does well is used: credentials from the service account or a
kubeconfig, a token that is read again from its file, TLS, connections.

Some of its defaults are wrong for an agent on every node, and are changed here: it retries by
itself and sleeps as long as Retry-After says (up to six hours), it follows the proxy variables of
the environment, and it lets a connection be dead for ever.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import pathlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

import exabgp_k8s
from exabgp_k8s import errors
from exabgp_k8s.adapters import shortage
from exabgp_k8s.adapters.kube import lean, stream
from exabgp_k8s.wire import kube

SERVICE_ACCOUNT = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where kubelet mounts the token and the cluster's CA."""

_SOCKET_OPTIONS = [
    *urllib3.connection.HTTPConnection.default_socket_options,
    # A dead peer is noticed after 15 + 3 x 5 s of silence, or 30 s with unanswered data.
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000),
]

_UNAUTHORIZED = 401
_FIRST_OF_REDIRECTS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where the API server is, and who we are to it.

    Without a kubeconfig the service account of the pod is used.
    """

    kubeconfig: pathlib.Path | None = None
    service_account: pathlib.Path = SERVICE_ACCOUNT
    server: str = ""
    """A URL instead of the one configured, for a node that must not depend on the ClusterIP."""
    connect_timeout: float = 3.05
    """Seconds to a TCP connection."""
    answer_timeout: float = 10
    """Seconds of silence before and within an answer; a watch has its own."""


class Client:
    """Requests to the API server; every failure is a ``KubeError``, and nothing is retried.

    Credentials are read when they are first needed: a token that is not there yet is a failed
    request, not a failed start. May be used from several threads.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._lock = threading.Lock()
        self._api: Any = None

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        """Make one request and return the body of its answer.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: the path, percent-encoded where needed.
            query: what follows the question mark.
            body: a JSON object to send.
            content_type: of the body; a PATCH says here which patch language it speaks.

        Raises:
            errors.Expired: the server answered 410.
            errors.KubeError: it answered with another error, or not at all.
        """
        response = self._send(method, path, query or {}, body, content_type)
        with self._translated():
            return bytes(response.data)

    def watch(self, path: str, query: Mapping[str, str], idle: float) -> stream.Stream:
        """Open a watch and return it as soon as the server has accepted it.

        Args:
            path: the path of the collection.
            query: selectors and the version to start from.
            idle: seconds of silence after which the stream ends.

        Raises:
            errors.Expired: the server answered 410.
            errors.KubeError: it answered with another error, or not at all.
        """
        response = self._send("GET", path, {**query, "watch": "true"}, None, "")
        return stream.Stream(response, idle, self._translated)

    def close(self) -> None:
        """Drop the connections and the credentials; the next request reads and opens anew."""
        with self._lock:
            if self._api is not None:
                self._api.close()
            self._api = None

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None,
        content_type: str,
    ) -> urllib3.HTTPResponse:
        response = self._call(method, path, query, body, content_type)
        if response.status == _UNAUTHORIZED:
            # The token may have been replaced before its time; the library would go on with the
            # one it has for up to a minute, or, from a kubeconfig, for ever.
            self.close()
            response = self._call(method, path, query, body, content_type)
        if response.status >= _FIRST_OF_REDIRECTS:
            raise self._error(response)
        return response

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None,
        content_type: str,
    ) -> urllib3.HTTPResponse:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type
        with _credentials(self._access):
            api = self._connected()
            request = api.param_serialize(
                method,
                path,
                query_params=list(query.items()),
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
                _host=self._access.server or None,
            )
        timeout = (self._access.connect_timeout, self._access.answer_timeout)
        with self._translated():
            response = api.call_api(*request, _request_timeout=timeout).response
            if not isinstance(response, urllib3.HTTPResponse):
                raise TypeError(f"call_api no longer wraps urllib3, but {type(response)}")
            return response

    def _error(self, response: urllib3.HTTPResponse) -> errors.KubeError:
        with self._translated():
            body = response.data
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            document = {"message": body}
        # Ten thousand digits are more than int() takes, and nine are 30 years.
        wait = response.headers.get("Retry-After", "")[:9]
        return kube.parse_status(
            document, response.status, int(wait) if wait.isascii() and wait.isdigit() else 0
        )

    def _connected(self) -> Any:
        with self._lock:
            if self._api is None:
                self._api = _connect(self._access)
            return self._api

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            raise errors.KubeError(_describe(error), lack=_lack(error)) from error
        except ValueError:
            # http.client quotes a header it refuses, and that header is the token.
            raise errors.KubeError(
                "a header cannot be sent: the token must be one line of ASCII text"
            ) from None
        except Exception as error:
            # The library wraps a TLS error, and nothing else, in a class of its own.
            if not isinstance(error.__context__, urllib3.exceptions.SSLError):
                raise
            # The authority of a kubeconfig may have been replaced: the library reads it once.
            self.close()
            raise errors.KubeError(_describe(error.__context__)) from error


@contextlib.contextmanager
def _credentials(access: Access) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # Whatever is wrong with the files, and however it shows: the library checks little.
        where = access.kubeconfig or access.service_account
        raise errors.KubeError(
            f"no usable credentials in {where}: {type(error).__name__}: {error}",
            lack=_lack(error),
        ) from error


def _connect(access: Access) -> Any:
    """Read the credentials and make a client of the library; it has no connection yet."""
    lean.prepare()
    from kubernetes.client import api_client, configuration  # noqa: PLC0415 - heavy, and only now

    settings = configuration.Configuration()
    settings.proxy = None
    _load(settings, access)
    settings.retries = False
    settings.socket_options = _SOCKET_OPTIONS
    # One connection for the watch, one for the odd request beside it.
    settings.connection_pool_maxsize = 2
    api = api_client.ApiClient(settings)
    api.user_agent = f"exabgp-k8s/{exabgp_k8s.__version__}"
    return api


def _load(settings: Any, access: Access) -> None:
    library: Any
    if access.kubeconfig is None:
        from kubernetes.config import incluster_config as library  # noqa: PLC0415

        library.InClusterConfigLoader(
            token_filename=str(access.service_account / "token"),
            cert_filename=str(access.service_account / "ca.crt"),
        ).load_and_set(settings)
    else:
        # Brings yaml, requests and oauthlib: nothing of it is wanted inside a cluster.
        from kubernetes.config import kube_config as library  # noqa: PLC0415

        library.load_kube_config(
            config_file=str(access.kubeconfig),
            client_configuration=settings,
            persist_config=False,
        )


def _lack(error: BaseException) -> str:
    """Return what we had too little of, if that is why; a resolver does not say so itself."""
    return shortage.of(error) or shortage.present()


def _describe(error: BaseException) -> str:
    """Name what went wrong at the bottom of what urllib3 has wrapped around it."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the API server's certificate is not trusted: {error.verify_message}"
    return f"the API server cannot be reached: {type(error).__name__}: {error}"
