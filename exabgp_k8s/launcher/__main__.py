"""``python -m exabgp_k8s.launcher``: ExaBGP's own command line, after all replacements."""

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
    updates,
)

REPLACED = (
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


def main() -> int | None:
    """Run ExaBGP's own command line in this process."""
    # First: nothing of ExaBGP may have kept the other clock.
    clock.install()
    for replaced in REPLACED:
        replaced.install()
    from exabgp.application import main as exabgp  # noqa: PLC0415 - see above

    code: int | None = exabgp.main()
    return code


if __name__ == "__main__":
    sys.exit(main())
