"""BGPSpeakers and Nodes, listed once and then watched: what the cluster is shown from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from exabgp_k8s.adapters.kube import client, mirror, watching
from exabgp_k8s.cluster import member, speaker
from exabgp_k8s.wire import bgpspeaker

SPEAKERS = bgpspeaker.COLLECTION
NODES = "/api/v1/nodes"

_TODO: Mapping[int, str] = {
    403: "Whoever it is started as needs the ClusterRole exabgp-k8s-looking-glass.",
    404: "Their definition is among the manifests: kubectl apply -k daemonset",
}

PAGE_OF_SPEAKERS, PAGE_OF_NODES = 100, 40
"""Objects in one answer; a Node may have 40 KiB, and what is too large is asked for in parts."""


class Sources:
    """Both collections, each watched in a thread of its own.

    Args:
        access: how to reach the API server.
        changed: is called in one of the threads when anything has changed; must not block.
        selector: only Nodes with these labels; empty: all.
        node: only the objects of this one; empty: all.
    """

    def __init__(
        self,
        access: client.Access,
        changed: Callable[[], None],
        *,
        selector: str = "",
        node: str = "",
    ) -> None:
        named = {"fieldSelector": f"metadata.name={node}"} if node else {}
        labelled = {"labelSelector": selector} if selector else {}
        self.speakers = mirror.Mirror(speaker.parse, changed, _is_news)
        self.members = mirror.Mirror(member.parse, changed)
        objects = watching.Selection(
            path=SPEAKERS,
            query=named,
            thread="watch-speakers",
            about="the BGPSpeakers",
            page=PAGE_OF_SPEAKERS,
            taken=self.speakers.taken,
        )
        nodes = watching.Selection(
            path=NODES,
            query={**named, **labelled},
            thread="watch-nodes",
            about="the Nodes",
            page=PAGE_OF_NODES,
            taken=self.members.taken,
        )
        timings = watching.Timings()
        # A transport for each: neither waits for the other's long list.
        self._watches = (
            watching.Watch(client.Client(access), objects, self.speakers, timings),
            watching.Watch(client.Client(access), nodes, self.members, timings),
        )

    def start(self) -> None:
        """Start to read; this runs once."""
        for each in self._watches:
            each.start()

    def stop(self) -> None:
        """Stop reading soon."""
        for each in self._watches:
            each.stop()

    @property
    def are_read(self) -> bool:
        """Whether both were read whole at least once."""
        return self.speakers.how_heard.is_listed and self.members.how_heard.is_listed

    @property
    def are_alive(self) -> bool:
        """Whether both threads run."""
        return all(each.is_alive for each in self._watches)

    @property
    def problem(self) -> str:
        """Why something is not heard now; empty: all is."""
        problems = (_said(each.how_heard) for each in (self.speakers, self.members))
        return "; ".join(dict.fromkeys(each for each in problems if each))

    @property
    def heard(self) -> float:
        """Since when something may be missing, as Unix time; 0: from the beginning."""
        return min(self.speakers.how_heard.heard, self.members.how_heard.heard)


def _said(contact: mirror.Contact) -> str:
    """Return what is wrong, and what to do where that is known."""
    todo = _TODO.get(contact.status, "")
    return f"{contact.problem}. {todo}" if contact.problem and todo else contact.problem


def _is_news(was: speaker.Speaker, new: speaker.Speaker) -> bool:
    """Say whether there is more to an object than its heartbeat: thousands come every ten minutes.

    That one is silent shows in the next picture, which needs no change.
    """
    return dataclasses.replace(was, last_contact=new.last_contact) != new
