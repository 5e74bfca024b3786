"""Which routers have been sent a prefix: the one definition of *announced*.

A route may be wanted, stored by ExaBGP and reported as done, and still no router has it. So one
word is defined here, and everything that people read or rely on takes it from here:

- A prefix is **announced** when at least one of the routers *meant* for this node was *sent* it.
- **Meant** is a peer that is selected for this node and is to hear the prefix by the settings: it
  speaks the family and is announced the class or the range. Whether a session can be tried with
  it does not matter.
- **Sent** is a prefix whose UPDATE was seen on a session that is up and has negotiated the family,
  with nothing of it pending since.

How many of how many goes with it everywhere, and a reason for every router that has not got it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from exabgp_k8s.core.decide import prefixes
from exabgp_k8s.core.decide.decision import Decision
from exabgp_k8s.core.facts import absences, config, model
from exabgp_k8s.core.facts.world import PeerRib, Session, World
from exabgp_k8s.core.report import whose

_Key = tuple[model.Network | None, model.PrefixClass | None]
_Meant = Sequence[tuple[config.Peer | config.Sought, model.Cause | None]]


class State(enum.StrEnum):
    """How far a prefix has come with one router."""

    ANNOUNCED = "announced"
    DEPRIORITISED = "deprioritised"
    SENDING = "sending"
    """Given to ExaBGP, or about to be, and no UPDATE seen yet."""
    UNACKNOWLEDGED = "not acknowledged"
    """The same for so long that it was asked for once more."""
    NO_SESSION = "waiting for the session"
    NO_FAMILY = "family not negotiated"
    HELD = "held"
    """No session is tried with the peer."""
    WITHDRAWING = "withdrawing"
    """The router may still have it: its withdrawal is not acknowledged."""
    STUCK = "withdrawal not acknowledged"
    """The same for so long that it was asked for once more."""
    WITHHELD = "withheld"
    NOT_READ = "ExaBGP's table not read yet"


LATE = frozenset({State.UNACKNOWLEDGED, State.STUCK})
"""The states that nobody should see: ExaBGP has the change, and no UPDATE leaves."""
LEAVING = frozenset({State.WITHDRAWING, State.STUCK})
"""The states of a prefix that the router may still have, and should not any more."""
SENT = frozenset({State.ANNOUNCED, State.DEPRIORITISED})
"""The states of a prefix that the router has been sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """One prefix at one router."""

    peer: str
    """The name in the settings."""
    state: State
    causes: tuple[model.Cause, ...] = ()
    """Why it is not sent as usual, where there is a word for it."""
    route: model.Route | None = None
    """What ExaBGP holds for the router."""
    is_meant: bool = True
    """False: the router may have the prefix, and should not any more."""


class Summary(enum.StrEnum):
    """A prefix, or a class of them, in one word."""

    ANNOUNCED = "announced"
    DEPRIORITISED = "deprioritised"
    """As announced, with GRACEFUL_SHUTDOWN at every router that was sent it."""
    PARTLY = "partly"
    """Of a class only: some of its prefixes are announced and others are not."""
    WAITING = "waiting"
    """Wanted, and no router has been sent it."""
    WITHHELD = "withheld"
    NOT_ASKED = "not in the settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One prefix and every router that is meant to have it, or may have it."""

    prefix: model.Network | None
    """None where there is none to name yet."""
    prefix_class: model.PrefixClass | None
    """None for what is neither wanted nor kept, and only about to be withdrawn."""
    hearings: tuple[Hearing, ...]
    causes: tuple[model.Cause, ...] = ()
    """Why it is withheld from every router; empty: it is not."""

    @property
    def sent(self) -> tuple[Hearing, ...]:
        """The routers of those meant that have been sent it."""
        return tuple(each for each in self.hearings if each.is_meant and each.state in SENT)

    @property
    def meant(self) -> int:
        """How many routers are meant to have it."""
        return sum(each.is_meant for each in self.hearings)

    @property
    def summary(self) -> Summary:
        """The prefix in one word."""
        if sent := self.sent:
            is_low = all(each.state is State.DEPRIORITISED for each in sent)
            return Summary.DEPRIORITISED if is_low else Summary.ANNOUNCED
        own = [each.causes for each in self.hearings if each.is_meant]
        is_withheld = self.causes or (own and all(own))
        return Summary.WITHHELD if is_withheld else Summary.WAITING

    @property
    def is_announced(self) -> bool:
        """Whether at least one router of those meant has been sent it."""
        return bool(self.sent)


def standings(world: World, decision: Decision) -> tuple[Standing, ...]:
    """Return every prefix that was considered, and what else ExaBGP holds, in a stable order."""
    rib = world.rib or {}
    known = {each.prefix for each in decision.prefixes}
    others = {prefix for held in rib.values() for prefix in held.routes} - known
    found: list[_Key] = [(each.prefix, each.prefix_class) for each in decision.prefixes]
    found += [(prefix, _class_of(world, decision, prefix)) for prefix in others]
    meant = _meant(world, decision)
    withheld: dict[_Key, list[absences.Withheld]] = {}
    for each in decision.withheld:
        if each.action is model.Action.WITHDRAW:
            withheld.setdefault((each.prefix, each.prefix_class), []).append(each)
    return tuple(
        _standing(world, decision, key, meant, withheld.get(key, []))
        for key in sorted(found, key=_place)
    )


def _class_of(world: World, decision: Decision, prefix: model.Network) -> model.PrefixClass | None:
    """Return the class of what stands without being considered; None where it is to go."""
    is_kept = decision.routes is None or prefix in decision.kept
    return prefixes.class_of(world, prefix) if is_kept else None


def _meant(world: World, decision: Decision) -> _Meant:
    """Return the peers meant for this node, and why no session is tried with one of them."""
    if world.config is None:
        return ()
    held = {each.name: each.cause for each in decision.peers_held}
    if decision.neighbors is None:
        # The Node was not seen yet: what ExaBGP has is what an earlier agent found to be meant.
        names = {peer.name for each in world.rib or () if (peer := whose.at(world, each))}
    else:
        names = {each.name for each in decision.neighbors} | {
            name for name, cause in held.items() if cause.reason is not model.Reason.NOT_SELECTED
        }
    return [(peer, held.get(peer.name)) for peer in world.entries if peer.name in names]


def _place(key: _Key) -> tuple[int, ...]:
    prefix, prefix_class = key
    classes = tuple(model.PrefixClass)
    place = len(classes) if prefix_class is None else classes.index(prefix_class)
    if prefix is None:
        return (place, 0)
    return (place, prefix.version, int(prefix.network_address), prefix.prefixlen)


def of_class(
    found: tuple[Standing, ...], prefix_class: model.PrefixClass, settings: config.Config | None
) -> Summary:
    """Return one word for all prefixes of a class."""
    words = {each.summary for each in found if each.prefix_class is prefix_class}
    if not words:
        is_asked = settings is None or is_in(settings, prefix_class)
        return Summary.WAITING if is_asked else Summary.NOT_ASKED
    if len(words) == 1:
        return words.pop()
    if words <= {Summary.ANNOUNCED, Summary.DEPRIORITISED}:
        return Summary.ANNOUNCED
    if words & {Summary.ANNOUNCED, Summary.DEPRIORITISED}:
        return Summary.PARTLY
    return Summary.WAITING


def is_in(settings: config.Config, prefix_class: model.PrefixClass) -> bool:
    """Return whether the settings speak of a class at all."""
    match prefix_class:
        case model.PrefixClass.SERVICES:
            return settings.service_cidrs is None or bool(settings.service_cidrs)
        case model.PrefixClass.PODS:
            return bool(settings.pods_within)


def _standing(
    world: World,
    decision: Decision,
    key: _Key,
    meant: _Meant,
    withheld: Sequence[absences.Withheld],
) -> Standing:
    prefix, prefix_class = key
    common = tuple(cause for each in withheld if not each.peer for cause in each.causes)
    if prefix is None:
        return Standing(prefix=None, prefix_class=prefix_class, hearings=(), causes=common)
    own = {each.peer: each.causes for each in withheld if each.peer}
    peers = [each for each in meant if _is_meant(each[0], prefix, prefix_class)]
    hearings = []
    for peer, held in peers:
        causes = own.get(peer.name, common)
        state = _state(world, decision, prefix, peer, is_withheld=bool(causes))
        if held is not None:
            # Not tried at all: whatever ExaBGP holds for it, the router has nothing.
            state, causes = State.HELD, (held, *causes)
        route = _rib_of(world, peer.address).routes.get(prefix)
        hearings.append(Hearing(peer=peer.name, state=state, causes=causes, route=route))
    # A peer that is held has no session: what stands there is another one's that ends.
    addresses = {peer.address for peer, held in peers if held is None}
    hearings += [
        Hearing(
            peer=_name(world, address),
            state=State.WITHDRAWING,
            route=rib.routes.get(prefix),
            is_meant=False,
        )
        for address, rib in (world.rib or {}).items()
        if address not in addresses and (prefix in rib.routes or prefix in rib.pending)
    ]
    return Standing(
        prefix=prefix, prefix_class=prefix_class, hearings=tuple(hearings), causes=common
    )


def _is_meant(
    peer: config.Entry, prefix: model.Network, prefix_class: model.PrefixClass | None
) -> bool:
    """Return whether a peer of this node is to have a prefix, were it announced."""
    if prefix_class is None:
        return model.family_of(prefix) in peer.families
    return peer.hears(prefix, prefix_class)


def _rib_of(world: World, peer: model.Address | None) -> PeerRib:
    return (world.rib or {}).get(peer, PeerRib()) if peer else PeerRib()


def _state(
    world: World,
    decision: Decision,
    prefix: model.Network,
    peer: config.Peer | config.Sought,
    *,
    is_withheld: bool,
) -> State:
    if peer.address is None:
        return State.HELD
    rib = _rib_of(world, peer.address)
    session = world.sessions.get(peer.address, Session())
    route, pending = rib.routes.get(prefix), rib.pending.get(prefix)
    is_wanted = _is_wanted(decision, peer.address, prefix)
    is_late = pending is not None and pending.reminders > 0
    if session.is_up and not is_wanted and (route is not None or pending is not None):
        return State.STUCK if is_late else State.WITHDRAWING
    if is_withheld or not is_wanted:
        return State.WITHHELD
    if not session.is_up:
        return State.NO_SESSION
    if world.rib is None:
        return State.NOT_READ
    if model.family_of(prefix) not in session.families:
        return State.NO_FAMILY
    if route is None or pending is not None:
        return State.UNACKNOWLEDGED if is_late else State.SENDING
    is_low = model.GRACEFUL_SHUTDOWN in route.attributes.communities
    return State.DEPRIORITISED if is_low else State.ANNOUNCED


def _is_wanted(decision: Decision, peer: model.Address, prefix: model.Network) -> bool:
    is_kept = decision.routes is None or prefix in decision.kept
    return is_kept or (peer, prefix) in (decision.routes or {})


def _name(world: World, address: model.Address) -> str:
    peer = whose.at(world, address)
    return str(address) if peer is None else peer.name
