"""``python -m exabgp_k8s.launcher server FILE``: ExaBGP, after all replacements.

What ``exabgp server FILE`` does, without its command line: that one would load every command.
``validate FILE`` likewise says what is wrong with a configuration; exit code 1 if anything is.
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


def validate(path: str) -> str | None:
    """Return what ExaBGP would find wrong with a configuration; nothing if it would take it."""
    from exabgp_k8s.launcher import logs, unused  # noqa: PLC0415

    unused.install()
    logs.install()
    from exabgp.configuration.configuration import Configuration  # noqa: PLC0415
    from exabgp.environment import getenv  # noqa: PLC0415
    from exabgp.logger import log  # noqa: PLC0415

    log.init(getenv())
    log.silence()
    found = Configuration([path])
    return None if found.reload() else f"{path}: {str(found.error).strip() or 'cannot be read'}"


if __name__ == "__main__":
    verb, file = sys.argv[1:]
    sys.exit(validate(file) if verb == "validate" else serve(file))
