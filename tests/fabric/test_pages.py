"""Configurations on the pages, given to the programs that they are for.

FRR and BIRD are asked whether they understand each block. Unbound, dnsmasq and BIND run with the
very lines of the page about company DNS, at a client outside of the cluster, and have to find the
name of a service through the ClusterIP of the cluster's DNS. The rogue node of the page about
security announces to both kinds of router, and a pod speaks as its node. The packet filter of the
page about ClusterIPs stands on a router and on a node.
"""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import pytest

from tests.architecture import repository
from tests.fabric import (
    addresses,
    bird,
    frr,
    namespaces,
    routers,
    topology,
    tutorial,
    waiting,
    workload,
)

pytestmark = pytest.mark.fabric

DNS_ON_THE_PAGE = "10.96.0.10"
ROGUE_ON_THE_PAGE = "192.0.2.19"
COMPANY = "127.0.0.1"
UNBOUND_PORT, DNSMASQ_PORT, BIND_PORT = 5301, 5302, 5303
ROOT_KEY = (
    ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"  # IANA's
)
UNBOUND = f"""
server:
    interface: {COMPANY}@{UNBOUND_PORT}
    do-daemonize: no
    use-syslog: no
    username: ""
    chroot: ""
    pidfile: ""
    # What makes the lines of the page necessary: it validates, and drops private addresses.
    trust-anchor: "{ROOT_KEY}"
    private-address: 10.0.0.0/8
"""
DNSMASQ = (
    "dnsmasq --keep-in-foreground --no-resolv --no-hosts --bind-interfaces --user=root "
    f"--listen-address={COMPANY} --port={DNSMASQ_PORT} --pid-file= --stop-dns-rebind"
)
BIND = f"""
    listen-on port {BIND_PORT} {{ {COMPANY}; }};
    listen-on-v6 {{ none; }};
    directory "DIRECTORY";
    pid-file none;
    session-keyfile none;
}};
controls {{ }};
"""
"""Ends the section ``options`` of the page, which is the last one there. BIND validates anyway."""


def written_in(language: str) -> list[Any]:
    """Return every block of a language, each with its page."""
    return [
        pytest.param(text, id=f"{page.stem}-{number}")
        for page in repository.pages()
        for number, text in enumerate(repository.blocks(page, language), start=1)
    ]


@pytest.mark.parametrize("text", written_in("frr"))
@pytest.mark.usefixtures("_privileges")
def test_frr_understands_what_a_page_tells_it(text: str, tmp_path: Path) -> None:
    assert _complaints_of_frr(text, tmp_path) == ""


@pytest.mark.usefixtures("_privileges")
def test_frr_understands_what_the_tutorial_makes_of_the_example(tmp_path: Path) -> None:
    """The tutorial writes its addresses into the example; none of the example's may be left."""
    made = tutorial.router()

    assert f"{addresses.SEGMENT}." not in made
    assert _complaints_of_frr(made, tmp_path) == ""


def _complaints_of_frr(text: str, folder: Path) -> str:
    file = folder / "frr.conf"
    file.write_text(text)
    done = subprocess.run(
        ["vtysh", "--dryrun", "--inputfile", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr if done.returncode else ""


@pytest.mark.parametrize("text", written_in("bird"))
@pytest.mark.usefixtures("_privileges")
def test_bird_understands_what_a_page_tells_it(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bird.conf"
    file.write_text(text)

    subprocess.run(["bird", "-p", "-c", str(file)], check=True)


def test_a_router_believes_a_rogue_node_no_more_than_the_page_says(
    kind: type[routers.Router], build: topology.Factory
) -> None:
    """A default route, one service and a stranger's network are refused; the range is taken."""
    fabric = build([kind], nodes_wanted=1)
    (router,), (node,) = fabric.routers, fabric.nodes
    before = router.routes().keys()
    (text,) = repository.blocks(repository.ROOT / "docs/explanation/security.md", "bird")
    config = fabric.directory / "rogue.conf"
    config.write_text(text.replace(ROGUE_ON_THE_PAGE, node.address))
    socket = str(fabric.directory / "rogue.ctl")

    node.namespace.start(
        ["bird", "-f", "-c", str(config), "-s", socket], log=fabric.directory / "rogue.log"
    )

    waiting.until(
        lambda: addresses.SERVICES in router.routes(), f"{router.kind} takes the service range"
    )
    # One session, one table: what was refused came before, or with it.
    assert router.routes().keys() - before == {addresses.SERVICES}


def test_a_pod_can_speak_bgp_as_its_node_unless_the_router_wants_a_password(
    build: topology.Factory,
) -> None:
    """Why the page says: use a password. Masquerading gives every pod its node's address."""
    open_bed = build([frr.Frr], nodes_wanted=1)
    _speak_from_the_pod(open_bed)
    waiting.until_equal(
        {open_bed.nodes[0].address: "Established"},
        open_bed.routers[0].sessions,
        "the session of a pod in its node's name",
    )

    guarded = build([frr.Frr], nodes_wanted=1, password="shared")
    _speak_from_the_pod(guarded, 'password "shared";')
    router = guarded.routers[0]
    # It signs its own address, and comes from the node's: the password that it knows is no use.
    waiting.until(
        lambda: "TcpExtTCPMD5Failure 0" not in _counters(router.namespace),
        "the router's kernel drops what the pod signs",
    )
    assert router.sessions() == {}


def _speak_from_the_pod(fabric: topology.Fabric, option: str = "") -> None:
    """Let a node's pod dial the router, behind the rule that network plugins write."""
    node = fabric.nodes[0]
    rule = f"POSTROUTING -s {addresses.PODS} ! -d {addresses.PODS} -j MASQUERADE"
    node.namespace.run("iptables", "-t", "nat", "-A", *rule.split())
    config = fabric.directory / "pod.conf"
    config.write_text(
        f"""
router id {node.pod_ip};
protocol device {{ }}
protocol bgp tor {{
  local {node.pod_ip} as {addresses.NODE_ASN};
  neighbor {fabric.routers[0].address} as {addresses.ROUTER_ASN};
  multihop;
  connect delay time 1;
  {option}
  ipv4 {{ import none; export none; }};
}}
"""
    )
    socket = str(fabric.directory / "pod.ctl")
    node.pod.start(
        ["bird", "-f", "-c", str(config), "-s", socket], log=fabric.directory / "pod.log"
    )


def _counters(namespace: namespaces.Namespace) -> str:
    return " ".join(namespace.run("nstat", "-azs", "TcpExtTCPMD5Failure").split())


def test_company_resolvers_find_services_as_the_page_says(build: topology.Factory) -> None:
    """The static route is what our program announces; no more of BGP is needed here."""
    fabric = build([bird.Bird], nodes_wanted=1)
    fabric.routers[0].namespace.ip(f"route add {addresses.SERVICES} via {fabric.nodes[0].address}")
    (unbound,) = repository.blocks(repository.ROOT / "docs/how-to/dns.md", "unbound")
    (dnsmasq,) = repository.blocks(repository.ROOT / "docs/how-to/dns.md", "dnsmasq")
    (named,) = repository.blocks(repository.ROOT / "docs/how-to/dns.md", "named")
    folder = str(fabric.directory)
    files = {
        "unbound.conf": UNBOUND + unbound,
        "dnsmasq.conf": dnsmasq,
        "named.conf": named.rstrip().removesuffix("};") + BIND.replace("DIRECTORY", folder),
    }
    for name, text in files.items():
        assert DNS_ON_THE_PAGE in text
        (fabric.directory / name).write_text(text.replace(DNS_ON_THE_PAGE, addresses.DNS))
    log = fabric.directory / "resolvers.log"
    fabric.client.start(["unbound", "-c", str(fabric.directory / "unbound.conf")], log=log)
    conf_file = f"--conf-file={fabric.directory / 'dnsmasq.conf'}"
    fabric.client.start([*shlex.split(DNSMASQ), conf_file], log=log)
    fabric.client.start(
        ["named", "-g", "-n", "1", "-c", str(fabric.directory / "named.conf")], log=log
    )

    for port in (UNBOUND_PORT, DNSMASQ_PORT, BIND_PORT):
        waiting.until_equal(
            [addresses.MYSQL],
            lambda: fabric.client.inside(lambda: _ask(port)),  # noqa: B023 - called before the next
            f"the address of {addresses.MYSQL_NAME} from port {port}",
        )


@pytest.mark.parametrize("where", ["router", "node"])
def test_a_packet_filter_lets_in_what_the_page_lists_and_nothing_else(
    where: str, build: topology.Factory
) -> None:
    fabric = build([bird.Bird], nodes_wanted=1)
    (node,), (router,) = fabric.nodes, fabric.routers
    for each in (addresses.SERVICES, addresses.PODS):
        router.namespace.ip(f"route add {each} via {node.address}")
    page = repository.ROOT / "docs/explanation/clusterip.md"
    (script,) = [text for text in repository.blocks(page, "sh") if text.startswith("nft ")]
    for theirs, ours in ((DNS_ON_THE_PAGE, addresses.DNS), ("10.96.0.17", addresses.MYSQL)):
        assert theirs in script
        script = script.replace(theirs, ours)
    closed = (addresses.WEB, 80), (node.pod_ip, workload.WEB_PORT)
    opened = (addresses.MYSQL, 3306), (addresses.DNS, 53)
    before = fabric.client.inside(lambda: [_connects(*each) for each in closed + opened])
    assert before == 4 * [True]

    if where == "router":
        router.namespace.run("bash", "-ec", script)
    else:
        # What the page says to change for a node.
        script = script.replace("hook forward priority filter", "hook prerouting priority -110")
        script = re.sub(r"^( +)ip ", r"\1iif eth0 ip ", script, flags=re.MULTILINE)
        script = script.replace("reject with icmp admin-prohibited", "drop")
        node.namespace.run("bash", "-ec", script)

    assert fabric.client.inside(lambda: [_connects(*each) for each in opened]) == 2 * [True]
    assert fabric.client.inside(lambda: [_connects(*each) for each in closed]) == 2 * [False]
    if where == "node":
        assert node.pod.inside(lambda: _connects(addresses.WEB, 80))


def _connects(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=3).close()
    except OSError:
        return False
    return True


def _ask(port: int) -> list[str]:
    query = dns.message.make_query(addresses.MYSQL_NAME, "A")
    try:
        answer = dns.query.udp(query, COMPANY, port=port, timeout=2)
    except (OSError, dns.exception.DNSException):
        return []
    return [item.to_text() for rows in answer.answer for item in rows]
