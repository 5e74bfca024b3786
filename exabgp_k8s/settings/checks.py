"""``health``: what must work on this node while its ranges are announced."""

from __future__ import annotations

import enum
from typing import Annotated, Any

import pydantic

from exabgp_k8s.core.facts import model
from exabgp_k8s.settings import fields

Speed = Annotated[fields.Whole, pydantic.Field(ge=1)]
Count = Annotated[fields.Whole, pydantic.Field(ge=1, le=1000)]
Command = Annotated[tuple[fields.Argument, ...], pydantic.Field(min_length=1)]


class Record(enum.StrEnum):
    """The record types whose answer is an address."""

    A = "A"
    AAAA = "AAAA"


class Preset(enum.StrEnum):
    """A check whose URL and meaning are known."""

    KUBE_PROXY = "kube-proxy"
    KUBELET = "kubelet"


AFFECTS = {
    # A pod range has no other way in, and kube-proxy does not carry it.
    Preset.KUBE_PROXY: (model.PrefixClass.SERVICES,),
    Preset.KUBELET: tuple(model.PrefixClass),
}
KINDS = ("http", "tcp", "exec", "dns", "process", "interface", "preset")
"""The keys that say what a check does; each check has exactly one of them."""


class Dns(fields.Section):
    """A question to one DNS server."""

    server: fields.Address
    """Address of the server, for example the ClusterIP of kube-dns."""
    name: fields.DnsName
    """Name to look up; an answer with at least one address is healthy."""
    port: fields.Port = 53
    """UDP port of the server."""
    type: Record = Record.A
    """Record to ask for: A or AAAA."""


class Check(fields.Section):
    """One health check: exactly one of its kinds, and when its outcome counts."""

    name: fields.Name
    """Name of the check in reasons (``unhealthy:<name>``), status and metrics; unique.
    Absent: the name of the preset."""
    http: fields.Url | None = None
    """URL to GET; a status from 200 to 399 is healthy."""
    insecure_skip_verify: fields.Flag = False
    """Accept any certificate of an https URL."""
    tcp: fields.Endpoint | None = None
    """host:port to connect to; an IPv6 address stands in brackets."""
    exec: Command | None = None
    """Command and arguments, run without a shell; exit code 0 is healthy."""
    dns: Dns | None = None
    """Question to a DNS server."""
    process: fields.Process | None = None
    """Name of a process that must run on the node; the pod needs hostPID."""
    interface: fields.Interface | None = None
    """Network interface whose link must be up."""
    min_speed: Speed | None = None
    """Lowest link speed of the interface in Mbit/s; absent: any."""
    preset: Preset | None = None
    """kube-proxy (http://127.0.0.1:10256/livez, or /healthz before Kubernetes 1.28; affects
    services) or kubelet (http://127.0.0.1:10248/healthz, affects both)."""
    interval: fields.Interval = 1
    """Time from one probe to the next, at least 100ms."""
    fast_interval: fields.Interval | None = None
    """The same while a verdict is open: from the first outcome that speaks against the check's
    health until as many as fall or rise asks for, or one for it. At least 100ms, at most the
    interval; a probe never begins before the one before it has ended. Absent: interval."""
    timeout: fields.Timeout = 0.5
    """Time a probe may take, at most the interval; a later answer is a failure."""
    fall: Count = 3
    """Failures in a row after which the node counts as unhealthy."""
    rise: Count = 2
    """Successes in a row after which it counts as healthy again."""
    affects: fields.Classes = tuple(model.PrefixClass)
    """What a failure concerns: services, pods or both. Absent: both, or what the preset says."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, written: Any) -> Any:
        """Give a preset's name and scope to a check that does not name its own."""
        if not isinstance(written, dict) or written.get("preset") not in list(Preset):
            return written
        preset = Preset(written["preset"])
        return {"name": preset.value, "affects": AFFECTS[preset]} | written

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: Any, handler: pydantic.GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Say that one kind is needed, and that a preset brings its name along."""
        written = handler(core)
        schema = handler.resolve_ref_schema(written)
        schema.pop("required", None)
        schema["oneOf"] = [
            {"required": [kind] if kind == "preset" else [kind, "name"]} for kind in KINDS
        ]
        return written


class Health(fields.Section):
    """The health checks of every node."""

    checks: tuple[Check, ...] = ()
    """Checks that run on every node; absent: none."""
