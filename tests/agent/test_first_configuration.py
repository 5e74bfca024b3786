"""What the agent does while ExaBGP starts: all that can be done without it."""

from __future__ import annotations

import asyncio
import ipaddress
import select
import socket
from pathlib import Path

from exabgp_k8s import candidate, chain
from exabgp_k8s.adapters import heartbeat
from exabgp_k8s.core.facts import config, events, model
from exabgp_k8s.wire import daemon_conf
from tests.agent import exchange
from tests.support import lab

ROUTER, LOCAL = ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("127.0.0.11")
SETTINGS = config.Config(
    asn=64512,
    peers=(config.Peer(name="router", address=ROUTER, asn=64513, local_asn=64512),),
)
NODE = model.NodeFacts(name="n1", uid="5b0f", internal_ips=(LOCAL,))


def test_exabgps_first_configuration_has_its_neighbors_before_exabgp_is_there(
    tmp_path: Path,
) -> None:
    path = tmp_path / chain.CONFIGURATION
    path.write_text(daemon_conf.render((), chain.AGENT))

    async def scenario() -> None:
        async with exchange.running(tmp_path) as (between, task):
            between.agent.inbox.put(events.ConfigLoaded(config=SETTINGS, passwords={}))
            between.agent.inbox.put(events.NodeSeen(node=NODE))

            await asyncio.to_thread(lab.until, lambda: candidate.is_waiting(path))
            # ExaBGP takes it, says its first word, and only now is anything asked.
            candidate.take(path)
            between.answer(exchange.FIRST_WORD)
            assert await between.question() == b"show neighbor json\n"
            assert not task.done()

    asyncio.run(scenario())
    assert f"neighbor {ROUTER} {{" in path.read_text()


def test_neighbors_of_before_are_asked_for_before_anything_is_changed(tmp_path: Path) -> None:
    """An earlier agent's: what ends of them is withdrawn first."""
    path = tmp_path / chain.CONFIGURATION
    path.write_text("# neighbors of an earlier agent\n")

    async def scenario() -> None:
        async with exchange.running(tmp_path) as (between, _):
            between.agent.inbox.put(events.ConfigLoaded(config=SETTINGS, passwords={}))
            between.agent.inbox.put(events.NodeSeen(node=NODE))
            await between.agent.inbox.caught_up()
            between.answer(exchange.FIRST_WORD)

            assert await between.question() == b"show neighbor json\n"
            assert not candidate.is_waiting(path)

    asyncio.run(scenario())


def test_nothing_is_asked_and_no_life_is_told_of_before_exabgp_is_there(tmp_path: Path) -> None:
    """The time that ExaBGP takes to start is no answer that does not come."""

    async def scenario(supervisor: socket.socket) -> None:
        async with exchange.running(tmp_path) as (between, _):
            between.agent.inbox.put(events.ConfigLoaded(config=SETTINGS, passwords={}))
            between.agent.inbox.put(events.NodeSeen(node=NODE))
            await between.agent.inbox.caught_up()
            assert not between.is_asked()
            assert not select.select([supervisor], [], [], 0)[0]

            between.answer(exchange.FIRST_WORD)
            assert await between.question() == b"show neighbor json\n"
            await asyncio.to_thread(supervisor.recv, 64)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / heartbeat.SOCKET_NAME))
        asyncio.run(scenario(supervisor))
