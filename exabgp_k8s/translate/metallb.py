"""MetalLB: BGPPeer, BGPAdvertisement, Community, BFDProfile, IPAddressPool (metallb.io)."""

from __future__ import annotations

from typing import Any

from exabgp_k8s.core.facts import durations
from exabgp_k8s.translate import draft, selectors
from exabgp_k8s.translate.draft import Draft
from exabgp_k8s.translate.source import Source

KINDS = ("BGPPeer", "BGPAdvertisement", "Community", "BFDProfile", "IPAddressPool")
NOT_OF_ADVERTISEMENTS = (
    ("nodeSelectors", None, "write nodeSelector at the peers instead"),
    ("ipAddressPools", None, draft.CLUSTER_IPS),
    ("ipAddressPoolSelectors", None, draft.CLUSTER_IPS),
    ("serviceSelectors", None, draft.CLUSTER_IPS),
    ("aggregationLength", 32, "the service range is announced as it is"),
    ("aggregationLengthV6", 128, "the service range is announced as it is"),
)
"""What is said of an advertisement, the value that changes nothing, and what to do instead."""
NOT_OF_BFD = (
    ("echoMode", "there is no echo function; the packets of `interval` are all there are"),
    ("echoInterval", "there is no echo function; the packets of `interval` are all there are"),
    ("passiveMode", "the engine always begins"),
    ("minimumTtl", "the engine does not look at the TTL over several hops; a router can"),
)
RESTART = "120s"
"""FRR's default, which MetalLB does not change."""


def write(found: Draft, sources: dict[str, list[Source]]) -> None:
    """Write our document from MetalLB's objects."""
    profiles = {_name(each): _bfd(found, each) for each in sources.get("BFDProfile", ())}
    peers: dict[str, dict[str, Any]] = {}
    for source in sources.get("BGPPeer", ()):
        bfd = _profile(found, source, profiles)
        if (peer := _peer(found, source)) is not None:
            # An empty one means the defaults.
            peers[_name(source)] = peer
            peer |= {} if bfd is None else {"bfd": bfd}
    aliases = {
        str(pair.get("name")): str(pair.get("value"))
        for source in sources.get("Community", ())
        for pair in source.items("spec.communities")
        if isinstance(pair, dict)
    }
    for source in sources.get("BGPAdvertisement", ()):
        _advertise(found, source, peers, aliases)
    for source in sources.get("IPAddressPool", ()):
        source.take("spec")
        found.lose(source, "spec.addresses", draft.CLUSTER_IPS)


def _name(source: Source) -> str:
    return source.title.partition("/")[2]


def _bfd(found: Draft, source: Source) -> dict[str, Any]:
    """Return what a BFDProfile says; of two times the slower one, since there is one for both."""
    named = ("receiveInterval", "transmitInterval")
    times = [each for key in named if type(each := source.take(f"spec.{key}")) is int]
    multiplier = source.take("spec.detectMultiplier")
    if len(set(times)) > 1:
        found.lose(source, "spec", "one `interval` is for both ways; the slower one is written")
    for key, why in NOT_OF_BFD:
        if source.take(f"spec.{key}") not in (None, False, 254, 50):
            found.lose(source, f"spec.{key}", why)
    written: dict[str, Any] = {}
    if times:
        # Theirs may be from 10 ms on, which a busy node does not keep.
        written["interval"] = durations.write(min(max(*times, 50), 60_000) / 1000)
    if isinstance(multiplier, int):
        written["multiplier"] = min(max(multiplier, 2), 50)
    return written


def _profile(
    found: Draft, source: Source, profiles: dict[str, dict[str, Any]]
) -> dict[str, Any] | None:
    name = source.text("spec.bfdProfile")
    if name and name not in profiles:
        found.lose(source, "spec.bfdProfile", f"{name} is not in this file; 300ms x 3 is written")
    return profiles.get(name, {}) if name else None


def _peer(found: Draft, source: Source) -> dict[str, Any] | None:
    if source.text("spec.interface"):
        found.lose(source, "spec.interface", "write address: fe80::…%INTERFACE by hand")
    picked = source.items("spec.nodeSelectors")
    selector = selectors.any_of(picked)
    if selector is None:
        found.lose(
            source,
            "spec.nodeSelectors",
            "several that one cannot say; only the first is "
            "written: add a peer for each of the others",
        )
        selector = selectors.standard(picked[0])
    if source.text("spec.routerID"):
        found.lose(source, "spec.routerID", "one id for all nodes; each has its own here")
    address = source.text("spec.peerAddress")
    return found.add(
        source,
        _name(source),
        address,
        asn=source.text("spec.dynamicASN") or draft.as_number(source.take("spec.peerASN")),
        ours=draft.as_number(source.take("spec.myASN")),
        localASN=draft.as_number(source.take("spec.localASN")),
        port=_port(source),
        localAddress=source.text("spec.sourceAddress"),
        nodeSelector=selector,
        holdTime=draft.hold_time(source.take("spec.holdTime")),
        keepalive=draft.seconds(source.take("spec.keepaliveTime"), 1, 0xFFFF),
        connectRetry=draft.seconds(source.take("spec.connectTime"), 1, draft.LONGEST_RETRY),
        passwordFrom=_password(found, source),
        multihop=255 if source.take("spec.ebgpMultiHop") else None,
        gracefulRestart=RESTART if source.take("spec.enableGracefulRestart") else "",
        families=_families(source, address),
    )


def _port(source: Source) -> int | None:
    port = source.take("spec.peerPort")
    return port if isinstance(port, int) and port != 179 else None  # noqa: PLR2004 - BGP's own


def _families(source: Source, address: str) -> list[str]:
    """Return the families where MetalLB has only the session's own; else none, for both."""
    source.take("spec.dualStackAddressFamily")
    is_plain = source.take("spec.disableMP")
    return [("ipv6" if ":" in address else "ipv4")] if is_plain else []


def _password(found: Draft, source: Source) -> str:
    secret, inline = (
        source.mapping("spec.passwordSecret").get("name"),
        source.take("spec.password"),
    )
    name = _name(source)
    if inline:
        found.lose(source, "spec.password", f"put it into the Secret exabgp-k8s as {name}")
        return name
    if secret:
        found.lose(
            source,
            "spec.passwordSecret",
            f"put the `password` of the Secret {secret} into the Secret exabgp-k8s as {secret}",
        )
    return str(secret or "")


def _advertise(
    found: Draft, source: Source, peers: dict[str, dict[str, Any]], aliases: dict[str, str]
) -> None:
    chosen = [str(each) for each in source.items("spec.peers")] or list(peers)
    names = [aliases.get(str(each), str(each)) for each in source.items("spec.communities")]
    carried: dict[str, Any] = dict(draft.communities(names))
    preference = source.take("spec.localPref")
    if isinstance(preference, int) and preference:
        carried["localPref"] = preference
    for name in chosen:
        if name in peers:
            draft.attach(peers[name], carried)
    for path, usual, why in NOT_OF_ADVERTISEMENTS:
        if source.take(f"spec.{path}") not in (None, [], usual):
            found.lose(source, f"spec.{path}", why)
