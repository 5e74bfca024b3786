"""``python -m exabgp_k8s.launcher server FILE``: ExaBGP, after all replacements.

What ``exabgp server FILE`` does, without its command line: that one would load every command.
"""

from __future__ import annotations

import sys

from exabgp_k8s.launcher import (
    clock,
    closing,
    confirmation,
    descriptors,
    ends,
    families,
    headers,
    logs,
    markers,
    redial,
    refreshes,
    reloads,
    steps,
    unused,
    updates,
)

REPLACED = (
    # First: nothing of ExaBGP may have kept the other clock, or be loaded already.
    clock,
    unused,
    logs,
    ends,
    redial,
    closing,
    reloads,
    descriptors,
    steps,
    markers,
    refreshes,
    updates,
    families,
    confirmation,
    headers,
)


def main(path: str) -> int:
    """Run ExaBGP in this process, by this configuration."""
    for replaced in REPLACED:
        replaced.install()
    from exabgp.configuration.configuration import Configuration  # noqa: PLC0415 - see above
    from exabgp.environment import getenv  # noqa: PLC0415
    from exabgp.logger import log  # noqa: PLC0415
    from exabgp.reactor.loop import Reactor  # noqa: PLC0415

    log.init(getenv())
    code: int = Reactor(Configuration([path])).run()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[-1]))
