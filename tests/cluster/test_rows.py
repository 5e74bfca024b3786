"""Rows of nodes, sessions and routes, and why: the objects' own words and moments."""

from __future__ import annotations

import ipaddress
import json

from exabgp_k8s.cluster import rows, why
from tests.cluster import samples


def test_a_session_is_shown_as_the_object_has_it() -> None:
    found = rows.sessions(samples.take(*samples.five()))
    row = next(each for each in found if (each["node"], each["peer"]) == ("n4", "tor-b"))

    assert row["state"] == "Active"
    assert row["since"] == samples.HAPPENED
    assert row["last_error"] == "notification 2/2 (bad peer AS)"
    assert "n4" in row["do"]
    assert not row["is_up"]


def test_what_a_silent_node_said_is_shown_as_what_it_was() -> None:
    found = samples.take([samples.node("n1")], [samples.well(1)], now=samples.NOW + 3600)

    (session, _), (route, _) = rows.sessions(found), rows.routes(found)
    (node,) = rows.nodes(found)
    assert (session["state"], session["is_up"]) == ("unknown, was Established", False)
    assert (route["state"], route["sent"], route["sent_to"]) == ("unknown, was announced", 0, [])
    assert (node["sessions"], node["services"], node["pods"]) == ("?/2", "unknown", "unknown")


def test_a_route_names_every_reason_with_its_moment() -> None:
    found = rows.routes(samples.take(*samples.five()))
    row = next(each for each in found if (each["node"], each["class"]) == ("n3", "services"))

    assert row["reasons"] == [
        {"reason": "unhealthy:kube-proxy", "since": samples.HAPPENED, "peers": []}
    ]


def test_rows_are_plain_values() -> None:
    found = samples.take(*samples.five())

    assert json.loads(json.dumps(rows.nodes(found))) == rows.nodes(found)


def test_why_of_an_address_is_about_the_prefix_that_covers_it() -> None:
    node = samples.take(*samples.five()).nodes["n3"]

    services = why.row(node, ipaddress.ip_network("10.96.0.10/32"))
    pods = why.row(node, ipaddress.ip_network("10.244.3.0/24"))
    assert [each["prefix"] for each in services["prefixes"]] == [samples.SERVICES]
    assert [each["reason"] for each in services["faults"]] == ["unhealthy:kube-proxy"]
    assert pods["faults"] == []
