"""The client's process: open new connections at a steady rate and record what became of each.

It runs in the client's namespace until SIGTERM and then writes one JSON list to ``--out``, an
entry for each connection: [start, end, outcome, node], times in seconds of CLOCK_MONOTONIC, which
is the same for every process of the machine. ``traffic`` starts it and reads the list.

The connections do not wait for each other: one that hangs does not slow the others down, as with
many clients.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import time
from pathlib import Path

DEADLINE = 4.0
"""After so many seconds a connection has failed; long enough for two retransmitted SYNs."""

Record = tuple[float, float, str, str]


async def main(options: argparse.Namespace) -> None:
    """Dial until SIGTERM, let the last connections end, and write the records."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    records: list[Record] = []
    pending: set[asyncio.Task[None]] = set()
    start = time.monotonic()
    count = 0
    while not stopped.is_set():
        task = asyncio.create_task(_attempt(options, records))
        pending.add(task)
        task.add_done_callback(pending.discard)
        count += 1
        await asyncio.sleep(start + count / options.rate - time.monotonic())
        if count == 1:
            options.out.with_suffix(".started").touch()
    if pending:
        await asyncio.wait(pending)
    options.out.write_text(json.dumps(records))


async def _attempt(options: argparse.Namespace, records: list[Record]) -> None:
    start = time.monotonic()
    node = ""
    try:
        async with asyncio.timeout(DEADLINE):
            address = await _resolve(options) if options.name else options.address
            node = await _converse(address, options.port, is_web=not options.name)
        outcome = "ok" if node else "empty"
    except TimeoutError:
        outcome = "timeout"
    except ConnectionRefusedError:
        outcome = "refused"
    except (ConnectionResetError, BrokenPipeError):
        # Only after the handshake: a SYN that is answered by a reset is "refused". The second is
        # Linux's word for a reset that comes after the server's own end of the connection.
        outcome = "moved"
    except OSError as error:
        outcome = str(error)
    records.append((start, time.monotonic(), outcome, node))


async def _converse(address: str, port: int, *, is_web: bool) -> str:
    """Return the name of the node that answered: the last line the server sends."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        if is_web:
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
        answer = await reader.read()
    finally:
        writer.close()
    lines = answer.decode().split()
    return lines[-1] if lines else ""


async def _resolve(options: argparse.Namespace) -> str:
    """Ask the DNS server given as address; one question, no second try."""
    import dns.asyncquery  # noqa: PLC0415 - only where names are resolved
    import dns.message  # noqa: PLC0415

    query = dns.message.make_query(options.name, "A")
    answer = await dns.asyncquery.udp(query, options.address)
    return str(answer.answer[0][0].address)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True, help="the service, or the DNS server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", default="", help="resolve this name first and dial the answer")
    parser.add_argument("--rate", type=float, required=True, help="new connections per second")
    parser.add_argument("--out", type=Path, required=True)
    asyncio.run(main(parser.parse_args()))
