"""``python -m exabgp_k8s.launcher server FILE``: ExaBGP, after all replacements.

What ``exabgp server FILE`` does, without its command line: that one would load every command.
"""

from __future__ import annotations

import sys

from exabgp_k8s.launcher import headstart


def serve(path: str) -> int:
    """Run ExaBGP in this process, by this configuration."""
    headstart.STARTER.begin(path)
    # Now, while the agent is loaded on another core.
    from exabgp_k8s.launcher import replacements  # noqa: PLC0415

    replacements.install()
    from exabgp.configuration.configuration import Configuration  # noqa: PLC0415
    from exabgp.environment import getenv  # noqa: PLC0415
    from exabgp.logger import log  # noqa: PLC0415
    from exabgp.reactor.loop import Reactor  # noqa: PLC0415

    log.init(getenv())
    code: int = Reactor(Configuration([path])).run()
    return code


if __name__ == "__main__":
    sys.exit(serve(sys.argv[-1]))
