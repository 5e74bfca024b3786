"""Processes and interfaces of this machine, and networks of a namespace of our own."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import shutil
import subprocess
import sys
import uuid

import psutil
import pytest

from exabgp_k8s.adapters.checks import runner
from exabgp_k8s.core.facts import config, events
from tests.adapters import probes
from tests.support import kubeapi


def find(name: str) -> tuple[bool, str]:
    return asyncio.run(probes.outcome(config.ProcessProbe(name=name)))


@pytest.fixture(name="program")
def _program(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a program with a name that nothing else on this machine has."""
    copy = tmp_path / f"it{uuid.uuid4().hex[:8]}"
    shutil.copy("/bin/sleep", copy)
    return copy


def test_a_process_is_found_by_the_name_of_its_program(program: pathlib.Path) -> None:
    with subprocess.Popen([program, "3600"]) as process:
        try:
            # It is there a moment before it has a name.
            kubeapi.until(lambda: psutil.Process(process.pid).name() == program.name)
            assert find(program.name) == (True, f"pid {process.pid}")
        finally:
            process.kill()


def test_a_process_is_found_by_the_name_it_gave_itself_in_argv(program: pathlib.Path) -> None:
    name = f"own-{program.name}"
    with subprocess.Popen([f"/somewhere/{name}", "3600"], executable=program) as process:
        try:
            kubeapi.until(lambda: bool(psutil.Process(process.pid).cmdline()))
            assert find(name) == (True, f"pid {process.pid}")
        finally:
            process.kill()


def test_a_part_of_a_name_or_an_argument_is_not_a_match(program: pathlib.Path) -> None:
    script = "import time; time.sleep(3600)"
    argument = f"arg-{program.name}"
    with (
        subprocess.Popen([program, "3600"]) as process,
        subprocess.Popen([sys.executable, "-c", script, argument]) as other,
    ):
        try:
            assert not find(program.name[:-1])[0]
            assert find(argument) == (False, f"no process named {argument}")
        finally:
            process.kill()
            other.kill()


def test_a_zombie_does_not_count(program: pathlib.Path) -> None:
    process = subprocess.Popen([program, "0"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    try:
        assert psutil.Process(process.pid).name() == program.name
        assert not find(program.name)[0]
    finally:
        process.wait()


def test_a_restarted_process_is_found_again(program: pathlib.Path) -> None:
    async def run() -> None:
        queue: asyncio.Queue[tuple[bool, str]] = asyncio.Queue()
        runs = asyncio.create_task(_watch(program.name, queue))
        for _ in range(2):
            process = await asyncio.create_subprocess_exec(program, "3600")
            await _until(queue, (True, f"pid {process.pid}"))
            process.kill()
            await process.wait()
            await _until(queue, (False, f"no process named {program.name}"))
        runs.cancel()

    asyncio.run(run())


async def _watch(name: str, queue: asyncio.Queue[tuple[bool, str]]) -> None:
    def deliver(event: events.Event) -> None:
        assert isinstance(event, events.CheckOutcome)
        queue.put_nowait((event.is_ok, event.message))

    running = runner.Runner(deliver)
    probe = config.ProcessProbe(name=name)
    # A run without an outcome, as a machine that is busy has it, is none of those expected here.
    patient = config.Check(name="it", probe=probe, interval=0.01, timeout=probes.PATIENCE)
    running.apply((patient,))
    try:
        await asyncio.Event().wait()
    finally:
        await running.close()


async def _until(queue: asyncio.Queue[tuple[bool, str]], wanted: tuple[bool, str]) -> None:
    async with asyncio.timeout(probes.LIMIT):
        while await queue.get() != wanted:
            pass


def test_a_missing_interface_has_failed() -> None:
    probe = config.InterfaceProbe(name="nosuch0")
    assert asyncio.run(probes.outcome(probe)) == (False, "no interface nosuch0 here")


SETUP = """
set -e
ip link set lo up
ip address add 192.0.2.77/32 dev lo
ip link add up0 type veth peer name far0
ip link set up0 up
ip link set far0 up
ip address add 198.51.100.5/24 dev up0
ip address add 203.0.113.9/25 dev up0
ip address add 203.0.113.77/32 dev up0
ip -6 address add 2001:db8:1::5/64 dev up0 nodad
ip -6 address add 2001:db8:1::6/64 dev up0 nodad preferred_lft 0
ip link add pods0 type veth peer name far1
ip link set pods0 up
ip address add 10.244.3.1/24 dev pods0
ip link add down0 type veth peer name far2
ip link add cut0 type veth peer name cut1
ip link set cut0 up
ip route add 192.0.2.128/25 via 198.51.100.1 src 203.0.113.9
ip route add unreachable 192.0.2.64/28
exec "$@"
"""
"""A node's network, in a namespace that ends with its last process."""


def in_namespace(script: str) -> str:
    """Run a Python script in that network and return what it prints."""
    command = ["unshare", "--map-root-user", "--net", "/bin/sh", "-c", SETUP, "sh"]
    done = subprocess.run(
        [*command, sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LOOK = """
import ipaddress, json
from exabgp_k8s.adapters import host
at = ipaddress.ip_address
seen = host.look({ips}, {peers})
sources = {{str(peer): str(source) for peer, source in seen.sources.items()}}
print(json.dumps([sorted(map(str, seen.uplinks)), sources]))
"""


def look(ips: list[str], peers: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return uplinks and sources as that network shows them."""
    as_code = [f"[{', '.join(f'at({item!r})' for item in items)}]" for items in (ips, peers)]
    uplinks, sources = json.loads(in_namespace(LOOK.format(ips=as_code[0], peers=as_code[1])))
    return uplinks, sources


def needs_namespace() -> pytest.MarkDecorator:
    probe = ["unshare", "--map-root-user", "--net", "ip", "link", "set", "lo", "up"]
    try:
        is_allowed = subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        is_allowed = False
    return pytest.mark.skipif(not is_allowed, reason="network namespaces are not permitted here")


namespaced = needs_namespace()


@namespaced
def test_the_uplinks_are_all_networks_of_the_interface_with_the_nodes_address() -> None:
    uplinks, _ = look(["198.51.100.5"], [])
    assert [each for each in uplinks if not each.startswith("fe80")] == [
        "198.51.100.0/24",
        "2001:db8:1::/64",
        "203.0.113.0/25",
        "203.0.113.77/32",
    ]


BESIDE = """
import ipaddress, json
from exabgp_k8s.adapters import host
at = ipaddress.ip_address
seen = host.look([at(each) for each in {ips}], [])
print(json.dumps({{str(one): list(map(str, found)) for one, found in seen.addresses.items()}}))
"""


def beside(*ips: str) -> dict[str, list[str]]:
    """Return for each address those of its interface, as that network shows them."""
    found: dict[str, list[str]] = json.loads(in_namespace(BESIDE.format(ips=list(ips))))
    return found


@namespaced
def test_an_address_is_found_with_those_of_its_interface_the_lasting_ones_first() -> None:
    """203.0.113.77 is a virtual address, and the IPv6 one of another subnet is deprecated."""
    assert beside("198.51.100.5")["198.51.100.5"] == [
        "198.51.100.5",
        "203.0.113.9",
        "2001:db8:1::5",
        "203.0.113.77",
        "2001:db8:1::6",
    ]


@namespaced
def test_an_address_that_no_interface_has_is_found_to_be_gone() -> None:
    assert beside("198.51.100.6", "198.51.100.5")["198.51.100.6"] == []


@namespaced
def test_every_address_of_a_network_on_loopback_is_the_hosts_own() -> None:
    found = beside("127.3.2.1", "192.0.2.77")

    assert found["127.3.2.1"][0] == "127.3.2.1"
    assert found["192.0.2.77"] == ["192.0.2.77"]


PLACES = """
import ipaddress, json
from exabgp_k8s.adapters import host
from exabgp_k8s.core.facts import places
net = ipaddress.ip_network
on = [places.OnInterface(interface=each) for each in ("up0", "pods0", "down0", "gone0")]
on += [places.InSubnet(subnet=net(each)) for each in ("203.0.113.0/24", "198.51.0.0/16")]
where = places.LookedFor(places=frozenset(on), inner=frozenset({inner}))
seen = host.look([], [], where=where)
found = {{str(at): ips and [str(each) for each in ips] for at, ips in seen.places.items()}}
beside = {{str(one): list(map(str, ips)) for one, ips in seen.addresses.items()}}
print(json.dumps([found, beside, sorted(map(str, seen.uplinks))]))
"""


def at_places(*inner: str) -> tuple[dict[str, list[str] | None], dict[str, list[str]], list[str]]:
    """Return what interfaces and networks have, what is beside it, and the uplinks."""
    nets = ", ".join(f"net({each!r})" for each in inner)
    found, beside, uplinks = json.loads(in_namespace(PLACES.format(inner=f"[{nets}]")))
    return found, beside, uplinks


@namespaced
def test_the_addresses_of_interfaces_and_networks_are_found_the_lasting_ones_first() -> None:
    found, beside, _ = at_places()

    assert found == {
        "interface up0": [
            "198.51.100.5/24",
            "203.0.113.9/25",
            "2001:db8:1::5/64",
            "203.0.113.77/32",
            "2001:db8:1::6/64",
        ],
        "interface pods0": ["10.244.3.1/24"],
        "interface down0": [],
        "interface gone0": None,
        "subnet 203.0.113.0/24": ["203.0.113.9/25", "203.0.113.77/32"],
        "subnet 198.51.0.0/16": ["198.51.100.5/24"],
    }
    assert "203.0.113.9" in beside["198.51.100.5"]


@namespaced
def test_addresses_in_the_clusters_own_ranges_are_at_no_place() -> None:
    """A bridge of pods; and with IPVS every Service's address is on an interface."""
    found, _, uplinks = at_places("10.244.0.0/16", "203.0.113.77/32")

    assert found["interface pods0"] == []
    assert found["subnet 203.0.113.0/24"] == ["203.0.113.9/25"]
    assert "10.244.3.0/24" not in uplinks


LOST = """
import resource
from exabgp_k8s.adapters import host
{shortage}
print(host.look([], []))
"""


def test_a_host_that_cannot_be_looked_at_ends_nothing() -> None:
    """With no descriptor left the interfaces cannot be read."""
    shortage = "resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))"
    script = LOST.format(shortage=shortage)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("HostLost(problem='the interfaces cannot be read")


@namespaced
def test_a_host_that_shows_only_loopback_has_not_lost_its_addresses() -> None:
    """A namespace that is being set up or taken down looks so."""
    script = LOST.format(shortage="import ipaddress").replace(
        "host.look([]", "host.look([ipaddress.ip_address('198.51.100.5')]"
    )
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("HostLost(")


@namespaced
def test_an_ipv6_address_of_the_node_finds_its_uplink_too() -> None:
    assert "198.51.100.0/24" in look(["2001:db8:1::5"], [])[0]


@namespaced
@pytest.mark.parametrize("ip", ["192.0.2.77", "127.0.0.1", "198.51.100.6", "::1"])
def test_loopback_and_addresses_of_other_hosts_give_no_uplink(ip: str) -> None:
    assert look([ip], [])[0] == []


@namespaced
def test_the_source_towards_a_peer_is_the_kernels_choice() -> None:
    peers = ["198.51.100.1", "192.0.2.200", "192.0.2.65", "2001:db8:1::1", "2001:db8:ffff::1"]
    assert look([], peers)[1] == {
        "198.51.100.1": "198.51.100.5",
        "192.0.2.200": "203.0.113.9",
        "2001:db8:1::1": "2001:db8:1::5",
    }


WITHOUT_IPV6 = """
import errno, socket
class Socket(socket.socket):
    def __init__(self, family, *rest):
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        super().__init__(family, *rest)
socket.socket = Socket
"""
"""What ipv6.disable=1 of the kernel does to a process; no namespace can be had without IPv6."""


@namespaced
def test_a_peer_of_a_family_the_kernel_lacks_has_no_source() -> None:
    code = LOOK.format(ips="[]", peers="[at('2001:db8:1::1'), at('198.51.100.1')]")
    assert json.loads(in_namespace(WITHOUT_IPV6 + code))[1] == {"198.51.100.1": "198.51.100.5"}


CHECK = """
import asyncio
from exabgp_k8s.core.facts import config
from tests.adapters import probes
print(asyncio.run(probes.outcome(config.InterfaceProbe(name={name!r}, min_speed={speed}))))
"""


@namespaced
@pytest.mark.parametrize(
    ("name", "speed", "expected"),
    [
        ("up0", 0, (True, "up0 is up, 10000 Mbit/s")),
        ("up0", 10_000, (True, "up0 is up, 10000 Mbit/s")),
        ("up0", 25_000, (False, "up0 is up, 10000 Mbit/s, at least 25000 Mbit/s asked for")),
        ("lo", 0, (True, "lo is up, speed unknown")),
        ("lo", 100, (False, "lo is up, speed unknown, at least 100 Mbit/s asked for")),
        ("down0", 0, (False, "down0 is down")),
        ("cut0", 0, (False, "cut0 is down")),
    ],
)
def test_an_interface_must_have_its_link_and_the_speed_asked_for(
    name: str, speed: int, expected: tuple[bool, str]
) -> None:
    assert in_namespace(CHECK.format(name=name, speed=speed)).strip() == str(expected)


ON_LINKS = """
import ipaddress, json
from exabgp_k8s.adapters import host
seen = host.look([], [], [], ["up0", "nope0"])
print(json.dumps({name: [list(map(str, one.own)), list(map(str, one.routers))]
                  for name, one in seen.links.items()}))
print(json.dumps([str(each) for each in seen.addresses]))
"""
NEIGHBOURS = """
import subprocess
subprocess.run("ip -6 addr add fe80::11/64 dev up0 nodad", shell=True, check=True)
for end in ("1 lladdr 02:00:00:00:00:01 dev up0 router nud stale",
            "2 lladdr 02:00:00:00:00:02 dev up0 nud stale",
            "3 dev up0 router nud failed",
            "11 lladdr 02:00:00:00:00:11 dev up0 router nud stale",
            "4 lladdr 02:00:00:00:00:04 dev pods0 router nud stale"):
    subprocess.run("ip -6 neigh add fe80::" + end, shell=True, check=True)
"""


@namespaced
def test_on_a_link_are_our_addresses_and_the_routers_that_answer() -> None:
    """No other host, none that does not answer, none of another link, and not ourselves."""
    found, addresses = in_namespace(NEIGHBOURS + ON_LINKS).splitlines()

    on_links = json.loads(found)
    assert on_links.keys() == {"up0"}
    own, routers = on_links["up0"]
    assert "fe80::11%up0" in own
    assert all(each.endswith("%up0") for each in own)
    assert routers == ["fe80::1%up0"]
    assert "fe80::11%up0" in json.loads(addresses)
