"""What the routers are to read when our sessions end, written down before that is under way."""

from __future__ import annotations

import structlog

from exabgp_k8s import parting
from exabgp_k8s.agent.options import Options
from exabgp_k8s.core.facts.world import World
from exabgp_k8s.core.report import ending

log = structlog.get_logger()


class LastWords:
    """The file that the launcher reads when ExaBGP is told to end."""

    def __init__(self, options: Options) -> None:
        self._directory, self._node = options.state_dir, options.node
        self._written: tuple[str, tuple[str, ...]] | None = None

    def note(self, world: World) -> None:
        """Write what is news; as long as no end is in sight there is nothing to say."""
        causes = ending.causes(world)
        if not causes:
            return
        silent = tuple(sorted(str(peer) for peer in ending.silent(world)))
        words = (parting.compose(self._node, causes), silent)
        if words == self._written:
            return
        self._written = words
        try:
            parting.write(self._directory, *words)
        except OSError as error:
            effect = "the routers see the sessions close without a word"
            log.warning("parting.not_written", why=str(error), effect=effect)
