"""The tutorial from its third step on, in namespaces in place of containers.

What stands between the commands of the page and this test is ``docker`` and ``kind``: a command
that the page runs in a container runs in the namespace of the same host here, and addresses and
names are put into those of the bed and back. The router's file, the settings and what the page
shows of outputs are the page's own.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

import pytest
import yaml

from tests.architecture import repository
from tests.fabric import addresses, cluster, frr, traffic, tutorial, waiting

pytestmark = pytest.mark.fabric

IN_THE_BED = {
    "172.18.0.200": "192.0.2.1",
    "172.18.0.0/16": "192.0.2.0/24",
    "172.18.0.2": "192.0.2.11",
    "172.18.0.3": "192.0.2.12",
    "172.18.0.4": "192.0.2.13",
    "10.244.0.0/24": "10.244.1.0/24",
    "10.244.1.0/24": "10.244.2.0/24",
    "10.244.2.0/24": "10.244.3.0/24",
    "tutorial-control-plane": "n1",
    "tutorial-worker2": "n3",
    "tutorial-worker": "n2",
}
VARYING = re.compile(r"\b\d\d:\d\d:\d\d\b|\bnhid \d+")
"""Times, and the kernel's numbers of groups."""


def _said_in(words: Mapping[str, str], text: str) -> str:
    """Return a text with each word of one place in those of the other."""
    longest_first = sorted(words, key=len, reverse=True)
    pattern = "|".join(rf"(?<![\w.]){re.escape(word)}(?![\w.])" for word in longest_first)
    return re.sub(pattern, lambda found: words[found.group()], text)


def _as_on_the_page(text: str) -> list[str]:
    back = {ours: theirs for theirs, ours in IN_THE_BED.items()}
    return _lines(_said_in(back, text))


def _lines(text: str) -> list[str]:
    """Return its lines without what varies; the width of a column does."""
    return [" ".join(VARYING.sub("...", line).split()) for line in text.splitlines()]


def _words(lines: list[str]) -> list[str]:
    """Return the words of some lines: next hops are in the order in which nodes came."""
    return sorted(" ".join(lines).split())


def _routes(said: list[str]) -> list[str]:
    """Return the lines of zebra's table that are in the kernel, and their further next hops."""
    return [line for line in said if line.startswith(("B>*", "* via"))]


def _run_in_the_router(formed: cluster.Cluster, command: str) -> str:
    router = formed.fabric.routers[0]
    docker, execute, host, program, *arguments = shlex.split(command)
    assert (docker, execute, host) == ("docker", "exec", "router")
    where = ["--vty_socket", str(router.directory)] if program == "vtysh" else []
    return router.namespace.run(program, *where, *arguments)


def test_the_tutorial_ends_as_it_says(form: cluster.Factory) -> None:
    commands = [
        line
        for block in repository.blocks(tutorial.PAGE, "sh")
        for line in block.replace("\\\n", " ").splitlines()
    ]
    shown = repository.blocks(tutorial.PAGE, "text")
    formed = form([frr.Frr])
    router, node = formed.fabric.routers[0], formed.fabric.node("n2")
    assert _said_in(IN_THE_BED, tutorial.router()) == router.example()
    (settings,) = (
        text for text in repository.blocks(tutorial.PAGE, "yaml") if text.startswith("bgp:")
    )
    formed.write(yaml.safe_load(_said_in(IN_THE_BED, settings)))
    for each in formed.fabric.nodes:
        # As kind makes them by default: without IPv6.
        formed.api.patch_node(each.name, {"spec": {"podCIDRs": [each.pod_cidr]}})
        formed.agents[each.name].start()
    _until_next_hops(formed, "n1", "n2", "n3")
    waiting.until(
        lambda: {each.pod_cidr for each in formed.fabric.nodes} <= router.routes().keys(),
        "every pod range",
    )

    (look,) = (line for line in commands if "show ip route bgp" in line)
    (expected,) = (text for text in shown if text.startswith("B>*"))
    # The kernel has them a moment before zebra knows that it has.
    waiting.until_equal(
        _words(_lines(expected)),
        lambda: _words(_routes(_as_on_the_page(_run_in_the_router(formed, look)))),
        "what the page shows of the routes",
    )

    (status,) = (text for text in shown if text.startswith("node "))
    waiting.until_equal(
        _lines(status),
        lambda: _as_on_the_page(formed.agents[node.name].run_cli("status").stdout),
        "what the page shows of the status",
    )

    with traffic.Traffic(formed.fabric.client, addresses.WEB, 80) as flow:
        formed.api.cordon("n3")
        _until_next_hops(formed, "n1", "n2")
        look, *_ = (line for line in commands if "ip route show" in line)
        said = _as_on_the_page(_run_in_the_router(formed, look))
        (expected,) = (text for text in shown if text.startswith(f"{addresses.SERVICES} nhid"))
        assert _words(_lines(expected)) == _words(said)
        formed.reboot("n3")
        formed.api.cordon("n3", is_cordoned=False)
        _until_next_hops(formed, "n1", "n2", "n3")
    assert flow.report.failed == (), str(flow.report)


def _until_next_hops(formed: cluster.Cluster, *names: str) -> None:
    waiting.until_equal(
        {formed.fabric.node(name).address for name in names},
        lambda: set(formed.fabric.routers[0].nexthops(addresses.SERVICES)),
        "the next hops of the service range",
        limit=cluster.START_LIMIT,
    )
