"""The group of commands; each is imported when it is called, so that ``drain`` starts fast."""

from __future__ import annotations

from collections.abc import Mapping

import click

import exabgp_k8s
from exabgp_k8s.cli import groups

COMMANDS: Mapping[str, str] = {
    "run": "exabgp_k8s.cli.run:run",
    "status": "exabgp_k8s.cli.status:status",
    "sessions": "exabgp_k8s.cli.inspect:sessions",
    "routes": "exabgp_k8s.cli.inspect:routes",
    "checks": "exabgp_k8s.cli.inspect:checks",
    "why": "exabgp_k8s.cli.inspect:why",
    "history": "exabgp_k8s.cli.history:history",
    "drain": "exabgp_k8s.cli.drain:drain",
    "undrain": "exabgp_k8s.cli.drain:undrain",
    "bfd-stop": "exabgp_k8s.cli.bfd:bfd_stop",
    "cluster": "exabgp_k8s.cli.cluster:group",
    "looking-glass": "exabgp_k8s.cli.looking_glass:looking_glass",
    "config": "exabgp_k8s.cli.config:group",
    "try": "exabgp_k8s.cli.tryout:tryout",
}


@click.group(
    cls=groups.LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(exabgp_k8s.__version__, prog_name="exabgp-k8s")
def main() -> None:
    """Announce this Kubernetes node's service and pod ranges to the routers by BGP.

    Exit codes: 0 yes; 1 no; 2 wrong usage or settings; 3 the agent does not answer; 4 timed out.
    """
