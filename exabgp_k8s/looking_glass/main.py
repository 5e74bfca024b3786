"""Puts the looking glass together and runs it until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Sequence

import structlog
import uvicorn

from exabgp_k8s.adapters import logs
from exabgp_k8s.adapters.kube import client
from exabgp_k8s.looking_glass import app, gallery, guard

STOP_SECONDS = 1
"""For answers under way when the process ends; the live connections of open pages never end."""


log = structlog.get_logger()


def run(sockets: Sequence[socket.socket], access: client.Access, log_format: str) -> None:
    """Serve the pages.

    Args:
        sockets: bound and listening.
        access: how to reach the API server.
        log_format: of the lines on standard error.
    """
    logs.set_up(log_format)
    # Whatever a client sends is no news of ours; what fails here is.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    log.info("looking-glass.serving", addresses=[each.getsockname()[:2] for each in sockets])
    asyncio.run(_serve(access, sockets))


async def _serve(access: client.Access, sockets: Sequence[socket.socket]) -> None:
    shown = gallery.Gallery(access)
    config = uvicorn.Config(
        app.make(shown),
        loop="asyncio",
        http=guard.Guarded,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        # Who asks, and by which name, makes no difference to any answer.
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=guard.HEAD,
        timeout_keep_alive=guard.KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = uvicorn.Server(config)
    keeping = asyncio.create_task(shown.keep_up())
    try:
        await server.serve(sockets=list(sockets))
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
