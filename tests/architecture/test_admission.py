"""The admission policies fit the rights, the account and what the agent writes.

What they let through and refuse is tried at a real API server: functional/test_stolen_token.py.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from exabgp_k8s.adapters.kube import leases as lease_traffic
from exabgp_k8s.core.facts import budget
from exabgp_k8s.wire import kube_events, leases
from tests.architecture import repository

POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"


@pytest.fixture
def documents() -> list[dict[str, Any]]:
    """The policies and their bindings."""
    return list(yaml.safe_load_all(repository.read("daemonset/admission.yaml")))


def of(documents: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Return the specs of one kind by name."""
    return {each["metadata"]["name"]: each["spec"] for each in documents if each["kind"] == kind}


def expressions(spec: dict[str, Any]) -> str:
    """Return all that a policy checks."""
    return "\n".join(each["expression"] for each in spec["validations"])


def test_every_policy_denies(documents: list[dict[str, Any]]) -> None:
    assert {
        (spec["policyName"], *spec["validationActions"])
        for spec in of(documents, BINDING).values()
    } == {(name, "Deny") for name in of(documents, POLICY)}
    assert all(spec["failurePolicy"] == "Fail" for spec in of(documents, POLICY).values())


def test_all_that_the_account_may_write_is_under_a_policy(
    documents: list[dict[str, Any]],
) -> None:
    written = {
        resource
        for role in yaml.safe_load_all(repository.read("daemonset/rbac.yaml"))
        for rule in role.get("rules", ())
        for resource in rule["resources"]
        if set(rule["verbs"]) - {"get", "list", "watch"}
    }
    guarded = {
        resource
        for spec in of(documents, POLICY).values()
        for rule in spec["matchConstraints"]["resourceRules"]
        for resource in rule["resources"]
        if set(rule["operations"]) == {"CREATE", "UPDATE", "DELETE"}
    }

    assert written == guarded == {"leases", "events", "bgpspeakers", "bgpspeakers/status"}


def test_the_policies_concern_the_account_of_the_pods_only(
    documents: list[dict[str, Any]],
) -> None:
    account = repository.manifest("serviceaccount.yaml")["metadata"]["name"]

    for spec in of(documents, POLICY).values():
        (condition,) = spec["matchConditions"]
        assert f'.endsWith(":{account}")' in condition["expression"]
        # One that fails would stop every Lease of the cluster, as the policy fails closed.
        assert "request.userInfo.username" not in condition["expression"]


def test_every_refusal_is_forbidden_and_says_why(documents: list[dict[str, Any]]) -> None:
    """Another status than 403 is no missing right to the agent."""
    for spec in of(documents, POLICY).values():
        for each in spec["validations"]:
            assert each["reason"] == "Forbidden"
            assert each.get("message") or each.get("messageExpression")


def test_the_leases_are_those_that_the_agent_writes(documents: list[dict[str, Any]]) -> None:
    spec = of(documents, POLICY)["exabgp-k8s-leases"]
    said = expressions(spec)
    (standings,) = re.findall(r"in\s+\[(.*?)\]", said)
    (limit,) = re.findall(r"leaseDurationSeconds.*<= (\d+)", said)

    assert standings.replace('"', "").split(", ") == list(budget.Standing)
    assert int(limit) >= lease_traffic.Timings().lasts
    assert all(f'"{key}"' in said for key in (leases.APP, leases.STANDING, leases.SHARD))
    assert f'"{leases.CLAIM}"' in said
    assert leases.name_of("") in {
        each["expression"].partition('" +')[0].strip('"') for each in spec["variables"]
    }


def test_the_events_are_those_that_the_agent_writes(documents: list[dict[str, Any]]) -> None:
    said = expressions(of(documents, POLICY)["exabgp-k8s-events"])

    assert said.count(f'"{kube_events.COMPONENT}"') == 3
    assert '== "default"' in said
