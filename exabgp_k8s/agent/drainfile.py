"""A drain that an operator asked for, as a file: it outlives this process and the container.

Where it cannot be written or removed the drain is in force all the same, for this agent.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog

from exabgp_k8s.agent.options import DRAIN_FILE

log = structlog.get_logger()


class DrainFile:
    """Its presence is the drain."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / DRAIN_FILE

    @property
    def is_there(self) -> bool:
        """Whether an earlier agent was asked for a drain."""
        return self._path.exists()

    def put(self) -> None:
        """Remember the drain."""
        self._change(self._path.touch)

    def remove(self) -> None:
        """Forget it."""
        self._change(lambda: self._path.unlink(missing_ok=True))

    def _change(self, change: Callable[[], object]) -> None:
        try:
            change()
        except OSError as error:
            effect = "in force, but an agent that starts anew will not know of it"
            log.error("drain.not_stored", why=str(error), effect=effect)  # noqa: TRY400
