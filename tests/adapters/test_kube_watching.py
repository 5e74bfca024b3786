"""A watch knows nothing of what it watches: whatever is listed and changed reaches its reader."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import client, limits, watching
from exabgp_k8s.tryout.kubeapi import api, apiserver
from exabgp_k8s.wire import kube
from tests.adapters import reflecting
from tests.support import kubeapi

LEASES = "/apis/coordination.k8s.io/v1/namespaces/exabgp-k8s/leases"


class Reader:
    """Keeps the names that are there."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.losses: list[str] = []

    def contact(self) -> None:
        pass

    def listed(self, items: list[Any]) -> None:
        self.names = {item["metadata"]["name"] for item in items}

    def changed(self, line: kube.WatchLine) -> bool:
        name = line.object["metadata"]["name"]
        self.names = self.names - {name}
        if line.type is not kube.LineType.DELETED:
            self.names |= {name}
        return True

    def lost(self, error: errors.KubeError) -> None:
        assert not error.lack
        self.losses.append(str(error))

    def look_beside(self) -> None:
        pass


@contextlib.contextmanager
def watched(server: kubeapi.KubeApi, folder: pathlib.Path, page: int = 0) -> Iterator[Reader]:
    """Watch all Leases of a namespace."""
    path = folder / "kubeconfig"
    path.write_text(apiserver.kubeconfig(server))
    reader = Reader()
    selection = watching.Selection(
        path=LEASES, query={}, thread="test", about="the Leases", page=page
    )
    watch = watching.Watch(
        client.Client(client.Access(kubeconfig=path)), selection, reader, reflecting.QUICK
    )
    watch.start()
    try:
        yield reader
    finally:
        watch.stop()
    kubeapi.until(lambda: not watch.is_alive)


def write(server: kubeapi.KubeApi, name: str, **spec: str) -> None:
    """Create a Lease."""
    collection = api.find_collection("coordination.k8s.io/v1", "leases")
    server.store.create(collection, {"metadata": {"name": name}, "spec": spec}, "exabgp-k8s")


def test_objects_that_are_there_or_come_are_shown(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    write(server, "first")
    with watched(server, tmp_path) as reader:
        kubeapi.until(lambda: reader.names == {"first"})
        write(server, "second")
        kubeapi.until(lambda: reader.names == {"first", "second"})
    assert not reader.losses


def test_what_changed_while_nobody_answered_is_shown_afterwards(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    write(server, "first")
    with watched(server, tmp_path) as reader:
        kubeapi.until(lambda: reader.names == {"first"})
        server.kill()
        kubeapi.until(lambda: bool(reader.losses))
        write(server, "second")
        server.restart()
        kubeapi.until(lambda: reader.names == {"first", "second"})


def test_a_page_that_is_larger_than_we_read_is_asked_for_in_parts(
    server: kubeapi.KubeApi, tmp_path: pathlib.Path
) -> None:
    names = {f"n{number}" for number in range(8)}
    for name in names:
        write(server, name, holderIdentity="x" * (limits.LARGEST // 3))
    with watched(server, tmp_path, page=8) as reader:
        kubeapi.until(lambda: reader.names == names)
    assert not reader.losses
