"""Open a TCP connection: something listens there, and the way to it is open."""

from __future__ import annotations

import functools

from exabgp_k8s.adapters.checks import connecting, probing
from exabgp_k8s.core.facts import config


def prepare(settings: config.TcpProbe) -> probing.Probe:
    """Return the probe for these settings."""
    return functools.partial(_connect, settings)


async def _connect(settings: config.TcpProbe) -> str:
    (await connecting.connect(settings.host, settings.port)).close()
    return f"connected to {probing.endpoint(settings.host, settings.port)}"
