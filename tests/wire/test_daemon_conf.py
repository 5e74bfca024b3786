"""``exabgp.conf``: typed values only, and no password where nobody needs it."""

from __future__ import annotations

import base64
import dataclasses
import ipaddress
import re

import hypothesis
import pytest
from hypothesis import strategies as st

from exabgp_k8s.core.facts import model
from exabgp_k8s.wire import daemon_conf

RUN = ("/usr/bin/python3", "-m", "exabgp_k8s", "agent")
PLAIN = model.Neighbor(
    name="tor-a",
    description="rack a, upper",
    address=ipaddress.ip_address("192.0.2.1"),
    port=179,
    local_address=ipaddress.ip_address("192.0.2.11"),
    router_id=ipaddress.IPv4Address("192.0.2.11"),
    peer_asn=64513,
    local_asn=64512,
    hold_time=9,
)

WHOLE = """\
process agent {
  run /usr/bin/python3 -m exabgp_k8s agent;
  encoder json;
}

neighbor 192.0.2.1 {
  local-address 192.0.2.11;
  local-as 64512;
  peer-as 64513;
  router-id 192.0.2.11;
  hold-time 9;
  connect 179;
  group-updates true;
  adj-rib-in false;
  capability {
    asn4 enable;
    route-refresh enable;
  }
  family {
    ipv4 unicast;
    ipv6 unicast;
  }
  api {
    processes [ agent ];
    neighbor-changes;
    negotiated;
    receive { parsed; notification; }
    send { parsed; update; }
  }
}
"""


def rendered(*, show_secrets: bool = False, **changes: object) -> list[str]:
    """Return the lines of a configuration with one neighbor."""
    neighbor = dataclasses.replace(PLAIN, **changes)  # type: ignore[arg-type]
    text = daemon_conf.render((neighbor,), RUN, show_secrets=show_secrets)
    return [line.strip() for line in text.splitlines()]


def test_a_plain_neighbor() -> None:
    assert daemon_conf.render((PLAIN,), RUN) == WHOLE


def test_no_neighbor_at_all_is_only_the_process() -> None:
    assert daemon_conf.render((), RUN) == WHOLE.partition("\n\n")[0] + "\n"


def test_the_process_stands_first() -> None:
    text = daemon_conf.render((PLAIN, PLAIN), RUN)

    assert text.startswith("process agent {")
    assert text.count("\nneighbor 192.0.2.1 {") == 2


def test_graceful_restart_leaves_the_end_of_rib_to_us() -> None:
    lines = rendered(graceful_restart=120)

    assert "graceful-restart 120;" in lines
    assert "manual-eor true;" in lines
    assert "manual-eor true;" not in rendered()


def test_multihop_and_ttl_security() -> None:
    assert "outgoing-ttl 2;" in rendered(multihop=2)
    assert "incoming-ttl 255;" in rendered(ttl_security=True)


def test_timers_are_written_where_the_settings_have_them() -> None:
    lines = rendered(keepalive=2, connect_retry=30)

    assert "keepalive-time 2;" in lines
    assert "connect-retry 30;" in lines
    assert not [line for line in rendered() if "keepalive" in line or "retry" in line]


def test_only_the_families_of_the_peer_are_offered() -> None:
    lines = rendered(families=(model.Family.IPV6,))

    assert "ipv6 unicast;" in lines
    assert "ipv4 unicast;" not in lines


@hypothesis.given(st.text(min_size=1, max_size=80))
def test_a_password_is_base64_and_hidden_unless_asked_for(password: str) -> None:
    hypothesis.assume(not any("\ud800" <= letter <= "\udfff" for letter in password))
    secret = model.Secret(password)

    shown, hidden = rendered(password=secret, show_secrets=True), rendered(password=secret)

    encoded = base64.b64encode(password.encode()).decode()
    assert f'md5-password "{encoded}";' in shown
    assert "md5-base64 true;" in shown
    assert 'md5-password "***";' in hidden


@hypothesis.given(st.text(max_size=40), st.text(max_size=40))
def test_free_text_of_the_settings_stays_out(name: str, description: str) -> None:
    neighbor = dataclasses.replace(PLAIN, name=name, description=description)

    assert daemon_conf.render((neighbor,), RUN) == WHOLE


@pytest.mark.parametrize("name", ["n1", "worker-12.rack3.example.com", "10", "a" * 253])
def test_the_node_s_name_is_told(name: str) -> None:
    text = daemon_conf.render((dataclasses.replace(PLAIN, hostname=name),), RUN)

    assert f"  host-name {name};\n" in text


@hypothesis.given(st.text() | st.sampled_from(["a;", "a b", "a{", "a..b", "-a", "a.", "A", "a\n"]))
def test_no_name_can_mean_anything_else(name: str) -> None:
    """What is no Node's name is left out, whoever put it there."""
    hypothesis.assume(not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name) or ".." in name)

    named = daemon_conf.render((dataclasses.replace(PLAIN, hostname=name),), RUN)

    assert named == daemon_conf.render((PLAIN,), RUN)


def test_a_router_on_a_link_is_named_with_it_and_asked_for_ipv6_next_hops() -> None:
    neighbor = dataclasses.replace(
        PLAIN,
        address=ipaddress.ip_address("fe80::1%eth1"),
        local_address=ipaddress.ip_address("fe80::11%eth1"),
        is_extended=True,
    )
    rendered = " ".join(daemon_conf.render((neighbor,), RUN).split())

    assert (
        "neighbor fe80::1%eth1 { local-address fe80::11%eth1; source-interface eth1;" in rendered
    )
    assert "route-refresh enable; nexthop enable; }" in rendered
    assert "nexthop { ipv4 unicast ipv6; }" in rendered
