"""Who has which address in the bed: the numbers of the router examples in ``docs/router``."""

from __future__ import annotations

ROUTER_ASN = 64513
NODE_ASN = 64512

SEGMENT = "192.0.2"
SEGMENT6 = "2001:db8:2::"
API_SERVER = f"{SEGMENT}.250"
CLIENT = "198.51.100.100"
CLIENT6 = "2001:db8:100::100"

SERVICES = "10.96.0.0/16"
SERVICES6 = "fd00:96::/112"
PODS = "10.244.0.0/16"
PODS6 = "fd00:244::/48"

WEB = "10.96.0.10"
WEB6 = "fd00:96::10"
DNS = "10.96.0.53"
ECHO = "10.96.0.7"
MYSQL = "10.96.0.33"
MYSQL_NAME = "mysql.default.svc.cluster.local"
UNUSED = "10.96.0.99"
"""Inside the service range, but no service has it."""


def router(number: int) -> tuple[str, str]:
    """Return the IPv4 and IPv6 address of a router (from 1) on the segment."""
    return f"{SEGMENT}.{number}", f"{SEGMENT6}{number}"


def node(number: int) -> tuple[str, str]:
    """Return the IPv4 and IPv6 address of a node (from 1) on the segment."""
    return f"{SEGMENT}.{10 + number}", f"{SEGMENT6}{10 + number}"


def pod_cidr(number: int) -> tuple[str, str]:
    """Return the pod ranges of a node, as ``spec.podCIDRs`` has them."""
    return f"10.244.{number}.0/24", f"fd00:244:0:{number}::/64"


def pod(number: int) -> tuple[str, str]:
    """Return the addresses of the one pod of a node."""
    return f"10.244.{number}.10", f"fd00:244:0:{number}::10"
