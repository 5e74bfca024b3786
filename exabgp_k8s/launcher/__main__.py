"""``python -m exabgp_k8s.launcher``: ExaBGP's own command line, after all replacements."""

from __future__ import annotations

import sys

from exabgp_k8s.launcher import clock, descriptors, redial, reloads, steps


def main() -> int | None:
    """Run ExaBGP's own command line in this process."""
    # First: nothing of ExaBGP may have kept the other clock.
    clock.install()
    for replaced in (redial, reloads, descriptors, steps):
        replaced.install()
    from exabgp.application import main as exabgp  # noqa: PLC0415 - see above

    code: int | None = exabgp.main()
    return code


if __name__ == "__main__":
    sys.exit(main())
