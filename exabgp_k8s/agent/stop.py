"""Is our pod replaced, or does it end for good? Asked once the stop has begun, and briefly.

Only a clear yes of the API server makes a rollout; everything else is a drain, because a route
that is withdrawn never leads nowhere.
"""

from __future__ import annotations

import asyncio

import structlog

from exabgp_k8s.adapters.kube import client, pods
from exabgp_k8s.agent.options import Options
from exabgp_k8s.core.facts import lifecycle
from exabgp_k8s.core.plan.turn import Turn

LIMIT = 2.0
"""Seconds for both questions together; a node that shuts down waits no longer for us."""

log = structlog.get_logger()


async def is_rollout(options: Options, turn: Turn) -> bool:
    """Return whether the API server says that a successor of this pod comes."""
    if not _matters(turn):
        return False
    why = await _why_nobody_comes(options, turn)
    log.info("stop.understood", meaning="drain" if why else "rollout", why=why or "replaced")
    return not why


def _matters(turn: Turn) -> bool:
    """Return whether anything depends on it: without graceful restart every stop is a drain."""
    settings, found = turn.world.config, turn.decision.neighbors
    if settings is None or settings.is_rollout_drained:
        return False
    is_possible = any(each.graceful_restart is not None for each in found or ())
    return is_possible and turn.world.stop is not lifecycle.Stop.DRAIN


async def _why_nobody_comes(options: Options, turn: Turn) -> str:
    if not options.pod:
        return "the name of the pod is not known: set POD_NAME"
    access = client.Access(
        kubeconfig=options.kubeconfig, connect_timeout=LIMIT / 2, answer_timeout=LIMIT / 2
    )
    labels = turn.world.node.labels if turn.world.node else {}
    api = client.Client(access, client.whom(access, options.state_dir))
    asked = asyncio.to_thread(pods.why_nobody_comes, api, options.namespace, options.pod, labels)
    try:
        return await asyncio.wait_for(asked, LIMIT)
    except TimeoutError:
        return f"the API server did not answer within {LIMIT:g} s"
    except Exception as error:  # noqa: BLE001 - whatever went wrong: to withdraw is always safe
        return str(error)
