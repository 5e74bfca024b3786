"""A real etcd and kube-apiserver, with the small interface of the tests' own server.

Used where ``KUBEBUILDER_ASSETS`` names a directory with the two programs, as controller-runtime's
envtest has it. There is no controller manager: Nodes stay as they are put. The token that the
client under test gets is one of the agents' service account, made for a Pod on the Node ``n1`` as
kubelet has it made, with exactly the rights that ``daemonset/rbac.yaml`` gives and
``daemonset/admission.yaml`` leaves.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any, Self

import trustme
import yaml

from exabgp_k8s.wire import bgpspeaker, servers
from tests.architecture import repository
from tests.support import ports

NAMESPACE = "exabgp-k8s"
NODE = "n1"
"""The Node of the agent under test, where it needs to be a certain one."""
ADMIN_TOKEN = "admin-token"
TOO_BUSY = "Error from server (Timeout)"
"""What kubectl prints of a server that was too busy to answer; that says nothing about what it was
asked, so it is asked again."""
_OURS = f"/api/v1/namespaces/{NAMESPACE}"
_MERGE = "application/merge-patch+json"
_SPEAKER = f"{bgpspeaker.GROUP}/{bgpspeaker.VERSION}", bgpspeaker.KIND


def _assets() -> pathlib.Path | None:
    named = os.environ.get("KUBEBUILDER_ASSETS", "")
    folder = pathlib.Path(named)
    has_both = all((folder / program).is_file() for program in ("etcd", "kube-apiserver"))
    return folder if named and has_both else None


def is_available() -> bool:
    """Say whether there is a control plane to start."""
    return _assets() is not None


MISSING = (
    "Not run: the tests that need a real API server, kubectl, kube-proxy or helm. CONTRIBUTING.md "
    "says how to give them to the tests (KUBEBUILDER_ASSETS)."
)


def kubectl() -> pathlib.Path | None:
    """Return the kubectl beside the control plane; None: there is none."""
    folder = _assets()
    found = folder / "kubectl" if folder else None
    return found if found and found.is_file() else None


def kube_proxy() -> pathlib.Path | None:
    """Return the kube-proxy beside the control plane; None: there is none."""
    folder = _assets()
    found = folder / "kube-proxy" if folder else None
    return found if found and found.is_file() else None


KINDS = ["own", "real"] if is_available() else ["own"]
"""The API servers that a test of both runs against."""


@dataclasses.dataclass(frozen=True)
class Admin:
    """An API server, reached with every right."""

    url: str
    ca: bytes
    token: str | None


class ControlPlane:
    """One etcd and one kube-apiserver on loopback, their files in one folder.

    Args:
        folder: for all that they write.
        plugins: for admission, besides those that are on by themselves.
    """

    def __init__(self, folder: pathlib.Path, *, plugins: str = "") -> None:
        assets = _assets()
        assert assets is not None
        self._assets = assets
        self._folder = folder
        self._plugins = plugins
        self._stack = contextlib.ExitStack()
        self._etcd_port, self._peer_port, self.port = (ports.claim() for _ in range(3))
        self.url = f"https://127.0.0.1:{self.port}"
        self.token = ""
        authority = trustme.CA()
        self.ca = authority.cert_pem.bytes()
        self._context = ssl.create_default_context()
        authority.configure_trust(self._context)
        server = authority.issue_cert("127.0.0.1", "localhost", servers.TLS_NAME)
        server.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
        server.private_key_pem.write_to_path(str(folder / "accounts.pem"))
        (folder / "tokens.csv").write_text(f'{ADMIN_TOKEN},admin,1,"system:masters"\n')

    def __enter__(self) -> Self:
        self._etcd = self._start("etcd", self._etcd_arguments())
        self.restart()
        self.ask("POST", "/api/v1/namespaces", repository.manifest("namespace.yaml"))
        _until(lambda: self._status("/api/v1/namespaces/default", ADMIN_TOKEN) == 200)
        for file in ("bgpspeakers.crd.yaml", "serviceaccount.yaml", "rbac.yaml", "admission.yaml"):
            for document in yaml.safe_load_all(repository.read(f"daemonset/{file}")):
                self.apply(document)
        self.token = self.token_of(NODE)
        _until(lambda: self._status("/api/v1/nodes", self.token) == 200)
        _until(self._is_guarded)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def admin(self) -> Admin:
        """How the cluster's admin reaches it."""
        return Admin(self.url, self.ca, ADMIN_TOKEN)

    def apply(self, document: Mapping[str, Any]) -> None:
        """Create an object of one of our manifests; what is there already stays."""
        try:
            self.ask("POST", _collection(document), document)
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise

    def kill(self) -> None:
        """Kill kube-apiserver, as the loss of a control-plane node does."""
        self._server.kill()
        self._server.wait()

    def restart(self) -> None:
        """Start kube-apiserver on its port and wait until it says that it is ready."""
        self._server = self._start("kube-apiserver", self._server_arguments())
        _until(lambda: self._status("/readyz", ADMIN_TOKEN) == 200)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Be dead to the client under test; another server of the cluster serves the admin."""
        self.kill()
        known = self.port, self.url
        self.port = ports.claim()
        self.url = f"https://127.0.0.1:{self.port}"
        self.restart()
        yield
        self.kill()
        self.port, self.url = known
        self.restart()

    def token_of(self, node: str) -> str:
        """Return a new token of the agents' account, made for a Pod on a node by kubelet's way."""
        spec = {
            "nodeName": node,
            "serviceAccountName": "exabgp-k8s",
            "containers": [{"name": "exabgp-k8s", "image": "exabgp-k8s"}],
        }
        pod = self.ask(
            "POST",
            f"{_OURS}/pods",
            {"metadata": {"generateName": "token-"}, "spec": spec},
        )
        bound = {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": pod["metadata"]["name"],
            "uid": pod["metadata"]["uid"],
        }
        return self.request_token({"boundObjectRef": bound})

    def request_token(self, spec: Mapping[str, Any]) -> str:
        """Return a token of the agents' account by the TokenRequest API."""
        asked = {"spec": {"expirationSeconds": 86400, **spec}}
        answer = self.ask("POST", f"{_OURS}/serviceaccounts/exabgp-k8s/token", asked)
        return str(answer["status"]["token"])

    def _is_guarded(self) -> bool:
        """Say whether the policies are in force: it takes the server a moment."""
        about = {"kind": "Node", "name": "another"}
        event = {"metadata": {"name": "foreign", "namespace": "default"}, "involvedObject": about}
        lease = {"metadata": {"name": "foreign"}}
        spoken = {"metadata": {"name": "foreign"}, "apiVersion": _SPEAKER[0], "kind": _SPEAKER[1]}
        return all(
            self.refusal("POST", f"{path}?dryRun=All", body, self.token).count("Validating")
            for path, body in (
                ("/api/v1/namespaces/default/events", event),
                (f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases", lease),
                (bgpspeaker.COLLECTION, spoken),
            )
        )

    def node(self, name: str) -> dict[str, Any]:
        """Return the Node as stored."""
        return self.ask("GET", f"/api/v1/nodes/{name}")

    def put_node(self, node: Mapping[str, Any]) -> None:
        """Create the Node, or replace the one of its name whole."""
        try:
            self.ask("POST", "/api/v1/nodes", node)
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise
            self.ask("PUT", f"/api/v1/nodes/{node['metadata']['name']}", node)

    def patch_node(self, name: str, patch: Mapping[str, Any]) -> None:
        """Apply a JSON merge patch, to the status too if it names it."""
        for part, path in (
            ("status", f"/api/v1/nodes/{name}/status"),
            ("", f"/api/v1/nodes/{name}"),
        ):
            chosen = {
                key: value for key, value in patch.items() if (key == "status") == bool(part)
            }
            if chosen:
                self.ask("PATCH", path, chosen)

    def cordon(self, name: str, is_cordoned: bool = True) -> None:
        """Do what ``kubectl cordon`` causes: the field changes first, then the taint."""
        self.patch_node(name, {"spec": {"unschedulable": True if is_cordoned else None}})
        key = "node.kubernetes.io/unschedulable"
        taints = [
            taint for taint in self.node(name)["spec"].get("taints", []) if taint["key"] != key
        ]
        if is_cordoned:
            taints.append({"key": key, "effect": "NoSchedule"})
        self.patch_node(name, {"spec": {"taints": taints or None}})

    def delete_node(self, name: str) -> None:
        """Delete the Node; one with finalizers is only marked."""
        self.ask("DELETE", f"/api/v1/nodes/{name}")

    def speaker(self, node: str) -> dict[str, Any]:
        """Return a node's BGPSpeaker; nothing: there is none."""
        try:
            return self.ask("GET", f"{bgpspeaker.COLLECTION}/{node}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return {}

    def events(self) -> list[dict[str, Any]]:
        """Return the Events about cluster-wide objects, oldest first."""
        found = self.ask("GET", "/api/v1/namespaces/default/events")["items"]
        return sorted(found, key=lambda each: str(each["metadata"]["name"]))

    def refusal(self, method: str, path: str, body: Mapping[str, Any] | None, token: str) -> str:
        """Return why a request is forbidden; nothing if it is not."""
        try:
            self.ask(method, path, body, token)
        except urllib.error.HTTPError as error:
            with error:
                status = json.load(error)
            if error.code != 403:
                raise
            return str(status["message"])
        return ""

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        token: str = ADMIN_TOKEN,
    ) -> dict[str, Any]:
        """Make a request, as the cluster's admin unless told otherwise, and return the answer."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": _MERGE if method == "PATCH" else "application/json",
            },
        )
        with urllib.request.urlopen(request, context=self._context, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def _status(self, path: str, token: str) -> int:
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": f"Bearer {token}"}
        )
        try:
            with urllib.request.urlopen(request, context=self._context, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def _start(self, program: str, arguments: Mapping[str, str]) -> subprocess.Popen[bytes]:
        log = self._stack.enter_context((self._folder / f"{program}.log").open("ab"))
        process = subprocess.Popen(
            [
                str(self._assets / program),
                *(f"--{name}={value}" for name, value in arguments.items()),
            ],
            stdout=log,
            stderr=log,
            cwd=self._folder,
        )
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        return process

    def _etcd_arguments(self) -> dict[str, str]:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, self._peer_port))
        return {
            "data-dir": str(self._folder / "etcd"),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "unsafe-no-fsync": "true",
        }

    def start_another(self) -> tuple[int, subprocess.Popen[bytes]]:
        """Start one more kube-apiserver of the same cluster; return its port when it is ready."""
        known = self.port, self.url
        self.port = ports.claim()
        self.url = f"https://127.0.0.1:{self.port}"
        try:
            process = self._start("kube-apiserver", self._server_arguments())
            _until(lambda: self._status("/readyz", ADMIN_TOKEN) == 200)
            _until(lambda: not self.token or self._status("/api/v1/nodes", self.token) == 200)
            return self.port, process
        finally:
            self.port, self.url = known

    def processes(self) -> tuple[subprocess.Popen[bytes], ...]:
        """Return etcd and kube-apiserver."""
        return self._etcd, self._server

    def status_of(self, path: str, token: str) -> int:
        """Return the status with which a GET is answered; 0: it is not answered."""
        return self._status(path, token)

    def _server_arguments(self) -> dict[str, str]:
        return {
            "etcd-servers": f"http://127.0.0.1:{self._etcd_port}",
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "secure-port": str(self.port),
            "cert-dir": str(self._folder),
            "tls-cert-file": str(self._folder / "server.pem"),
            "tls-private-key-file": str(self._folder / "server.pem"),
            "token-auth-file": str(self._folder / "tokens.csv"),
            "authorization-mode": "RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": str(self._folder / "accounts.pem"),
            "service-account-signing-key-file": str(self._folder / "accounts.pem"),
            "service-cluster-ip-range": "10.96.0.0/16",
            "endpoint-reconciler-type": "none",
            **({"enable-admission-plugins": self._plugins} if self._plugins else {}),
        }


def _collection(document: Mapping[str, Any]) -> str:
    """Return where an object of one of our manifests is created."""
    kind, version = document["kind"].lower(), document["apiVersion"]
    plural = f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    base = f"/api/{version}" if version == "v1" else f"/apis/{version}"
    namespace = document["metadata"].get("namespace")
    return f"{base}/namespaces/{namespace}/{plural}" if namespace else f"{base}/{plural}"


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < deadline, "the control plane did not get ready"
        time.sleep(0.1)
