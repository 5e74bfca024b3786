"""``python -m exabgp_k8s`` and the ``exabgp-k8s`` command."""

from __future__ import annotations

from exabgp_k8s.cli import root


def main() -> None:
    """Run the command line."""
    root.main(prog_name="exabgp-k8s")


if __name__ == "__main__":
    main()
