"""What the API server said last, kept over the end of the agent's process.

It is used for one case only: this container, or ExaBGP in it, starts again while the API server
is away. Without it the node would announce nothing until the API server is back. While that
answers, nothing is taken from here: a cordon may have come meanwhile.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from exabgp_k8s.core import events, model
from exabgp_k8s.core.world import World
from exabgp_k8s.wire import remembered

FILE_NAME = "node.last-seen.json"


class Memory:
    """The file of one node's memory."""

    def __init__(self, state_dir: Path, node_name: str) -> None:
        self._path, self._node_name = state_dir / FILE_NAME, node_name
        self._kept: tuple[model.NodeFacts | None, object] | None = None

    def note(self, world: World) -> None:
        """Keep what the world knows by the API server, if that is news."""
        node = None if world.is_node_gone else world.node
        known = (node, world.service_cidrs)
        if world.node is None or world.is_node_remembered or known == self._kept:
            return
        self._kept = known
        # A full disk costs the memory, which is needed only after a second fault.
        with contextlib.suppress(OSError):
            self._write(node, world.service_cidrs)

    def _write(
        self, node: model.NodeFacts | None, service_cidrs: tuple[model.Network, ...] | None
    ) -> None:
        if node is None:
            self._path.unlink(missing_ok=True)
            return
        candidate = self._path.with_suffix(".new")
        candidate.write_text(remembered.dump(node, service_cidrs), encoding="utf-8")
        candidate.replace(self._path)

    def recall(self) -> events.Remembered | None:
        """Return what was kept; None if there is nothing, or nothing that can be used."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None
        return remembered.load(text, self._node_name)
