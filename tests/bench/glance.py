"""``python -m tests.bench.glance``: one look at a cluster of 2,000 nodes, in time and memory.

Each Node is as large as a kubelet makes it, with its images, and each BGPSpeaker has eight
sessions and eight prefixes. The server has every object as bytes beforehand: its work is no part
of the figures; the command is a process of its own each time, its start included.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.server
import json
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from multiprocessing.connection import Connection
from typing import Any

import yaml

from exabgp_k8s.tryout.kubeapi import nodes

EACH = 8
"""Sessions and prefixes of a node."""
COMMANDS = (("nodes",), ("peers",), ("routes",), ("nodes", "-o", "json"), ("why", "n7"))
ROUNDS = 5
BUDGET_SECONDS, BUDGET_MIB = 2.0, 150


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    mine, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=_serve, args=(options.nodes, theirs), daemon=True)
    server.start()
    port, size = mine.recv()
    print(f"{options.nodes} nodes, {size / 2**20:.0f} MiB of JSON, {options.rounds} rounds")
    print("command              median s   slowest s   CPU s, median   most MiB")
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = pathlib.Path(folder, "kubeconfig")
        kubeconfig.write_text(yaml.safe_dump(_kubeconfig(port)))
        for command in COMMANDS:
            samples = [_run(command, kubeconfig) for _ in range(options.rounds)]
            seconds, cpu, memory = zip(*samples, strict=True)
            print(
                f"{' '.join(command):20} {statistics.median(seconds):8.2f} {max(seconds):11.2f}"
                f" {statistics.median(cpu):15.2f} {max(memory):10.0f}"
            )
    print(f"budget               {BUDGET_SECONDS:8.2f} {'':27} {BUDGET_MIB:10}")
    server.terminate()
    return 0


def _run(command: tuple[str, ...], kubeconfig: pathlib.Path) -> tuple[float, float, float]:
    """Return a command's seconds, those of them on a CPU, and the most MiB that it had."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "exabgp_k8s", "cluster", *command, "--kubeconfig", kubeconfig],
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in {0, 1}
    seconds = time.monotonic() - began
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def _kubeconfig(port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }


# -- the server ---------------------------------------------------------------------------------


def _serve(count: int, tell: Connection) -> None:
    objects = {
        "nodes": [json.dumps(_node(number)).encode() for number in range(1, count + 1)],
        "bgpspeakers": [json.dumps(_speaker(number)).encode() for number in range(1, count + 1)],
    }

    class Answers(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(asked.query))
            collection, _, name = asked.path.rpartition("/")
            plural = asked.path.rpartition("/")[2]
            if plural in objects:
                body = _page(objects[plural], int(query["limit"]), int(query.get("continue", 0)))
            else:
                body = objects[collection.rpartition("/")[2]][int(name.removeprefix("n")) - 1]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """A command that ends resets its connection."""

    server = Server(("127.0.0.1", 0), Answers)
    tell.send((server.server_port, sum(map(len, [*objects["nodes"], *objects["bgpspeakers"]]))))
    server.serve_forever()


def _page(items: list[bytes], limit: int, start: int) -> bytes:
    rest = str(start + limit) if start + limit < len(items) else ""
    says = json.dumps({"resourceVersion": "7", "continue": rest}).encode()
    return b'{"metadata":%s,"items":[%s]}' % (says, b",".join(items[start : start + limit]))


def _node(number: int) -> dict[str, Any]:
    return nodes.node_object(f"n{number}", pod_cidrs=[f"10.{number // 250}.{number % 250}.0/24"])


def _speaker(number: int) -> dict[str, Any]:
    """Return an object of nearly 8 KiB; one node of ten is cordoned."""
    since = "2026-01-01T00:00:00Z"
    peers = [f"rack-{number // 40}-tor-{each}" for each in range(EACH)]
    reasons = [{"reason": "cordoned", "since": since}] if number % 10 == 0 else []
    word = "withheld" if reasons else "announced"
    summary: dict[str, Any] = {"sessions": f"{EACH}/{EACH}", "services": word, "pods": word}
    summary |= {"reason": "cordoned", "since": since} if reasons else {}
    return {
        "metadata": {"name": f"n{number}", "labels": {"app.kubernetes.io/name": "exabgp-k8s"}},
        "status": {
            "phase": "serving",
            "summary": summary,
            "sessions": [
                {
                    "peer": peer, "address": f"192.0.2.{place}", "localAddress": "192.0.2.100",
                    "localASN": 64512, "peerASN": 64513, "state": "Established", "since": since,
                    "lastError": "notification 6/2 (administrative shutdown): maintenance of rack",
                    "lastErrorTime": since, "families": ["ipv4", "ipv6"],
                    "gracefulRestart": True, "prefixesSent": EACH,
                }
                for place, peer in enumerate(peers, 1)
            ],
            "prefixes": [
                {
                    "prefix": f"10.{96 + place}.0.0/16" if place < EACH - 1
                    else f"10.{number // 250}.{number % 250}.0/24",
                    "class": "services" if place < EACH - 1 else "pods",
                    "state": word, "sent": 0 if reasons else EACH, "meant": EACH,
                    "sentTo": [] if reasons else peers, "since": since, "reasons": reasons,
                }
                for place in range(EACH)
            ],
            "settings": {"digest": "0123456789abcdef", "stale": False, "problems": []},
            "version": "0.1.0",
            "lastContact": dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
