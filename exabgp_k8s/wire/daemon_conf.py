"""``exabgp.conf`` as text.

Only typed values enter the file: names and descriptions of the settings stay out of it, the node's
name enters if it is one by Kubernetes' own rule, and a password goes in as base64, whose alphabet
means nothing to ExaBGP's parser.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence

from exabgp_k8s.core.facts import links, model

HIDDEN = "***"

HOSTNAME = re.compile(r"[a-z0-9](?:[-a-z0-9]|\.(?!\.)){0,251}[a-z0-9]|[a-z0-9]")
"""A Node's name (Kubernetes, Object Names and IDs): it cannot mean anything else to the parser.

A name that is no such thing is left out. Of a longer one than 64 bytes ExaBGP sends the first 64,
which is what the capability has room for.
"""


def render(
    neighbors: Sequence[model.Neighbor],
    run: Sequence[str],
    *,
    show_secrets: bool = False,
) -> str:
    """Return the configuration for these neighbors.

    The process section stands first: an error above it in a reload would cost ExaBGP its helper.

    Args:
        neighbors: the sessions; none at all is legal.
        run: path and arguments of the helper.
        show_secrets: write the passwords instead of a mark in their place.
    """
    blocks = [f"process agent {{\n  run {' '.join(run)};\n  encoder json;\n}}\n"]
    blocks += ["\n".join(_neighbor(each, show_secrets=show_secrets)) for each in neighbors]
    return "\n".join(blocks)


def _neighbor(neighbor: model.Neighbor, *, show_secrets: bool) -> Iterator[str]:
    yield f"neighbor {neighbor.address} {{"
    yield f"  local-address {neighbor.local_address};"
    if link := links.of(neighbor.address):
        yield f"  source-interface {link};"
    yield f"  local-as {neighbor.local_asn};"
    yield f"  peer-as {neighbor.peer_asn};"
    yield f"  router-id {neighbor.router_id};"
    yield from _timers(neighbor)
    yield f"  connect {neighbor.port};"
    if HOSTNAME.fullmatch(neighbor.hostname):
        yield f"  host-name {neighbor.hostname};"
    yield "  group-updates true;"
    yield "  adj-rib-in false;"
    yield from _security(neighbor, show_secrets=show_secrets)
    if neighbor.graceful_restart is not None:
        # ExaBGP's own End-of-RIB leaves before the helper's routes, and the router purges.
        yield "  manual-eor true;"
    yield from _capability(neighbor)
    yield "  family {"
    for family in neighbor.families:
        yield f"    {family} unicast;"
    yield "  }"
    if neighbor.is_extended:
        yield "  nexthop {"
        yield "    ipv4 unicast ipv6;"
        yield "  }"
    yield "  api {"
    yield "    processes [ agent ];"
    yield "    neighbor-changes;"
    yield "    negotiated;"
    yield "    receive { parsed; notification; }"
    # Never "refresh" here: ExaBGP would try to read its own message and drop the session.
    yield "    send { parsed; update; }"
    yield "  }"
    yield "}\n"


def _timers(neighbor: model.Neighbor) -> Iterator[str]:
    yield f"  hold-time {neighbor.hold_time};"
    # These two are words of the launcher's own; ExaBGP alone does not know them.
    if neighbor.keepalive is not None:
        yield f"  keepalive-time {neighbor.keepalive};"
    if neighbor.connect_retry is not None:
        yield f"  connect-retry {neighbor.connect_retry};"


def _security(neighbor: model.Neighbor, *, show_secrets: bool) -> Iterator[str]:
    if neighbor.multihop is not None:
        yield f"  outgoing-ttl {neighbor.multihop};"
    if neighbor.ttl_security:
        # RFC 5082: send with 255 and accept nothing that crossed a router.
        yield "  incoming-ttl 255;"
    if neighbor.password is not None:
        encoded = base64.b64encode(neighbor.password.reveal().encode()).decode("ascii")
        yield "  md5-base64 true;"
        yield f'  md5-password "{encoded if show_secrets else HIDDEN}";'


def _capability(neighbor: model.Neighbor) -> Iterator[str]:
    yield "  capability {"
    yield "    asn4 enable;"
    yield "    route-refresh enable;"
    if neighbor.is_extended:
        yield "    nexthop enable;"
    if neighbor.graceful_restart is not None:
        yield f"    graceful-restart {neighbor.graceful_restart};"
    yield "  }"
