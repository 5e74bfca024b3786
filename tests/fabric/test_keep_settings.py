"""What the page about the node's settings says to write does what it says, on one node.

The sysctls are written, the unit's lines are run as systemd would, the table of nftables is loaded
by ``nft``; a client outside of the cluster says what became of its packets.
"""

from __future__ import annotations

import errno
import re
import shlex
import socket
from collections.abc import Iterator

import pytest

from tests.architecture import repository
from tests.fabric import addresses, bird, conftest, topology

pytestmark = pytest.mark.fabric

PAGE = repository.ROOT / "docs/how-to/keep-settings.md"
PATIENCE = 3.0
"""Seconds after which nobody has answered; a packet that loops is reported at once."""


@pytest.fixture(scope="module")
def fabric(_privileges: None) -> Iterator[topology.Fabric]:
    """A node without any rule of its own, to which the router sends the service range."""
    found = topology.Fabric([bird.Bird], nodes_wanted=1)
    (node,) = found.nodes
    found.routers[0].namespace.ip(f"route add {addresses.SERVICES} via {node.address}")
    node.namespace.ip(f"rule del iif eth0 to {addresses.SERVICES} blackhole")
    node.namespace.run("ip", "-6", "rule", "del", "iif", "eth0", "to", addresses.SERVICES6)
    yield found
    found.delete()


@pytest.fixture(autouse=True)
def _logs(request: pytest.FixtureRequest, fabric: topology.Fabric) -> None:
    request.node.stash[conftest.FABRICS] = [fabric]


def becomes(fabric: topology.Fabric, address: str) -> str:
    """Return what a client's connection to port 80 of an address comes to."""

    def dial() -> str:
        try:
            socket.create_connection((address, 80), timeout=PATIENCE).close()
        except TimeoutError:
            return "silence"
        except OSError as error:
            return errno.errorcode[error.errno or 0]
        return "answered"

    return fabric.client.inside(dial)


def unit() -> str:
    """Return the unit of the page."""
    (found,) = (each for each in repository.blocks(PAGE, "ini") if "cluster-loop-rule" in each)
    return found


def test_without_a_rule_what_no_service_has_goes_round_until_its_ttl_ends(
    fabric: topology.Fabric,
) -> None:
    assert becomes(fabric, addresses.UNUSED) == "EHOSTUNREACH"
    assert becomes(fabric, addresses.WEB) == "answered"


def test_the_unit_ends_the_loop_harms_no_service_and_takes_its_rules_away(
    fabric: topology.Fabric,
) -> None:
    node = fabric.nodes[0].namespace
    before = node.run("ip", "rule"), node.run("ip", "-6", "rule")
    for line in re.findall(r"^ExecStart=(.+)$", unit(), re.MULTILINE):
        node.run(*shlex.split(line))

    assert becomes(fabric, addresses.UNUSED) == "silence"
    assert becomes(fabric, addresses.WEB) == "answered"
    for line in re.findall(r"^ExecStop=(.+)$", unit(), re.MULTILINE):
        node.run(*shlex.split(line))
    assert (node.run("ip", "rule"), node.run("ip", "-6", "rule")) == before


def test_the_table_of_nftables_ends_the_loop_and_may_be_loaded_again(
    fabric: topology.Fabric,
) -> None:
    node = fabric.nodes[0].namespace
    (table,) = repository.blocks(PAGE, "nft")
    for _ in range(2):
        node.run("nft", "-f", "-", stdin=table)

    assert becomes(fabric, addresses.UNUSED) == "silence"
    assert becomes(fabric, addresses.WEB) == "answered"
    node.run("nft", "delete", "table", "inet", "cluster_loop")


def test_the_sysctls_are_ones_that_this_kernel_takes(fabric: topology.Fabric) -> None:
    (text,) = (each for each in repository.blocks(PAGE, "ini") if "sysctl.d" in each)
    node = fabric.nodes[0].namespace
    written = dict(re.findall(r"^net\.(\S+) = (\d)$", text, re.MULTILINE))

    node.sysctl({key.replace(".", "/"): value for key, value in written.items()})

    assert len(written) == len([line for line in text.splitlines() if " = " in line])
