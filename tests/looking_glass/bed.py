"""A looking glass as a process of its own, before an API server with nodes of any number."""

from __future__ import annotations

import contextlib
import copy
import email.message
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from exabgp_k8s.looking_glass import picture
from exabgp_k8s.tryout.kubeapi import api, apiserver, store
from tests.cluster import samples
from tests.looking_glass import answers
from tests.support import kubeapi, ports

LIMIT = 120.0
"""Seconds; for a machine that is busy, not a promise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """A running looking glass and the API server that it watches."""

    server: kubeapi.KubeApi
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> answers.Answer:
        """Return what is answered; status 0: nobody answers."""
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                return answers.Answer(
                    status=answer.status, headers=answer.headers, body=answer.read()
                )
        except urllib.error.HTTPError as error:
            # It is the response too, with its connection.
            with error:
                return answers.Answer(status=error.code, headers=error.headers, body=error.read())
        except OSError:
            return answers.Answer(status=0, headers=email.message.Message(), body=b"")

    def publish(self, speaker: Mapping[str, Any]) -> None:
        """Write the object of a node as its agent would."""
        put(self.server, api.BGP_SPEAKERS, speaker)

    def update(self, name: str, **status: Any) -> None:
        """Change some of the status of a node's object."""
        with self.server.store.changed:
            held = self.server.store.get(api.BGP_SPEAKERS, store.Scope(name=name))
            held["status"] |= status
            self.server.store.replace(api.BGP_SPEAKERS, store.Scope(name=name), held)

    def node_is(self, name: str, **node: Any) -> None:
        """Change how a Node is."""
        put(self.server, api.NODES, samples.node(name, **node))

    @property
    def memory(self) -> float:
        """What the process holds for itself, in MiB."""
        found: float = psutil.Process(self.process.pid).memory_full_info().uss / 2**20
        return found


def put(server: kubeapi.KubeApi, collection: store.Collection, item: Mapping[str, Any]) -> None:
    """Create an object, or replace the one of its name."""
    scope = store.Scope(name=item["metadata"]["name"])
    with server.store.changed:
        found, _ = server.store.find(collection, scope)
        if found:
            server.store.replace(collection, scope, copy.deepcopy(dict(item)))
        else:
            server.store.create(collection, copy.deepcopy(dict(item)))


@contextlib.contextmanager
def glass(folder: Path, nodes: list[Any], speakers: list[Any]) -> Iterator[Glass]:
    """Run a looking glass that shows these objects; yield it when it does."""
    with kubeapi.KubeApi(nodes=nodes) as server:
        for each in speakers:
            server.store.create(api.BGP_SPEAKERS, copy.deepcopy(each))
        config = folder / "kubeconfig"
        config.write_text(apiserver.kubeconfig(server))
        port = ports.claim()
        command = [
            *(sys.executable, "-m", "exabgp_k8s", "looking-glass", "--log-format", "text"),
            *("--listen", f"127.0.0.1:{port}", "--kubeconfig", str(config)),
        ]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stderr=log, stdout=log)
        found = Glass(server=server, port=port, process=process)
        try:
            kubeapi.until(lambda: found.ask("/readyz").status == 200, LIMIT)
            yield found
        finally:
            process.terminate()
            process.wait(LIMIT)


def now() -> str:
    """Return the present moment as an agent writes it."""
    return picture.moment(time.time())


def five() -> tuple[list[Any], list[Any]]:
    """Return five nodes with one fault each, but for the first; all are heard of."""
    nodes, speakers = samples.five()
    return nodes, heard(speakers)


def heard(speakers: list[Any]) -> list[Any]:
    """Return objects that their agents have just written."""
    for each in speakers:
        each["status"]["lastContact"] = now()
    return speakers


def many(count: int, routers: int = 2) -> tuple[list[Any], list[Any]]:
    """Return a cluster of racks with two routers each, one node in twenty with a fault."""
    kinds = [samples.cordoned, samples.failing, samples.refused, samples.stale]
    nodes, speakers = [], []
    for number in range(1, count + 1):
        is_odd = number % 20 == 0
        kind = kinds[number // 20 % len(kinds)] if is_odd else samples.well
        nodes.append(samples.node(f"n{number}", is_cordoned=kind is samples.cordoned))
        speakers.append(_in_rack(kind(number), number, number * routers // (2 * count + 1)))
    return nodes, heard(speakers)


def _in_rack(speaker: dict[str, Any], number: int, rack: int) -> dict[str, Any]:
    """Return the object with the routers of a rack, and a pod range of its own."""
    text = json.dumps(speaker)
    text = text.replace(f"10.244.{number}.0/24", f"10.{number // 256 + 100}.{number % 256}.0/24")
    for name in samples.TORS:
        text = text.replace(f'"{name}"', f'"{name}{rack}"')
    found: dict[str, Any] = json.loads(text)
    return found
