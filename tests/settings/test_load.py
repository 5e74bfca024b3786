"""Reading: the design's sample, YAML's traps, and the mounted passwords."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s import errors
from exabgp_k8s.core.facts import config, model, offer
from exabgp_k8s.settings import load, mounted, schema
from tests.settings import samples

SAME = offer.Offer(
    attributes=model.Attributes(communities=((64512, 10),), med=100, local_pref=100)
)
PEER = config.Peer(
    name="tor", address=ipaddress.IPv4Address("192.0.2.1"), asn=1, local_asn=2, password_from="key"
)

SNIPPETS = (
    *("a", "bgp", "peers", "asn", ": ", ":\n  ", "- ", "\n", "\n- ", "\n  ", "? ", "<<", "#"),
    *("{", "}", "[", "]", ",", "'", '"', "|\n", "> ", "\t", "\x00", "\x85", "\u2028", "\ud800"),
    *("!!int ", "!!float ", "!!bool ", "!!null ", "!!str ", "!!binary ", "!!set ", "!x ", "!<a> "),
    *("&a ", "*a", "%YAML 9.9\n", "%TAG ! x\n", "---\n", "...\n", "~", "true", "yes", ""),
    *("0x10", "1_000", "1:20", "-", ".inf", "1.5", "1e5", "9" * 400, "\u00b2s", "!!int x"),
    *("0.0.0.0/0", "10.0.0.0/33", "fd00::/112", "fe80::1%eth0", "http://[", "[[]]", "{a: 1}"),
    *('"\\x00"', '"\\ud800"', '"\\U00110000"', '"\\UFFFFFFFF"'),
)
VALUES = (
    *("64512 ", "auto ", "tor-a1", "192.0.2.1 ", "{matchLabels: {rack: a}}", "9s", "true", "100,"),
    *("[ipv4, ipv6]", '"64512:10"', '"fd00:96::/112"', "keep", "[10.244.0.0/16]", "3,", "eth0"),
    *('"http://127.0.0.1:10256/healthz"', "[services]", "10.96.0.10"),
)


def test_the_sample_of_the_design_means_what_it_says() -> None:
    found = load.parse(samples.SAMPLE, "sample")

    assert found == config.Config(
        asn=64512,
        peers=(
            config.Peer(
                name="tor-a1",
                description="rack a, upper",
                address=ipaddress.IPv4Address("192.0.2.1"),
                asn=64513,
                local_asn=64512,
                selector=config.Selector(
                    requirements=(
                        config.Requirement(
                            key="rack", operator=config.Operator.IN, values=frozenset({"a"})
                        ),
                    )
                ),
                hold_time=9,
                password_from="tor-a1",
                ttl_security=True,
                graceful_restart=120,
                services=SAME,
                pods=SAME,
            ),
        ),
        service_cidrs=(
            ipaddress.IPv4Network("10.96.0.0/16"),
            ipaddress.IPv6Network("fd00:96::/112"),
        ),
        pods_within=(ipaddress.IPv4Network("10.244.0.0/16"),),
        policy={
            **config.DEFAULT_POLICY,
            (model.Reason.CORDONED, model.PrefixClass.PODS): config.Cell(action=model.Action.KEEP),
        },
        checks=(
            config.Check(
                name="kube-proxy",
                probe=config.HttpProbe(url="http://127.0.0.1:10256/healthz"),
                affects=frozenset({model.PrefixClass.SERVICES}),
            ),
            config.Check(name="uplink", probe=config.InterfaceProbe(name="eth0")),
            config.Check(
                name="dns",
                probe=config.DnsProbe(
                    server=ipaddress.IPv4Address("10.96.0.10"),
                    name="kubernetes.default.svc.cluster.local",
                ),
            ),
        ),
        budget=config.Budget(),
    )


def test_the_defaults_are_the_core_s_own() -> None:
    found = samples.parse(samples.SMALLEST)

    assert found == config.Config(
        asn=64512,
        peers=(
            config.Peer(
                name="tor",
                address=ipaddress.IPv4Address("192.0.2.1"),
                asn=64513,
                local_asn=64512,
            ),
        ),
        service_cidrs=(ipaddress.IPv4Network("10.96.0.0/16"),),
        budget=config.Budget(),
    )


@pytest.mark.parametrize(
    ("written", "probe"),
    [
        (
            {"preset": "kube-proxy"},
            config.HttpProbe(
                url="http://127.0.0.1:10256/livez", fallback="http://127.0.0.1:10256/healthz"
            ),
        ),
        ({"preset": "kubelet"}, config.HttpProbe(url="http://127.0.0.1:10248/healthz")),
        (
            {"name": "x", "http": "https://a/", "insecureSkipVerify": True},
            config.HttpProbe(url="https://a/", verify=False),
        ),
        ({"name": "x", "tcp": "[::1]:53"}, config.TcpProbe(host="::1", port=53)),
        ({"name": "x", "exec": ["true", ""]}, config.ExecProbe(command=("true", ""))),
        ({"name": "x", "process": "kubelet"}, config.ProcessProbe(name="kubelet")),
        (
            {"name": "x", "interface": "eth0", "minSpeed": 10000},
            config.InterfaceProbe(name="eth0", min_speed=10000),
        ),
        (
            {"name": "x", "dns": {"server": "fd00::a", "name": "a.b", "port": 54, "type": "AAAA"}},
            config.DnsProbe(
                server=ipaddress.IPv6Address("fd00::a"), name="a.b", port=54, record="AAAA"
            ),
        ),
    ],
)
def test_each_kind_of_check_becomes_its_probe(written: Any, probe: config.Probe) -> None:
    found = samples.parse(samples.changed(("health", "checks"), [written]))

    assert found.checks[0].probe == probe


def test_the_kube_proxy_preset_concerns_services_unless_told_otherwise() -> None:
    written = [
        {"preset": "kube-proxy"},
        {"preset": "kube-proxy", "name": "both", "affects": ["services", "pods"]},
    ]
    preset, both = samples.parse(samples.changed(("health", "checks"), written)).checks

    assert (preset.name, preset.affects) == ("kube-proxy", frozenset({model.PrefixClass.SERVICES}))
    assert (both.name, both.affects) == ("both", frozenset(model.PrefixClass))


def test_a_range_that_only_limits_may_be_as_wide_as_the_company_s_own() -> None:
    """``within`` is a guard: nothing of it is announced, so routers may lie inside."""
    written = {"within": ["10.0.0.0/8", "192.0.0.0/16"]}

    found = samples.parse(samples.changed(("announce", "pods"), written))

    assert len(found.pods_within) == len(written["within"])


def test_auto_leaves_the_service_ranges_to_the_api() -> None:
    document = samples.changed(
        ("announce", "services"), {"cidrs": "auto", "within": ["10.0.0.0/8"]}
    )
    found = samples.parse(document)

    assert found.service_cidrs is None
    assert found.services_within == (ipaddress.IPv4Network("10.0.0.0/8"),)


def test_a_class_that_is_not_named_is_not_announced() -> None:
    found = samples.parse(samples.changed(("announce",), {"pods": {"within": ["10.244.0.0/16"]}}))

    assert found.service_cidrs == ()


def test_a_peer_s_own_values_reach_the_core() -> None:
    peer = {
        "name": "tor",
        "address": "fd00::1",
        "asn": 64513,
        "localASN": 64600,
        "localAddress": "route",
        "nodeSelector": {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]},
        "attributes": {"communities": ["no-export"], "largeCommunities": ["1:2:3"], "prepend": 2},
    }
    (found,) = samples.parse(samples.changed(("peers",), [peer])).peers

    assert (found.local_asn, found.local_address) == (64600, config.LocalAddress.ROUTE)
    assert found.services == found.pods
    assert found.services == offer.Offer(
        attributes=model.Attributes(communities=((65535, 65281),), large_communities=((1, 2, 3),)),
        prepend=2,
    )
    assert found.selector.matches({"a": "c"})
    assert not found.selector.matches({"a": "b"})


def test_timers_reach_the_core() -> None:
    document = samples.changed(("peers", 0, "keepalive"), "1s")
    document["peers"][0]["connectRetry"] = "1m"
    document["health"] = {
        "checks": [{"preset": "kubelet", "interval": "5s", "fastInterval": "500ms"}]
    }

    found = samples.parse(document)

    assert (found.peers[0].keepalive, found.peers[0].connect_retry) == (1, 60)
    assert (found.checks[0].interval, found.checks[0].fast_interval) == (5, 0.5)


def test_drain_settings_reach_the_core() -> None:
    drain = {
        "gracefulShutdown": "5s",
        "settle": "0s",
        "taints": ["example.com/reboot:NoExecute"],
        "deprioritise": {"med": 500, "prepend": 3},
    }
    found = samples.parse(samples.changed(("drain",), drain))

    assert (found.graceful_shutdown, found.settle) == (5, 0)
    assert found.drain_taints == (model.Taint(key="example.com/reboot", effect="NoExecute"),)
    assert (found.deprioritise_med, found.deprioritise_prepend) == (500, 3)


def test_what_is_shown_reads_back_as_the_same_settings() -> None:
    settings = load.document(samples.SAMPLE, "sample")

    assert samples.parse(schema.effective(settings)) == load.parse(samples.SAMPLE, "sample")


def test_a_community_without_quotes_is_not_a_number_in_base_60() -> None:
    text = samples.SAMPLE.replace('"64512:10"', "64512:10")

    assert load.parse(text, "x").peers[0].services == SAME


def test_no_is_a_label_value_and_not_a_boolean() -> None:
    text = samples.SAMPLE.replace("{rack: a}", "{rack: no}")

    assert load.parse(text, "x").peers[0].selector.matches({"rack": "no"})


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("bgp: [", "line 2, column 1", "expected"),
        ("bgp:\n  asn: 1\n asn: 2\n", "line 3, column 2", "not YAML"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1", "another document"),
        ("bgp: &a {asn: 1}\npeers: *a\n", "line 1, column 6", "write the value out"),
        ("bgp: !!python/name:os.system", "line 1, column 6", "write the plain value"),
        ("bgp: !x {asn: 1}", "line 1, column 6", "write the plain value"),
        ("bgp: {asn: !!int x}", "line 1, column 12", "!!int does not fit"),
        ("bgp: {asn: !!int 0x10}", "line 1, column 12", "!!int does not fit"),
        ("bgp: {asn: !!int 1_000}", "line 1, column 12", "!!int does not fit"),
        ("bgp:\n  asn: !!int", "line 2, column 8", "!!int does not fit"),
        ("bgp: {asn: !!float x}", "line 1, column 12", "!!float does not fit"),
        ("bgp: {asn: !!bool x}", "line 1, column 12", "!!bool does not fit"),
        ('bgp: "\\UFFFFFFFF"', "line 1, column 9", "invalid Unicode"),
        ("%YAML 1." + "9" * 5000 + "\n---\n", "line 1, column 18", "long version number"),
        ("[" * 500, "line 1, column 33", "nested too deeply"),
        # libyaml has a limit of its own, at a column that depends on its version.
        ("[" * 5000, r"line 1, column \d+", "nest"),
        ("bgp:\n  asn: \x07", "line 2, column 8", "control character"),
        ("bgp: # \u00e9\n  \u00e9: \x07", "line 2, column 6", "control character"),
    ],
)
def test_text_that_is_no_plain_yaml_is_refused_with_its_line(
    text: str, place: str, words: str
) -> None:
    with pytest.raises(errors.SettingsError) as refusal:
        load.parse(text, "x")

    (problem,) = refusal.value.problems
    assert re.match(f"{place}: ", problem.in_line)
    assert words in problem.message


@hypothesis.given(
    st.one_of(st.text(), st.lists(st.sampled_from(SNIPPETS), max_size=30).map("".join))
)
def test_whatever_the_text_is_it_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(errors.SettingsError):
        load.parse(text, "x")


@hypothesis.given(st.sampled_from(VALUES), st.sampled_from(SNIPPETS))
def test_whatever_stands_in_the_place_of_a_value_is_read_or_refused(old: str, new: str) -> None:
    with contextlib.suppress(errors.SettingsError):
        load.parse(samples.SAMPLE.replace(old, new), "x")


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n", "word"])
def test_a_document_that_is_no_mapping_is_told_its_keys(text: str) -> None:
    (problem,) = samples.problems(text)

    assert problem == (
        "write a mapping of bgp, peers, peerDefaults, announce, withdraw, health, drain, "
        "outageBudget"
    )


def test_every_key_written_twice_is_named_with_both_lines() -> None:
    text = samples.SAMPLE + "drain: {settle: 2s,\n  settle: 3s}\n"

    assert [problem.partition(":")[0] for problem in samples.problems(text)] == [
        "drain",
        "drain.settle",
    ]
    assert all("keep one" in problem for problem in samples.problems(text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.SettingsError, match=r"absent\.yaml: cannot be read: No such file"):
        load.load(tmp_path / "absent.yaml")


def test_a_file_is_read_with_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(samples.SAMPLE, encoding="utf-8-sig")

    assert load.load(path) == load.parse(samples.SAMPLE, "x")


@pytest.mark.parametrize(
    ("content", "words"), [(b"\xff", "not UTF-8"), (b"#" * (mounted.LARGEST + 1), "larger than")]
)
def test_a_file_that_is_no_settings_file_is_refused(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(content)

    with pytest.raises(errors.SettingsError, match=words):
        load.load(path)


@pytest.mark.parametrize("content", [b"s3cr\"e't", b"s3cr\"e't\n"])
def test_a_password_is_read_without_the_editor_s_newline(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    found, missing = mounted.read_passwords(tmp_path, [PEER])

    assert found["key"].reveal() == "s3cr\"e't"
    assert missing == ()


@pytest.mark.parametrize("content", [b"", b"\n", b"s3cret\n\n", b"s3cret" * 14, b"s3cret\xff"])
def test_an_unusable_password_is_left_out_and_never_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    found, (problem,) = mounted.read_passwords(tmp_path, [PEER])

    assert found == {}
    assert str(problem).startswith("peers[0].passwordFrom: peer tor stays down: ")
    assert "s3cret" not in str(problem)


def test_a_missing_password_names_the_key_the_file_and_the_peer(tmp_path: Path) -> None:
    _, (problem,) = mounted.read_passwords(tmp_path, [PEER])

    assert str(tmp_path / "key") in str(problem)
    assert "peer tor stays down" in str(problem)
    assert "add the key key to the Secret" in str(problem)


def test_only_the_keys_that_peers_name_are_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("one")
    (tmp_path / "other").write_text("two")
    found, _ = mounted.read_passwords(tmp_path, [PEER])

    assert set(found) == {"key"}
    assert "one" not in repr(found)


@pytest.mark.parametrize(
    ("written", "budget"),
    [
        ({}, config.Budget()),
        ({"maxUnavailable": "50%"}, config.Budget(amount=50, is_percent=True)),
        ({"maxUnavailable": 3}, config.Budget(amount=3, is_percent=False)),
        ({"maxUnavailable": 0}, config.Budget(amount=0, is_percent=False)),
        ({"maxUnavailable": "0%"}, config.Budget(amount=0, is_percent=True)),
        ({"maxUnavailable": "100%"}, None),
        ({"withoutAPI": "keep"}, config.Budget(without_api=config.WithoutApi.KEEP)),
        (
            {"covers": ["unhealthy", "cordoned"]},
            config.Budget(covers=frozenset({model.Reason.UNHEALTHY, model.Reason.CORDONED})),
        ),
    ],
)
def test_the_outage_budget_is_a_number_or_a_percentage_and_all_of_it_is_none(
    written: dict[str, Any], budget: config.Budget | None
) -> None:
    assert samples.parse({**samples.SMALLEST, "outageBudget": written}).budget == budget
