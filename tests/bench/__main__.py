"""``python -m tests.bench``: measure, print the tables, write JSON if asked to.

Nothing here passes or fails by a figure: machines differ and are busy. The exit code is 0 unless
something did not work at all.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import pathlib
import shutil
import ssl
import sys
import tempfile

import trustme

from exabgp_k8s.tryout.kubeapi import apiserver
from tests.bench import BenchError, floors, idle, peer, program, report, starts
from tests.bench.rounds import Rounds
from tests.bench.samples import Series

FLOOR_PEERS = ("127.0.0.31", "127.0.0.32")
PEERS = ("127.0.0.41", "127.0.0.42")
LEFT_PEERS = ("127.0.0.51", "127.0.0.52", "127.0.0.53")
"""Of another Node; the last one leaves."""
PEER_ASN = 64513
MEMORY = pathlib.Path("/dev/shm")
"""A state directory is in memory, as the DaemonSet has it: on a disk each change of the Node waits
for it now and then, and the next one behind it."""


def main() -> int:
    """Run the bench."""
    options = _options()
    # Kept when something fails: the logs in it are what one needs then.
    folder = pathlib.Path(
        tempfile.mkdtemp(prefix="bench-", dir=MEMORY if MEMORY.is_dir() else None)
    )
    try:
        series, rows = _measure(options, folder)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    print(report.text(series, rows))
    if options.json:
        document = report.document(series, rows)
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--samples", type=int, default=100, help="of each latency")
    parser.add_argument("--idle", type=float, default=30, metavar="SECONDS", help="of observation")
    parser.add_argument("--starts", type=int, default=10, help="of a whole node")
    parser.add_argument("--check", default="200ms", metavar="DURATION", help="from run to run")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write everything here")
    parser.add_argument(
        "--python",
        default=sys.executable,
        metavar="PATH",
        help="the interpreter of an environment with only what users install; default: this one",
    )
    return parser.parse_args()


def _measure(
    options: argparse.Namespace, folder: pathlib.Path
) -> tuple[list[Series], list[report.Row]]:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(_server())
        peers = [stack.enter_context(peer.Peer(address, PEER_ASN)) for address in PEERS]
        service = stack.enter_context(program.Service())

        def measured(name: str, interval: str) -> program.Program:
            own = folder / name
            own.mkdir()
            return program.Program(
                python=options.python,
                server=server,
                peers=peers,
                service=service,
                folder=own,
                interval=interval,
            )

        floor_peers = [
            stack.enter_context(peer.Peer(address, PEER_ASN)) for address in FLOOR_PEERS
        ]
        announcer = floors.Announcer(options.python, floor_peers, folder)
        with announcer.running() as bare, measured("idle", "1s").running() as running:
            rows = idle.measure(running, server, options.idle, bare.pid)
        started = starts.measure(
            options.starts, announcer, lambda number: measured(f"start-{number}", "1s")
        )
        watch = floors.Watch(options.python, server, folder)
        speaker = floors.Speaker(options.python, floor_peers, folder)
        rounds = Rounds(
            stack.enter_context(watch.running()),
            stack.enter_context(speaker.running()),
            stack.enter_context(measured("rounds", options.check).running()),
            stack.enter_context(_left(stack, options.python, server, folder).running()),
        )
        rounds.run(options.samples)
    series = [*rounds.series, *started.series]
    return series, [*report.ratios(rounds), *started.rows(), *rows]


def _left(
    stack: contextlib.ExitStack, python: str, server: apiserver.ApiServer, folder: pathlib.Path
) -> program.Program:
    """Return a program on a Node of its own, of whose three routers one goes away."""
    *peers, leaves = (stack.enter_context(peer.Peer(each, PEER_ASN)) for each in LEFT_PEERS)
    own = folder / "left"
    own.mkdir()
    return program.Program(
        python=python,
        server=server,
        peers=peers,
        service=stack.enter_context(program.Service()),
        folder=own,
        interval="1s",
        node=program.LEFT_NODE,
        leaves=leaves,
    )


def _server() -> apiserver.ApiServer:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return apiserver.ApiServer(
        nodes=[
            apiserver.node_object(program.NODE, [program.ADDRESS], [program.PODS]),
            apiserver.node_object(program.LEFT_NODE, [program.ADDRESS], [program.PODS]),
            apiserver.node_object(floors.NODE, [floors.ADDRESS], ["10.244.2.0/24"]),
        ],
        token="bench" * 8,
        context=context,
        ca=authority.cert_pem.bytes(),
    )


if __name__ == "__main__":
    sys.exit(main())
