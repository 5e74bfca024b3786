"""An API server that guards owners, as OpenShift's does: our rights are enough there, too.

Its plugin OwnerReferencesPermissionEnforcement asks for the right to delete what changes its
owner, and for a right on the owner where its deletion is to wait. Our agents have neither.
Collected only where there is a real one: ``KUBEBUILDER_ASSETS``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exabgp_k8s.core.facts import model
from exabgp_k8s.wire import bgpspeaker
from tests.functional import test_stolen_token as writing
from tests.support import controlplane

pytestmark = pytest.mark.functional

NEW = {"metadata": bgpspeaker.owned_by(model.NodeFacts(name="n2", uid="anew"))}
REFUSAL = "cannot set an ownerRef on a resource you can't delete"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[controlplane.ControlPlane]:
    folder = tmp_path_factory.mktemp("control-plane")
    plugin = "OwnerReferencesPermissionEnforcement"
    with controlplane.ControlPlane(folder, plugins=plugin) as running:
        yield running


@pytest.fixture(scope="module")
def token(server: controlplane.ControlPlane) -> str:
    """The token of the pod on a node."""
    return server.token_of("n2")


def test_a_bgpspeaker_is_made_and_written_but_goes_with_its_first_owner(
    server: controlplane.ControlPlane, token: str
) -> None:
    path = f"{bgpspeaker.COLLECTION}/n2"
    server.ask("POST", bgpspeaker.COLLECTION, writing.a_speaker("n2"), token)
    server.ask("PATCH", f"{path}/status", {"status": {"phase": "serving"}}, token)

    assert REFUSAL in server.refusal("PATCH", path, NEW, token)

    # What garbage collection does where the owner is another one now.
    server.ask("DELETE", path)
    server.ask("POST", bgpspeaker.COLLECTION, writing.a_speaker("n2"), token)
    server.ask("DELETE", path)


def test_a_lease_is_made_and_renewed_but_goes_with_its_first_owner(
    server: controlplane.ControlPlane, token: str
) -> None:
    first = writing.a_lease("n2")
    path = f"{writing.LEASES}/{first['metadata']['name']}"
    version = server.ask("POST", writing.LEASES, first, token)["metadata"]["resourceVersion"]
    renewed = server.ask("PUT", path, writing.a_lease("n2", version=version), token)
    moved = writing.a_lease("n2", version=renewed["metadata"]["resourceVersion"])
    moved["metadata"]["ownerReferences"][0]["uid"] = "anew"

    assert REFUSAL in server.refusal("PUT", path, moved, token)

    server.ask("DELETE", path)
    server.ask("POST", writing.LEASES, writing.a_lease("n2"), token)
