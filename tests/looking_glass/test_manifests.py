"""The component of the kustomize base fits the program."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from exabgp_k8s.adapters.kube import cluster
from exabgp_k8s.looking_glass import app
from tests.architecture import repository
from tests.looking_glass import bed
from tests.support import kubeapi

FOLDER = "daemonset/components/looking-glass"


def documents(name: str) -> list[dict[str, Any]]:
    """Return the objects of one file."""
    return list(yaml.safe_load_all(repository.read(f"{FOLDER}/{name}")))


@pytest.mark.functional
def test_it_may_do_what_it_asks_for_and_nothing_else(alone: bed.Glass) -> None:
    kubeapi.until(lambda: alone.server.watches == 2, bed.LIMIT)
    asked = {
        (request.path, "watch" if request.is_watch else "list")
        for request in alone.server.requests
        if request.method == "GET"
    }
    role, _ = documents("rbac.yaml")
    paths = {"bgpspeakers": cluster.SPEAKERS, "nodes": cluster.NODES}

    assert all(request.method == "GET" for request in alone.server.requests)
    assert asked == {
        (paths[resource], verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_it_runs_without_any_privilege() -> None:
    (deployment,) = documents("deployment.yaml")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 65532
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "volumes"} & pod.keys()


def test_its_account_is_its_own() -> None:
    (account,) = documents("serviceaccount.yaml")
    (deployment,) = documents("deployment.yaml")
    _, binding = documents("rbac.yaml")
    name = account["metadata"]["name"]

    assert deployment["spec"]["template"]["spec"]["serviceAccountName"] == name
    assert [each["name"] for each in binding["subjects"]] == [name]
    assert name != repository.manifest("serviceaccount.yaml")["metadata"]["name"]


def test_the_probes_and_the_service_lead_to_what_is_served() -> None:
    (deployment,) = documents("deployment.yaml")
    (service,) = documents("service.yaml")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    probes = ("startupProbe", "livenessProbe", "readinessProbe")

    assert {container[each]["httpGet"]["path"] for each in probes} == set(app.PROBES)
    (port,) = container["ports"]
    assert container["args"][-1].endswith(f":{port['containerPort']}")
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
