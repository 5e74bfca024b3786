"""What is used of the ``kubernetes`` package: authentication and transport, nothing above.

What the library adds on top of that is left alone. Its models cost 20 MB and refuse Nodes that
are merely unusual; its ``Watch`` and informer hammer a server that is down and wait for ever on
one that is silent; its ``ApiClient`` puts paths, headers and JSON together, which is ten lines
here, and brings pydantic along, which is 6 MB on every node. What it does well is used:
credentials from the service account or a kubeconfig, a token that is read again from its file,
TLS, connections.

Some of its defaults are wrong for an agent on every node, and are changed here: it retries by
itself and sleeps as long as Retry-After says (up to six hours), it follows the proxy variables of
the environment, it lets a connection be dead for ever, and an answer be without an end.
"""

from __future__ import annotations

import pathlib
import socket
from dataclasses import dataclass
from typing import Any

import urllib3

import exabgp_k8s
from exabgp_k8s.adapters.kube import lean, limits

_SOCKET_OPTIONS = [
    *urllib3.connection.HTTPConnection.default_socket_options,
    # A dead peer is noticed after 15 + 3 x 5 s of silence, or 30 s with unanswered data.
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000),
]


class Transport:
    """The library's connections, with who we are to the server.

    Args:
        settings: the library's own, with the credentials in it.
    """

    def __init__(self, settings: Any) -> None:
        from kubernetes.client import rest  # noqa: PLC0415 - as in ``connect``

        self._settings = settings
        self._rest: Any = rest.RESTClientObject(settings)
        limits.bound(self._rest.pool_manager)

    @property
    def host(self) -> str:
        """The URL of the server that the credentials are for."""
        return str(self._settings.host)

    def headers(self) -> dict[str, str]:
        """Return what says who we are; the library reads a token again when it is due."""
        found = {"User-Agent": f"exabgp-k8s/{exabgp_k8s.__version__}"}
        for setting in self._settings.auth_settings().values():
            if setting["value"]:
                found[setting["key"]] = setting["value"]
        return found

    def request(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: Any,
        timeout: tuple[float, float],
    ) -> urllib3.HTTPResponse:
        """Make one request; its answer has been read up to the headers."""
        found = self._rest.request(
            method, url, headers=headers, body=body, _request_timeout=timeout
        ).response
        if not isinstance(found, urllib3.HTTPResponse):
            raise TypeError(f"the library no longer wraps urllib3, but {type(found)}")
        return found

    def close(self) -> None:
        """Drop the connections."""
        self._rest.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Where they are."""

    kubeconfig: pathlib.Path | None
    """None: in the service account."""
    context: str
    """Which one of the kubeconfig; empty: its current one."""
    service_account: pathlib.Path
    """The directory that kubelet mounts."""


def connect(where: Credentials, tls_name: str) -> Transport:
    """Read the credentials; there is no connection yet.

    Args:
        where: where they are.
        tls_name: who the server has to be; empty: whom its URL names.
    """
    lean.prepare()
    from kubernetes.client import configuration  # noqa: PLC0415 - heavy, and only now

    settings = configuration.Configuration()
    settings.proxy = None
    _load(settings, where)
    settings.retries = False
    settings.tls_server_name = tls_name or settings.tls_server_name
    settings.socket_options = _SOCKET_OPTIONS
    # One connection for the watch, one for the odd request beside it.
    settings.connection_pool_maxsize = 2
    return Transport(settings)


def _load(settings: Any, where: Credentials) -> None:
    library: Any
    if where.kubeconfig is None:
        from kubernetes.config import incluster_config as library  # noqa: PLC0415

        library.InClusterConfigLoader(
            token_filename=str(where.service_account / "token"),
            cert_filename=str(where.service_account / "ca.crt"),
        ).load_and_set(settings)
    else:
        # Brings yaml, requests and oauthlib: nothing of it is wanted inside a cluster.
        from kubernetes.config import kube_config as library  # noqa: PLC0415

        library.load_kube_config(
            config_file=str(where.kubeconfig),
            context=where.context or None,
            client_configuration=settings,
            persist_config=False,
        )
