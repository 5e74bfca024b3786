"""The settings document: the one definition that validation, JSON Schema and docs come from.

Here stands what each value must be on its own. What two values must not be together is in
``contradictions``; how the core gets them is in ``convert``.
"""

from __future__ import annotations

import enum
import json
from typing import Annotated, Any

import pydantic
from pydantic import json_schema as pydantic_json_schema
from pydantic_core import core_schema

from exabgp_k8s.core.facts import config, pod_ranges
from exabgp_k8s.settings import checks, fields, meanings, outage, peers, policy, rules

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID = "urn:exabgp-k8s:settings"
"""What the schema is called where several are at hand: a name, and no place on the Internet."""

Defaults = peers.PeerDefaults
"""Below a key ``peers`` the module has not its name any more."""


class Bgp(fields.Section):
    """Who we are in BGP."""

    asn: fields.OwnAsn
    """Our AS number, as 65536 or as 1.0; or where each node says its own: {fromLabel:
    example.com/asn} or {fromAnnotation: example.com/asn}. A peer may override it with
    ``localASN``."""
    router_id: fields.RouterId = pydantic.Field("auto", alias="routerID")
    """BGP identifier; auto: the node's IPv4 InternalIP, on an IPv6-only node a number made of its
    name. One written here is the same on every node, which routers refuse for more than one."""
    hostname: fields.Flag = True
    """Tell the routers the node's name (draft-walton-bgp-hostname-capability), so that FRR's
    ``show bgp summary`` shows it in place of the address; routers that do not know it ignore it.
    An edit of this ends every session once."""


class Services(fields.Section):
    """The service ranges, announced whole and from every node."""

    cidrs: fields.NetworksOrAuto
    """Service CIDRs of the cluster; auto: what the API's ServiceCIDR objects say."""
    within: fields.Networks | None = None
    """With ``cidrs: auto``: the ranges in which ServiceCIDRs must lie to be announced."""
    allow_overlap_with_uplink: fields.Flag = False
    """Announce a range that lies inside of the network of the node's own uplink. Hosts of that
    network do not ask a router for it; see how-to/peers.md before you write true. It never
    lifts the guards of default routes, of that whole network, and of the addresses of this
    node, its peers and the API servers."""


class Pods(fields.Section):
    """The node's own pod ranges."""

    within: fields.Networks
    """The cluster's pod ranges; a node's range outside of them is not announced."""
    allow_overlap_with_uplink: fields.Flag = False
    """As ``announce.services.allowOverlapWithUplink``, for the pod ranges."""
    from_: pod_ranges.PodSource = pydantic.Field(pod_ranges.PodSource.NODE, alias="from")
    """Who says which ranges the node has. node: the Node's ``spec.podCIDRs``; cilium: its
    CiliumNode's ``spec.ipam.podCIDRs``; calico: its BlockAffinity objects. The last two need a
    right that ``daemonset/components`` has."""


class HoldDown(fields.Section):
    """How long a class stays withdrawn after its last cause is gone; each leave doubles it."""

    initial: fields.Duration = 1
    """Hold-down after the first leave."""
    max: fields.Duration = 60
    """Longest hold-down."""
    window: fields.Duration = 600
    """Leaves longer ago than this are forgotten."""


class Announce(fields.Section):
    """What is announced."""

    services: Services | None = None
    """Service ranges; absent: none is announced."""
    pods: Pods | None = None
    """Pod ranges; absent: none is announced."""
    hold_down: HoldDown = HoldDown()
    """What keeps a flapping node from moving everybody's ECMP paths."""


class Deprioritise(fields.Section):
    """What a deprioritised route carries besides GRACEFUL_SHUTDOWN (65535:0)."""

    med: fields.Metric | None = None
    """MED instead of the peer's own; absent: unchanged."""
    prepend: fields.Prepend = 0
    """How often our AS is added in front; eBGP peers only."""


class Rollout(enum.StrEnum):
    """What the replacement of our own pod does to the routes."""

    AUTO = "auto"
    WITHDRAW = "withdraw"


class Drain(fields.Section):
    """How a planned withdrawal goes."""

    graceful_shutdown: fields.Duration = 0
    """How long routes carry GRACEFUL_SHUTDOWN before a planned withdrawal; 0s: not at all. It
    helps where the node is the last path; an ECMP group leaves it at once."""
    settle: fields.Duration = 1
    """How long after the last acknowledgement a drain counts as over; routers need 2 to 100 ms
    to forward differently."""
    rollout: Rollout = Rollout.AUTO
    """What happens while our own pod is replaced. auto: peers with graceful restart keep their
    routes, others get a withdrawal; withdraw: all of them get one."""
    taints: Annotated[tuple[fields.Taint, ...], fields.Unique] = pydantic.Field(
        config.DRAIN_TAINTS,
        json_schema_extra={"default": [taint.key for taint in config.DRAIN_TAINTS]},
    )
    """Taints that mean ``draining``, as "key" or "key:effect"; the list replaces the default."""
    deprioritise: Deprioritise = Deprioritise()
    """What the action ``deprioritise`` adds."""


class Settings(fields.Section):
    """Settings of exabgp-k8s."""

    bgp: Bgp
    """Who we are in BGP."""
    peers: Annotated[tuple[peers.Peer, ...], pydantic.Field(min_length=1)]
    """The routers."""
    peer_defaults: Defaults | None = None
    """What the peers have in common: any keys of theirs but those that say which router it is."""
    announce: Announce
    """What is announced: service ranges, pod ranges or both."""
    withdraw: policy.Withdraw = policy.Withdraw()
    """What each cause does to each class."""
    health: checks.Health = checks.Health()
    """What must work on a node while it announces."""
    drain: Drain = Drain()
    """How a planned withdrawal goes."""
    outage_budget: outage.OutageBudget = outage.OutageBudget()
    """How many nodes may be withdrawn at once because of their health."""


class _Described(pydantic_json_schema.GenerateJsonSchema):
    """A JSON Schema for people with an editor: no invented titles, no null to choose."""

    schema_dialect = DIALECT

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the base class asks
        """Leave titles out: they only repeat the key."""
        return False

    def model_schema(
        self, schema: core_schema.ModelSchema
    ) -> pydantic_json_schema.JsonSchemaValue:
        """Say of each key what it means."""
        found = super().model_schema(schema)
        section: type[pydantic.BaseModel] = schema["cls"]
        for name, text in meanings.of_keys(section).items():
            found["properties"][section.model_fields[name].alias or name]["description"] = text
        if section.__name__ in rules.OF_SECTIONS:
            found["allOf"] = [*rules.OF_SECTIONS[section.__name__]]
        return found

    def dict_schema(self, schema: core_schema.DictSchema) -> pydantic_json_schema.JsonSchemaValue:
        """Say of a mapping what its keys are, so that others are marked."""
        names, inner = schema["keys_schema"], schema["values_schema"]
        return {
            "type": "object",
            "propertyNames": self.generate_inner(names),
            "additionalProperties": self.generate_inner(inner),
        }

    def nullable_schema(
        self, schema: core_schema.NullableSchema
    ) -> pydantic_json_schema.JsonSchemaValue:
        """Describe the value that may be written, not its absence."""
        return self.generate_inner(schema["schema"])

    def default_schema(
        self, schema: core_schema.WithDefaultSchema
    ) -> pydantic_json_schema.JsonSchemaValue:
        """Leave out the default of a section: it is the sum of what its own keys say."""
        default = self.get_default_value(schema)
        if default is None or isinstance(default, pydantic.BaseModel):
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the settings document."""
    # The serialized form is what people write: durations are text in it, not seconds.
    described = Settings.model_json_schema(schema_generator=_Described, mode="serialization")
    return {"$schema": DIALECT, "$id": ID} | described


def json_schema_text() -> str:
    """Return the JSON Schema as it is shipped beside the example."""
    return json.dumps(json_schema(), indent=2) + "\n"


def effective(settings: Settings) -> dict[str, Any]:
    """Return the whole document as somebody would have to write it, every default filled in."""
    whole = tuple(each.over(settings.peer_defaults) for each in settings.peers)
    shown = settings.model_copy(update={"peers": whole, "peer_defaults": None})
    return shown.model_dump(mode="json", exclude_none=True)
