"""Whether a rollout may go on to the next node.

That is all that readiness is for: nothing is routed by it. The DaemonSet's controller waits with
the next node while a pod that it has replaced is not ready. But an old pod that is not ready it
replaces at once, beside ``maxUnavailable``, on every node where it finds one. So a pod must not
be ready before its node is back, and must be ready while it announces what it can: a fault that
all nodes share would otherwise make the next rollout take them all in one moment.

Hence two rules. Nothing is on its way any more: nothing waits for a first verdict, a hold-down or
an UPDATE. And something is announced, to one router at least; or all of it is withheld by the
decision of somebody outside, a cordon for example, which waiting would not change.
"""

from __future__ import annotations

from exabgp_k8s.core.facts import model
from exabgp_k8s.core.plan.turn import Turn
from exabgp_k8s.core.report import announced

DECIDED = frozenset(model.CAUSES) - {model.Reason.UNHEALTHY}
"""Reasons that a rollout does not wait for: somebody set them, and the pod cannot end them."""


def missing(turn: Turn) -> tuple[str, ...]:
    """Return why the pod is not ready, in words; empty: it is."""
    world = turn.world
    if world.config is None:
        return ("the settings have not been read",)
    if world.node is None:
        if world.is_node_gone:
            return (f"there is no Node object named {world.node_name}",)
        return (f"the Node object {world.node_name} has not been seen",)
    if not world.is_rib_current:
        return ("ExaBGP's table has not been read",)
    found = announced.standings(world, turn.decision)
    if coming := [each for each in found if _is_coming(each)]:
        return tuple(said(each) for each in coming)
    if any(each.is_announced for each in found):
        return ()
    return tuple(said(each) for each in found if each.prefix_class and not _is_decided(each))


def lacking(turn: Turn) -> tuple[str, ...]:
    """Return the prefixes that no router has been sent, for whatever reason."""
    found = announced.standings(turn.world, turn.decision)
    return tuple(said(each) for each in found if each.prefix_class and not each.is_announced)


def _reasons(standing: announced.Standing) -> tuple[model.Cause, ...]:
    own = (cause for each in standing.hearings if each.is_meant for cause in each.causes)
    return tuple(dict.fromkeys((*standing.causes, *own)))


def _is_coming(standing: announced.Standing) -> bool:
    if standing.is_announced:
        return False
    is_sending = any(each.state is announced.State.SENDING for each in standing.hearings)
    causes = standing.causes
    return is_sending or (bool(causes) and all(each.reason in model.PASSING for each in causes))


def _is_decided(standing: announced.Standing) -> bool:
    return any(cause.reason in DECIDED for cause in _reasons(standing))


def said(standing: announced.Standing) -> str:
    """Return a prefix that is not announced and why not, in words."""
    name = standing.prefix or "no prefix yet"
    why = [str(cause) for cause in standing.causes] or [
        f"{each.peer}: {', '.join((str(each.state), *map(str, each.causes)))}"
        for each in standing.hearings
        if each.is_meant
    ]
    return f"{name} ({standing.prefix_class}) is {standing.summary}: {'; '.join(why) or 'unknown'}"
