"""A run of a check that says nothing about the node is not counted, and said to be so."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from exabgp_k8s.adapters.checks import runner
from exabgp_k8s.core.facts import config, events
from tests.adapters import probes
from tests.support import descriptors

TIMEOUT = 0.3
LOOPBACK = ipaddress.IPv4Address("127.0.0.1")


@contextlib.contextmanager
def answering_late(by: float) -> Iterator[int]:
    """Serve HTTP from a thread, each answer so many seconds after its request."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                threading.Thread(target=answer, args=(client,)).start()

    def answer(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.recv(4096)
            is_over.wait(by)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    is_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            is_over.set()
            listening.shutdown(socket.SHUT_RDWR)
    thread.join()


async def _stand_still(seconds: float, times: int) -> None:
    """Take the CPU from the loop, again and again."""
    for _ in range(times):
        await asyncio.sleep(0.01)
        time.sleep(seconds)  # noqa: ASYNC251 - the fault itself


async def _delivered(
    check: config.Check, count: int, *, still: float, times: int, patience: float
) -> list[events.Event]:
    queue: asyncio.Queue[events.Event] = asyncio.Queue()
    running = runner.Runner(queue.put_nowait, patience)
    running.apply((check,))
    standing = asyncio.create_task(_stand_still(still, times))
    try:
        async with asyncio.timeout(60):
            return [await queue.get() for _ in range(count)]
    finally:
        standing.cancel()
        await running.close()


def _check(port: int, timeout: float = TIMEOUT) -> config.Check:
    probe = config.HttpProbe(url=f"http://127.0.0.1:{port}/")
    return config.Check(name="it", probe=probe, timeout=timeout, interval=0.01)


def test_a_probe_that_ran_out_while_the_loop_stood_still_is_repeated_and_not_counted() -> None:
    with answering_late(0.05) as port:
        found = asyncio.run(_delivered(_check(port, 0.5), 3, still=1.0, times=2, patience=600))
    assert not [each for each in found if isinstance(each, events.CheckOutcome) and not each.is_ok]
    missed = [each for each in found if isinstance(each, events.CheckMissed)]
    assert all(each.is_repeated and "stood still" in each.why for each in missed)
    assert missed


def test_an_agent_that_always_stands_still_judges_at_last_and_says_so() -> None:
    with answering_late(0.05) as port:
        found = asyncio.run(_delivered(_check(port, 0.1), 4, still=0.3, times=200, patience=0))
    failed = [each for each in found if isinstance(each, events.CheckOutcome) and not each.is_ok]
    assert failed
    assert "this agent stood still" in failed[0].message


def test_a_probe_without_an_answer_counts_when_the_loop_turned() -> None:
    """Repeated only where a busy machine made the loop itself late."""
    with answering_late(30) as port:
        message = asyncio.run(
            probes.outcome(config.HttpProbe(url=f"http://127.0.0.1:{port}/"), limit=TIMEOUT)
        )
    assert message == (False, f"no result within {TIMEOUT:g} s")


@pytest.mark.parametrize(
    "probe",
    [
        config.TcpProbe(host="127.0.0.1", port=1),
        config.HttpProbe(url="http://127.0.0.1:1/"),
        config.HttpProbe(url="http://localhost:1/"),
        config.HttpProbe(url="https://localhost:1/"),
        config.ExecProbe(command=("/bin/false",)),
        config.DnsProbe(server=LOOPBACK, port=1, name="a.example"),
        config.ProcessProbe(name="no-such-process"),
        config.InterfaceProbe(name="no-such-one"),
    ],
    ids=lambda probe: type(probe).__name__,
)
def test_a_check_that_we_have_no_descriptor_for_is_not_a_failed_one(probe: config.Probe) -> None:
    async def run() -> list[events.Event]:
        queue: asyncio.Queue[events.Event] = asyncio.Queue()
        running = runner.Runner(queue.put_nowait)
        running.apply(
            (config.Check(name="it", probe=probe, timeout=probes.PATIENCE, interval=0.01),)
        )
        try:
            # It has been prepared, and fails for what it is.
            assert isinstance(await queue.get(), events.CheckOutcome)
            with descriptors.used_up():
                while not queue.empty():
                    queue.get_nowait()
                await queue.get()
                found = [await queue.get() for _ in range(3)]
            while not isinstance(await queue.get(), events.CheckOutcome):
                pass
            return found
        finally:
            await running.close()

    for found in asyncio.run(run()):
        assert isinstance(found, events.CheckMissed)
        assert "too many open files" in found.why
        assert not found.is_repeated
