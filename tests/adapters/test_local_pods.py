"""Which addresses of pods the kernel's routes show; the tables are as Linux 6 writes them."""

from __future__ import annotations

import ipaddress
import pathlib

from exabgp_k8s.adapters import local_pods, metrics
from exabgp_k8s.core.facts import pod_ranges
from tests.support import builders

HEADER = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


def v4(interface: str, destination: str, length: int, gateway: str = "", flags: int = 1) -> str:
    """Return a line of /proc/net/route."""
    words = [_reversed(destination), _reversed(gateway or "0.0.0.0")]
    mask = (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF
    hexed = int.from_bytes(mask.to_bytes(4, "big"), "little")
    flags |= 2 if gateway else 0
    return "\t".join(
        [interface, *words, f"{flags:04X}", "0", "0", "0", f"{hexed:08X}", "0\t0\t0\n"]
    )


def _reversed(address: str) -> str:
    return "".join(f"{int(each):02X}" for each in reversed(address.split(".")))


def v6(interface: str, destination: str, length: int, flags: int = 1, gateway: str = "") -> str:
    """Return a line of /proc/net/ipv6_route; addresses are 32 digits."""
    nothing = "0" * 32
    return (
        f"{destination:0<32} {length:02x} {nothing} 00 {gateway or nothing} 00000400 00000001"
        f" 00000000 {flags:08x} {interface:>8}\n"
    )


def look(folder: pathlib.Path, *lines: str, six: str = "") -> dict[str, list[str]]:
    (folder / "route").write_text(HEADER + "".join(lines))
    (folder / "ipv6_route").write_text(six)
    found = local_pods.look(folder).addresses
    return {name: [str(each) for each in addresses] for name, addresses in found.items()}


def test_a_route_to_one_address_behind_a_pods_interface_is_a_pod(tmp_path: pathlib.Path) -> None:
    seen = look(tmp_path, v4("cali12ab", "10.0.1.5", 32), v4("veth77", "10.0.1.4", 32))

    assert seen == {"cali*": ["10.0.1.5"], "veth*": ["10.0.1.4"]}


def test_the_network_of_a_plugins_bridge_is_its_pods(tmp_path: pathlib.Path) -> None:
    assert look(tmp_path, v4("cni0", "10.0.1.0", 24)) == {"cni0": ["10.0.1.0"]}


def test_what_is_no_pod_is_none(tmp_path: pathlib.Path) -> None:
    """Containers of Docker, machines, tunnels, other nodes' pods and the default route."""
    seen = look(
        tmp_path,
        v4("eth0", "0.0.0.0", 0, "192.0.2.1"),
        v4("eth0", "192.0.2.0", 24),
        v4("docker0", "172.17.0.0", 16),
        v4("virbr0", "192.168.122.0", 24),
        v4("wg0", "10.9.0.7", 32),
        v4("tunl0", "10.244.2.0", 26, "192.0.2.12"),
        v4("vxlan.calico", "10.244.2.64", 26, "10.244.2.64"),
        v4("cilium_host", "10.0.2.0", 24, "10.0.1.9"),
        v4("eni1", "10.3.0.0", 16),
        v4("nodelocaldns", "169.254.20.10", 32),
        v4("kube-ipvs0", "10.96.0.10", 32),
    )

    assert seen == {}


def test_pods_are_seen_in_ipv6_and_the_hosts_own_addresses_are_none(
    tmp_path: pathlib.Path,
) -> None:
    six = (
        v6("cali12ab", "fd000001", 128)
        + v6("cali12ab", "fe80", 64)
        + v6("cali12ab", "fd000001" + "0" * 20 + "00ff", 128, flags=0x8000_0001)
        + v6("cni0", "fd000007", 64)
        + v6("cni0", "fd000008", 64, flags=0x3, gateway="fd01" + "0" * 28)
    )

    assert look(tmp_path, six=six) == {"cali*": ["fd00:1::"], "cni0": ["fd00:7::"]}


def test_a_host_without_a_family_has_no_pods_of_it(tmp_path: pathlib.Path) -> None:
    assert local_pods.look(tmp_path).addresses == {}


def test_a_table_that_cannot_be_understood_is_no_warning(tmp_path: pathlib.Path) -> None:
    assert look(tmp_path, "cali1\tnonsense\n", six="cali1\n") == {}


def test_this_hosts_own_tables_can_be_read() -> None:
    assert local_pods.look() is not None


def test_the_metric_counts_the_pods_outside_of_the_announced_ranges() -> None:
    found = tuple(map(ipaddress.ip_address, ("10.244.3.7", "10.0.1.5", "10.0.1.6")))
    seen = pod_ranges.PodsSeen(addresses={"cali*": found})
    turn = builders.turn(builders.a_world(seen))

    exposed = metrics.Metrics(lambda: turn, lambda: builders.START).render().decode()

    assert "\nexabgp_k8s_pods_elsewhere 2.0\n" in exposed
