"""What no single node can know, as metrics: nodes by state, the width of each ECMP set.

One Prometheus that scrapes all nodes can add up what they say. What it cannot see is who is
missing: a node that is dead says nothing, and a router has no metric of ours. These come from the
same rows as the tables.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator, Mapping

from exabgp_k8s.cluster import moments, routers, states
from exabgp_k8s.cluster.glance import Glance
from exabgp_k8s.wire import exposition

CONTENT_TYPE = exposition.CONTENT_TYPE


def families(glance: Glance) -> Iterator[exposition.Family]:
    """Yield every gauge; those without a value too, so that they can be documented."""
    yield from _of_nodes(glance)
    yield from _of_routers(glance)


def text(glance: Glance) -> str:
    """Return the metrics in the exposition format."""
    return exposition.text(families(glance)).decode()


def _family(
    name: str, about: str, labels: Iterable[str], values: Mapping[tuple[str, ...], int]
) -> exposition.Family:
    family = exposition.Family(
        name=f"exabgp_k8s_cluster_{name}", type="gauge", help=about, labels=tuple(labels)
    )
    # Whole numbers are written as such.
    family.samples.extend(
        exposition.sample(family.name, family.labels, each, number)
        for each, number in values.items()
    )
    return family


def _of_nodes(glance: Glance) -> Iterator[exposition.Family]:
    standings = glance.nodes.values()
    counted = collections.Counter(str(each.state) for each in standings)
    yield _family(
        "nodes",
        "Nodes by their state.",
        ["state"],
        {(str(each),): counted[str(each)] for each in states.State},
    )
    wrong = sum(not each.is_well for each in standings)
    yield _family("nodes_not_well", "Nodes of which something is to be mended.", [], {(): wrong})
    reasons = collections.Counter(word for each in standings for word in _reasons(each))
    yield _family(
        "nodes_withheld",
        "Nodes that do not announce a prefix, by reason.",
        ["reason"],
        {(reason,): count for reason, count in sorted(reasons.items())},
    )
    stale = sum(each.speaker is not None and each.speaker.is_stale for each in standings)
    yield _family("nodes_settings_stale", "Nodes that refuse edited settings.", [], {(): stale})
    heard = (moments.seconds(each.speaker.last_contact) for each in standings if each.speaker)
    ages = [glance.at - each for each in heard if each is not None]
    yield _family(
        "oldest_contact_seconds",
        "Seconds since the agent that is silent for longest wrote its BGPSpeaker.",
        [],
        {(): round(max(ages))} if ages else {},
    )


def _reasons(standing: states.Standing) -> set[str]:
    """Return why a node does not announce something, without what follows the colon."""
    return {each.reason.partition(":")[0] for each in standing.faults if each.about == "prefixes"}


def _of_routers(glance: Glance) -> Iterator[exposition.Family]:
    found = routers.peers(glance)
    for name, about, key in (
        ("sessions_up", "Sessions with a peer that are up.", "sessions_up"),
        ("sessions", "Sessions with a peer that nodes are meant to have.", "sessions_of"),
    ):
        yield _family(name, about, ["peer"], {(row["peer"],): row[key] for row in found})
    for name, about, key in (
        ("ecmp_width", "Nodes that have sent a shared prefix to a peer.", "width"),
        ("ecmp_meant", "Nodes that are meant to send it.", "meant"),
        ("ecmp_healthy", "Those of them that nothing of their own speaks against.", "healthy"),
    ):
        values: dict[tuple[str, ...], int] = {
            (row["peer"], each["prefix"], each["class"]): each[key]
            for row in found
            for each in row["prefixes"]
        }
        yield _family(name, about, ["peer", "prefix", "class"], values)
    for name, about, key in (
        ("own_prefixes_sent", "Prefixes of one node alone that a peer was sent.", "sent"),
        ("own_prefixes_meant", "Prefixes of one node alone that a peer should have.", "meant"),
    ):
        yield _family(name, about, ["peer"], {(row["peer"],): row["own"][key] for row in found})
