"""What outlives the end of the agent's process: two files in the state directory.

What the API server said last is used for one case only: this container, or ExaBGP in it, starts
again while the API server is away. Without it the node would announce nothing until the API
server is back. While that answers, nothing is taken from here: a cordon may have come meanwhile.

What is in use is always taken: the addresses, labels and passwords that the sessions stand on
may be nowhere to be found when a process starts, and that says nothing against them.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from exabgp_k8s.core.facts import events, in_use, model
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.wire import in_use as in_use_text
from exabgp_k8s.wire import remembered

FILE_NAME = "node.last-seen.json"
IN_USE_FILE_NAME = "in-use.json"


class Memory:
    """The files of one node's memory."""

    def __init__(self, state_dir: Path, node_name: str) -> None:
        self._path, self._node_name = state_dir / FILE_NAME, node_name
        self._in_use_path = state_dir / IN_USE_FILE_NAME
        self._kept: tuple[model.NodeFacts | None, object] | None = None
        self._kept_in_use: in_use.InUse | None = None

    def note(self, world: World) -> None:
        """Keep what is news of what the API server says and of what is in use."""
        if world.node is None:
            return
        # A full disk costs the memory, which is needed only after a second fault.
        with contextlib.suppress(OSError):
            self._note_node(world)
        with contextlib.suppress(OSError):
            self._note_use(world)

    def _note_node(self, world: World) -> None:
        node = None if world.is_node_gone else world.node
        known = (node, world.service_cidrs)
        if world.is_node_remembered or known == self._kept:
            return
        self._kept = known
        if node is None:
            self._path.unlink(missing_ok=True)
            return
        _replace(self._path, remembered.dump(node, world.service_cidrs))

    def _note_use(self, world: World) -> None:
        if world.in_use == self._kept_in_use:
            return
        self._kept_in_use = world.in_use
        _replace(self._in_use_path, in_use_text.dump(world.in_use))

    def recall(self) -> events.Remembered | None:
        """Return what the API server said; None if there is nothing, or nothing to be used."""
        text = _read(self._path)
        return None if text is None else remembered.load(text, self._node_name)

    def recall_use(self) -> events.UseRecalled | None:
        """Return what was in use; None as with ``recall``."""
        text = _read(self._in_use_path)
        found = None if text is None else in_use_text.load(text)
        return None if found is None else events.UseRecalled(in_use=found)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _replace(path: Path, text: str) -> None:
    """Replace a file in one step by one that only we can read: it may hold passwords."""
    candidate = path.with_suffix(".new")
    descriptor = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
    candidate.replace(path)
