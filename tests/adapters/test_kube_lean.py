"""The import of ``kubernetes`` without what is not used, and with it where that fails."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("pydantic", "requests", "requests_oauthlib", "oauthlib", "websocket", "yaml")


def outcome(program: str) -> dict[str, object]:
    """Run a program in a fresh interpreter, as importing is once for each process."""
    program += (
        "\nimport json, sys\n"
        "print(json.dumps({'lean': lean_worked, 'client': Client.__module__,"
        f" 'heavy': [name for name in {HEAVY!r} if name in sys.modules]}}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=50
    )
    assert ran.stderr == ""
    found: dict[str, object] = json.loads(ran.stdout)
    return found


def test_the_client_is_imported_without_what_is_not_used() -> None:
    """This fails when the library is laid out anew: then ``lean`` saves nothing any more."""
    assert outcome(
        "from exabgp_k8s.adapters.kube import lean\n"
        "lean_worked = lean.prepare()\n"
        "from kubernetes.client.rest import RESTClientObject as Client\n"
    ) == {"lean": True, "client": "kubernetes.client.rest", "heavy": []}


def test_credentials_from_a_kubeconfig_can_be_loaded_afterwards() -> None:
    found = outcome(
        "from exabgp_k8s.adapters.kube import lean\n"
        "lean_worked = lean.prepare()\n"
        "from kubernetes.client.rest import RESTClientObject as Client\n"
        "from kubernetes.config import kube_config\n"
        "kube_config.load_kube_config\n"
    )
    assert found["lean"] is True
    assert "pydantic" not in found["heavy"]  # type: ignore[operator]


def test_a_kubeconfig_that_needs_the_library_s_client_gets_it() -> None:
    """To ask for a new token, an OIDC provider's certificate in hand."""
    found = outcome(
        "from exabgp_k8s.adapters.kube import lean\n"
        "lean_worked = lean.prepare()\n"
        "from kubernetes.config import kube_config\n"
        "from kubernetes.client.configuration import Configuration\n"
        "Client = type(kube_config.ApiClient(configuration=Configuration()))\n"
    )
    assert found["client"] == "kubernetes.client.api_client"


@pytest.mark.parametrize(
    "broken",
    [
        "lean._USED = (*lean._USED, 'kubernetes.not_there')",
        "lean._NOT_RUN = (*lean._NOT_RUN, 'kubernetes.not_there')",
        "lean._NOT_RUN = (*lean._NOT_RUN, 'kubernetes.client')",
    ],
)
def test_a_library_laid_out_otherwise_is_imported_as_usual(broken: str) -> None:
    found = outcome(
        "from exabgp_k8s.adapters.kube import lean\n"
        f"{broken}\n"
        "lean_worked = lean.prepare()\n"
        "from kubernetes.client.rest import RESTClientObject as Client\n"
        "from kubernetes import watch\n"
        "watch.Watch\n"
    )
    assert (found["lean"], "requests" in found["heavy"]) == (False, True)  # type: ignore[operator]


def test_a_library_that_is_imported_already_is_left_as_it_is() -> None:
    found = outcome(
        "import kubernetes\n"
        "from exabgp_k8s.adapters.kube import lean\n"
        "lean_worked = lean.prepare()\n"
        "Client = kubernetes.client.ApiClient\n"
    )
    assert found["lean"] is False
