"""The default gateways of a kernel, in a network namespace with the routes of a node."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.adapters import test_checks_host

pytestmark = test_checks_host.namespaced

SETUP = """
set -e
ip link set lo up
for number in 0 1 2; do
    ip link add up$number type veth peer name far$number
    ip link set far$number up
    ip link set up$number up
    ip address add 198.51.10$number.5/24 dev up$number
    ip -6 address add 2001:db8:$number::5/64 dev up$number nodad
done
ip route add blackhole 10.9.0.0/16
"""

SCRIPT = """
import json
from exabgp_k8s.adapters import routing
from exabgp_k8s.core.facts import model
print(json.dumps([list(map(str, routing.gateways(each))) for each in model.Family]))
"""

FIRST, SECOND = "198.51.100.1", "198.51.101.1"


def gateways(*routes: str) -> list[list[str]]:
    """Return the gateways of both families with some routes, or after other commands of ip."""
    commands = [
        f"ip {each}" if each.startswith(("link", "-4")) else f"ip route add {each}"
        for each in routes
    ]
    script = "\n".join((SETUP, *commands, 'exec "$@"'))
    command = ["unshare", "--map-root-user", "--net", "/bin/sh", "-c", script, "sh"]
    done = subprocess.run(
        [*command, sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("routes", "four"),
    [
        ((), []),
        ((f"default via {FIRST}",), [FIRST]),
        ((f"default via {FIRST} metric 200", f"default via {SECOND} metric 100"), [SECOND]),
        ((f"default nexthop via {SECOND} nexthop via {FIRST}",), [FIRST, SECOND]),
        ((f"default via {FIRST} table 7",), []),
        (("unreachable default", f"default via {FIRST} metric 9"), [FIRST]),
        (("default dev up0",), []),
        ((f"0.0.0.0/1 via {FIRST}",), []),
        (
            (f"default via {FIRST}", f"default via {SECOND} metric 9", "link set far0 down"),
            [SECOND],
        ),
        ((f"default via {FIRST}", "link set up0 down"), []),
        (("-4 route add default via inet6 2001:db8::1 dev up0",), []),
    ],
)
def test_those_of_the_best_default_routes_are_found(
    routes: tuple[str, ...], four: list[str]
) -> None:
    assert gateways(*routes) == [four, []]


@pytest.mark.parametrize(
    ("route", "six"),
    [
        ("default via 2001:db8:0::1", ["2001:db8::1"]),
        (
            "default nexthop via 2001:db8:1::1 nexthop via 2001:db8:0::1",
            ["2001:db8::1", "2001:db8:1::1"],
        ),
        ("default via fe80::1 dev up2", ["fe80::1%up2"]),
        ("default via 2001:db8:0::1 table 7", []),
    ],
)
def test_those_of_ipv6_are_found(route: str, six: list[str]) -> None:
    assert gateways(route) == [[], six]
