"""The one door to the API servers: a request, its answer, and an error that says what failed.

Every failure is one kind of error, nothing is retried, and which server is asked is decided by
what the last answers were: see ``servers``. What is made of a failure is the caller's business.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import ssl
import threading
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import urllib3

from exabgp_k8s import errors
from exabgp_k8s.adapters import shortage
from exabgp_k8s.adapters.kube import library, limits, servers, stream
from exabgp_k8s.wire import kube
from exabgp_k8s.wire import servers as servers_wire

SERVICE_ACCOUNT = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where kubelet mounts the token and the cluster's CA."""

_UNAUTHORIZED = 401
_TOO_MANY_REQUESTS = 429
_SUCCESS = range(200, 300)
_FIRST_OF_SERVER_ERRORS = 500

_SAME_NETWORK = 1.2
"""Seconds to a TCP connection with a server of the node's own network: time for a second try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where the API server is, and who we are to it.

    Without a kubeconfig the service account of the pod is used.
    """

    kubeconfig: pathlib.Path | None = None
    context: str = ""
    """Which one of the kubeconfig; empty: its current one."""
    service_account: pathlib.Path = SERVICE_ACCOUNT
    server: str = ""
    """A URL instead of the one configured, for a node that must not depend on the ClusterIP."""
    connect_timeout: float = 3.05
    """Seconds to a TCP connection."""
    answer_timeout: float = 8
    """Seconds to the end of an answer, connecting included; to that of the headers of a watch."""

    @property
    def is_explicit(self) -> bool:
        """Whether the server to ask was chosen by somebody, and no other is to be looked for."""
        return bool(self.server or self.kubeconfig) or servers_wire.is_chosen(os.environ)


Body = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""What is sent as JSON: an object, or the operations of a JSON patch (RFC 6902)."""


class _Request(NamedTuple):
    method: str
    path: str
    query: Mapping[str, str] | None = None
    body: Body | None = None
    content_type: str = ""


def whom(access: Access, state_dir: pathlib.Path) -> servers.Servers:
    """Return the API servers to ask, with what is remembered of them."""
    return servers.Servers(None if access.is_explicit else state_dir / servers.FILE_NAME)


class Client:
    """Requests to the API server; every failure is a ``KubeError``, and nothing is retried.

    Credentials are read when they are first needed: a token that is not there yet is a failed
    request, not a failed start. May be used from several threads.

    Args:
        access: how to ask.
        found: whom to ask; without it, whom ``access`` names.
    """

    def __init__(self, access: Access, found: servers.Servers | None = None) -> None:
        self._access = access
        self.servers = found or servers.Servers()
        self._lock = threading.Lock()
        self._api: library.Transport | None = None
        self._is_direct = False
        self._answered_by: str | None = None

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        """Make one request and return the body of its answer.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: the path, percent-encoded where needed.
            query: what follows the question mark.
            body: a JSON document to send.
            content_type: of the body; a PATCH says here which patch language it speaks.

        Raises:
            errors.Expired: the server answered 410.
            errors.KubeError: it answered with another error, or not at all.
        """
        server, self._answered_by = self.servers.first(), None
        with self._judged(server), self._translated():
            return limits.body(
                self._send(server, _Request(method, path, query, body, content_type))
            )

    def watch(self, path: str, query: Mapping[str, str], within: float) -> stream.Stream:
        """Open a watch and return it as soon as the server has accepted it.

        Args:
            path: the path of the collection.
            query: selectors and the version to start from.
            within: seconds after which the stream ends, if the server has not ended it.

        Raises:
            errors.Expired: the server answered 410.
            errors.KubeError: it answered with another error, or not at all.
        """
        server, self._answered_by = self.servers.first(), None
        with self._judged(server):
            response = self._send(server, _Request("GET", path, {**query, "watch": "true"}))

        @contextlib.contextmanager
        def translated() -> Iterator[None]:
            with self._judged(server), self._translated():
                yield

        return stream.Stream(response, within, translated)

    def was_useless(self) -> None:
        """Have another server asked next: the last answer, if there was one, was of no use."""
        if self._answered_by is not None:
            self.servers.is_useless(self._answered_by)

    def close(self) -> None:
        """Drop the connections and the credentials; the next request reads and opens anew."""
        with self._lock:
            if self._api is not None:
                self._api.close()
            self._api = None

    @contextlib.contextmanager
    def _judged(self, server: str) -> Iterator[None]:
        """Have another server asked next time if this one fails by its own fault."""
        try:
            yield
        except errors.KubeError as error:
            is_away = isinstance(error, errors.Unreachable) and not error.lack
            if is_away or error.status >= _FIRST_OF_SERVER_ERRORS:
                self.servers.failed(server)
            if error.retry_after and (
                error.status == _TOO_MANY_REQUESTS or error.status >= _FIRST_OF_SERVER_ERRORS
            ):
                # One that is being stopped says so, too; another may have no such wish.
                error.retry_after = min(
                    error.retry_after, self.servers.rest(server, error.retry_after)
                )
            raise
        self.servers.answered(server)
        self._answered_by = server

    def _send(self, server: str, request: _Request) -> urllib3.HTTPResponse:
        limits.end_within(self._access.answer_timeout)
        response = self._call(server, request)
        if response.status == _UNAUTHORIZED:
            # The token may have been replaced before its time; the library would go on with the
            # one it has for up to a minute, or, from a kubeconfig, for ever.
            response.close()
            self.close()
            response = self._call(server, request)
        if response.status not in _SUCCESS:
            raise self._error(response)
        return response

    def _call(self, server: str, request: _Request) -> urllib3.HTTPResponse:
        with _credentials(self._access):
            api = self._connected(is_direct=bool(server))
            headers = api.headers()
        headers["Accept"] = "application/json"
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        url = f"https://{server}" if server else self._access.server or api.host
        url += request.path
        if request.query:
            url += "?" + urllib.parse.urlencode(request.query, quote_via=urllib.parse.quote)
        connect = self._access.connect_timeout
        if self.servers.are_learned:
            # Another one is to be asked in time.
            connect = min(connect, _SAME_NETWORK)
        timeout = (connect, self._access.answer_timeout)
        with self._translated():
            return api.request(request.method, url, headers, request.body, timeout)

    def _error(self, response: urllib3.HTTPResponse) -> errors.KubeError:
        with self._translated():
            body = limits.error_body(response)
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            document = {"message": body}
        # Ten thousand digits are more than int() takes, and nine are 30 years.
        wait = response.headers.get("Retry-After", "")[:9]
        return kube.parse_status(
            document, response.status, int(wait) if wait.isascii() and wait.isdigit() else 0
        )

    def _connected(self, *, is_direct: bool) -> library.Transport:
        with self._lock:
            if self._api is not None and self._is_direct != is_direct:
                self._api.close()
                self._api = None
            if self._api is None:
                self._api = library.connect(
                    library.Credentials(
                        kubeconfig=self._access.kubeconfig,
                        context=self._access.context,
                        service_account=self._access.service_account,
                    ),
                    servers_wire.TLS_NAME if is_direct else "",
                )
                self._is_direct = is_direct
            return self._api

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            raise errors.Unreachable(_describe(error), lack=_lack(error)) from error
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
            raise errors.Unreachable(_describe(error.__context__)) from error


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


def _lack(error: BaseException) -> str:
    """Return what we had too little of, if that is why; a resolver does not say so itself."""
    return shortage.of(error) or shortage.present()


def _describe(error: BaseException) -> str:
    """Name what went wrong at the bottom of what urllib3 has wrapped around it."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the API server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, ValueError):
        # The length of a chunk that never came: it is no number.
        return "the API server closed the connection in the middle of an answer"
    return f"the API server cannot be reached: {type(error).__name__}: {error}"
