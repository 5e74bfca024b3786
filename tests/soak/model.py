"""What the routers must know, worked out from the faults alone.

The model is plain bookkeeping and shares no code with the program: two independent descriptions
of the same rules agree, or one of them is wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Facts:
    """What the Node object says."""

    is_cordoned: bool = False
    is_excluded: bool = False
    announce: str = ""


@dataclass(slots=True)
class NodeState:
    """One node."""

    object: Facts = Facts()
    seen: Facts | None = Facts()
    """What its agent was last told; None: nothing since the node booted."""
    is_drained: bool = False
    is_kube_proxy_up: bool = True
    is_running: bool = True
    """Its container runs."""
    is_linked: bool = True
    agent_kills: list[int] = field(default_factory=list)
    """The steps in which its agent was killed: ExaBGP ends at the sixth within a minute."""
    agent_stops: list[int] = field(default_factory=list)
    """The steps in which its agent was stopped: at the second within a minute the supervisor kills
    ExaBGP as well."""

    @property
    def is_heard(self) -> bool:
        """Whether anything of it can reach a router."""
        return self.is_running and self.is_linked and self.seen is not None

    @property
    def has_pods(self) -> bool:
        """Whether its pod ranges are announced."""
        if not self.is_heard or self.seen is None or self.is_drained:
            return False
        if self.seen.announce == "always":
            return True
        return not self.seen.is_cordoned and self.seen.announce != "never"

    @property
    def has_services(self) -> bool:
        """Whether it is a next hop of the service ranges."""
        if not self.has_pods or self.seen is None:
            return False
        is_fit = self.is_kube_proxy_up and not self.seen.is_excluded
        return is_fit or self.seen.announce == "always"


@dataclass(slots=True)
class Model:
    """The whole cluster."""

    nodes: dict[str, NodeState]
    routers: dict[int, bool]
    """By number: whether the router's daemon runs."""
    is_api_up: bool = True
    are_settings_good: bool = True
    peers: frozenset[int] = frozenset()
    """The routers that the settings in force name, by number."""

    def change(self, name: str, **changes: bool | str) -> None:
        """Change a Node object; its agent sees it now, or when the API server is back."""
        node = self.nodes[name]
        node.object = dataclasses.replace(node.object, **changes)  # type: ignore[arg-type]
        self.inform([name])

    def inform(self, names: Iterable[str]) -> None:
        """Let agents see their objects, if the API server lets them."""
        for name in names:
            node = self.nodes[name]
            if self.is_api_up and node.is_running and node.is_linked:
                node.seen = node.object

    @property
    def services(self) -> frozenset[str]:
        """The nodes that are next hops of the service ranges."""
        return frozenset(name for name, node in self.nodes.items() if node.has_services)

    @property
    def pods(self) -> frozenset[str]:
        """The nodes whose pod ranges are announced."""
        return frozenset(name for name, node in self.nodes.items() if node.has_pods)
