"""Settings of anybody who may edit a ConfigMap: what they cost, and what a refusal repeats."""

from __future__ import annotations

import pytest

from exabgp_k8s import errors
from exabgp_k8s.settings import load, problems, reading
from tests.settings import samples

HEAD = "bgp: {asn: 64512}\nannounce: {services: {cidrs: [10.96.0.0/16]}}\n"
PEERS = "peers: [{name: a, address: 192.0.2.1, asn: 64513"
ESCAPE = "\\x1b[31m\\x07\\u202e"
"""As it is written in YAML between double quotes."""


def refused(text: str) -> tuple[errors.Problem, ...]:
    with pytest.raises(errors.SettingsError) as caught:
        load.parse(text, "x")
    return caught.value.problems


@pytest.mark.parametrize("unit", ["a,", "{},", "{a: b},", '"",', "[[[[]]]],"])
def test_a_document_of_more_values_than_any_cluster_needs_is_refused(
    unit: str,
) -> None:
    (problem,) = refused("x: [" + unit * (load.LARGEST // len(unit)) + "a]")
    assert f"more than {reading.MOST} keys and values" in problem.message


def test_thousands_of_peers_of_which_each_node_has_some_are_taken() -> None:
    selector = "nodeSelector: {matchLabels: {rack: r%d}}"
    peers = "".join(
        f"- {{name: p{n}, address: 10.{n >> 8}.{n & 255}.1, asn: 64513, {selector % n}}}\n"
        for n in range(2500)
    )
    assert len(load.parse(HEAD + "peers:\n" + peers, "x").peers) == 2500


@pytest.mark.parametrize(
    "text",
    [
        HEAD + PEERS + "}]\n" + "".join(f"k{n}: 1\n" for n in range(20_000)),
        HEAD + PEERS + "}]\n" + "bgp: 1\n" * 20_000,
        HEAD + PEERS + ", attributes: {communities: [" + "x," * 40_000 + "x]}}]",
        HEAD + "peers:\n" + "- {name: a, address: 192.0.2.1, asn: 1}\n" * 5_000,
        HEAD + PEERS + "}]\n? " + "a" * 250_000 + "\n: b",
        HEAD + PEERS + ", nodeSelector: {matchLabels: {" + "a" * 200_000 + ": b}}}]",
    ],
    ids=["unknown keys", "one key", "communities", "one peer", "a long key", "a long label"],
)
def test_a_refusal_is_short_however_many_mistakes_there_are(text: str) -> None:
    found = refused(text)
    assert len(found) <= problems.MOST + 1
    assert sum(len(str(each)) for each in found) < 40_000
    if len(found) > problems.MOST:
        assert found[-1].message.endswith("more; mend these first")


@pytest.mark.parametrize(
    "text",
    [
        "announce: {services: {cidrs: [" + "10.96.0.0/16," * 15_000 + "]}}",
        f"{HEAD}{PEERS}}}]\ndrain: {{taints: [{'a:NoExecute,' * 15_000}]}}",
        f"{HEAD}{PEERS}, families: [{'ipv4,' * 40_000}]}}]",
    ],
    ids=["ranges", "taints", "families"],
)
def test_entries_are_not_each_compared_with_all_others(text: str) -> None:
    """With 15,000 of them that took longer than anybody would wait."""
    assert len(refused(text)) <= problems.MOST + 1


@pytest.mark.parametrize(
    "text",
    [
        f'"{ESCAPE}": 1',
        f'bgp: {{"{ESCAPE}": 1}}',
        f'bgp: {{asn: "{ESCAPE}"}}',
        f'bgp: {{asn: 1, routerID: "{ESCAPE}"}}',
        f'drain: {{taints: ["{ESCAPE}:x"]}}',
        f'drain: {{taints: ["{ESCAPE}:NoExecute"]}}',
        f'drain: {{settle: "{ESCAPE}"}}',
        *(
            f'peers: [{{{key}: "{ESCAPE}"}}]'
            for key in (
                "name",
                "description",
                "address",
                "asn",
                "localAddress",
                "holdTime",
                "passwordFrom",
                "multihop",
                "families",
                "ttlSecurity",
            )
        ),
        f'peers: [{{families: ["{ESCAPE}"]}}]',
        f'peers: [{{address: "fe80::1%{ESCAPE}"}}]',
        f'peers: [{{attributes: {{communities: ["1:2:{ESCAPE}", "{ESCAPE}"]}}}}]',
        f'peers: [{{attributes: {{largeCommunities: ["{ESCAPE}"]}}}}]',
        f'peers: [{{nodeSelector: {{matchLabels: {{"{ESCAPE}": "{ESCAPE}"}}}}}}]',
        f'announce: {{services: {{cidrs: ["{ESCAPE}", "fe80::%{ESCAPE}/64"]}}}}',
        *(
            f'health: {{checks: [{{name: a, {key}: "{ESCAPE}"}}]}}'
            for key in ("http", "tcp", "exec", "dns", "process", "interface", "preset")
        ),
        f'health: {{checks: [{{name: a, http: "http://a/{ESCAPE}"}}]}}',
        f'outageBudget: {{maxUnavailable: "{ESCAPE}"}}',
        f'withdraw: {{"{ESCAPE}": keep, cordoned: "{ESCAPE}"}}',
        f"bgp: !<{chr(9)}> 1",
        "bgp: !a%1b%5b31m 1",
    ],
)
def test_no_message_repeats_a_control_character(text: str) -> None:
    """Also not where the author's terminal would show it in another place of the message."""
    for problem in refused(text):
        assert str(problem).isprintable()


def test_the_samples_are_still_read_whole() -> None:
    assert load.parse(samples.SAMPLE, "x").peers
