"""``python -m exabgp_k8s`` and the ``exabgp-k8s`` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Be process 1 of a pod where that is plainly asked for, or run the command line."""
    if sys.argv[1:2] == ["run"]:
        from exabgp_k8s.cli import start  # noqa: PLC0415 - and nothing else for a long life

        start.main(sys.argv[2:])
    from exabgp_k8s.cli import root  # noqa: PLC0415

    root.main(prog_name="exabgp-k8s")


if __name__ == "__main__":
    main()
