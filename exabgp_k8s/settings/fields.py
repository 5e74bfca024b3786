"""The types of the settings' fields: how a value is read, written back and described.

A field is a core value while the settings are checked, and the text a person would write when
they are shown. ``Written`` ties the two together; the messages of a mistake come from ``values``
and ``durations`` alone.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from pydantic import alias_generators, json_schema
from pydantic_core import core_schema

from exabgp_k8s.core.facts import asns, config, durations, extended, model, places
from exabgp_k8s.settings import addresses, asn, located, patterns, sources, values

Item = TypeVar("Item")

LONGEST_WORD = 100
"""Characters that are compared; nobody meant a word by more."""
ALIKE = 0.8
"""How like a value must be for a suggestion: ipv5 was not meant to be ipv4."""


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """How one kind of value is read from text, written back, and described to an editor."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    schema: dict[str, Any]

    def __get_pydantic_core_schema__(
        self, source: object, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(self.write)
        )

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> json_schema.JsonSchemaValue:
        return self.schema if "anyOf" in self.schema else {"type": "string"} | self.schema


class OrAuto:
    """A list of prefixes, or the word ``auto``; a plain union would blur every mistake in it."""

    @staticmethod
    def _read(value: object, read: core_schema.ValidatorFunctionWrapHandler) -> object:
        if value == "auto" or isinstance(value, list):
            return value if value == "auto" else read(value)
        raise ValueError("write auto, or a list of prefixes, for example [10.96.0.0/16]")

    @staticmethod
    def _write(value: object, write: core_schema.SerializerFunctionWrapHandler) -> object:
        return value if value == "auto" else write(value)

    def __get_pydantic_core_schema__(
        self, source: object, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        prefixes = handler.generate_schema(Networks)
        return core_schema.no_info_wrap_validator_function(
            self._read,
            prefixes,
            serialization=core_schema.wrap_serializer_function_ser_schema(
                self._write, schema=prefixes
            ),
        )

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> json_schema.JsonSchemaValue:
        return {"anyOf": [{"const": "auto"}, handler(core)]}


def _seconds(value: object) -> int:
    """Read a duration that BGP counts in whole seconds."""
    seconds = durations.parse(value)
    if seconds != int(seconds):
        raise ValueError(f"BGP counts whole seconds here; write {int(seconds) + 1}s")
    return int(seconds)


def _hold_time(value: object) -> int:
    """Read a hold time (RFC 4271 section 4.2: zero, or at least three seconds)."""
    seconds = _seconds(value)
    if 0 < seconds < 3 or seconds > 0xFFFF:  # noqa: PLR2004 - the limits are in the message
        raise ValueError("a hold time is at least 3s and at most 65535s; 0s means no keepalives")
    return seconds


def _keepalive(value: object) -> int:
    """Read the time between two KEEPALIVEs (RFC 4271 section 4.4: not more often than that)."""
    seconds = _seconds(value)
    if not seconds:
        raise ValueError("write at least 1s, or leave it out for a third of the hold time")
    return seconds


def _connect_retry(value: object) -> int:
    """Read the time between two attempts at a router that is away."""
    seconds = _seconds(value)
    if not 1 <= seconds <= 300:  # noqa: PLR2004 - the limits are in the message
        raise ValueError("a router is tried again after at least 1s and at most 5m")
    return seconds


def _restart_time(value: object) -> int:
    """Read a restart time (RFC 4724 section 3: twelve bits, which ExaBGP does not check)."""
    seconds = _seconds(value)
    if not 1 <= seconds <= 4095:  # noqa: PLR2004 - the limits are in the message
        raise ValueError("a restart time is at least 1s and at most 4095s; leave it out for none")
    return seconds


def _bfd_interval(value: object) -> int:
    """Read the time between two BFD packets, in milliseconds."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f"a duration needs its unit: write {value}ms")  # noqa: TRY004
    seconds = durations.parse(value)
    if not 0.05 <= seconds <= 60:  # noqa: PLR2004 - the limits are in the message
        raise ValueError("a BFD interval is at least 50ms and at most 1m; 300ms is usual")
    return round(seconds * 1000)


def _interval(value: object) -> float:
    """Read the time between two probes."""
    seconds = durations.parse(value)
    if seconds < 0.1:  # noqa: PLR2004 - the limit is in the message
        raise ValueError("probing more than ten times a second is load; write at least 100ms")
    return seconds


def _timeout(value: object) -> float:
    """Read a time limit."""
    seconds = durations.parse(value)
    if not seconds:
        raise ValueError("a probe needs time to answer; write for example 500ms")
    return seconds


def _portion(value: object) -> model.PrefixClass | model.Network:
    """Read a class of prefixes, or one range of it."""
    if isinstance(value, str) and value in list(model.PrefixClass):
        return model.PrefixClass(value)
    try:
        return addresses.network(value)
    except ValueError as error:
        hint = suggestion(value, list(model.PrefixClass), ALIKE)
        raise ValueError(f"{hint}write services, pods or a range: {error}") from None


def suggestion(written: object, words: Iterable[str], likeness: float = 0.6) -> str:
    """Return the question whether a known word was meant; nothing where none is like it."""
    known = {word.lower(): word for word in words}
    plain = str(written)[:LONGEST_WORD].replace("_", "").lower()
    close = difflib.get_close_matches(plain, known, n=1, cutoff=likeness)
    return f"did you mean {known[close[0]]}? " if close else ""


class NothingTwice:
    """A list that says nothing twice."""

    @staticmethod
    def _read(items: tuple[Item, ...]) -> tuple[Item, ...]:
        if len(set(items)) < len(items):
            raise ValueError("an entry is written twice; keep one of them")
        return items

    def __get_pydantic_core_schema__(
        self, source: object, handler: pydantic.GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(
        self, core: core_schema.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> json_schema.JsonSchemaValue:
        return handler(core) | {"uniqueItems": True}


Duration = Annotated[float, Written(durations.parse, durations.write, patterns.ANY_DURATION)]
HoldTime = Annotated[int, Written(_hold_time, durations.write, patterns.HOLD_TIME)]
Keepalive = Annotated[int, Written(_keepalive, durations.write, patterns.KEEPALIVE)]
ConnectRetry = Annotated[int, Written(_connect_retry, durations.write, patterns.CONNECT_RETRY)]
RestartTime = Annotated[int, Written(_restart_time, durations.write, patterns.RESTART_TIME)]
BfdInterval = Annotated[
    int, Written(_bfd_interval, lambda value: durations.write(value / 1000), patterns.BFD_INTERVAL)
]
Interval = Annotated[float, Written(_interval, durations.write, patterns.INTERVAL)]
Timeout = Annotated[float, Written(_timeout, durations.write, patterns.TIMEOUT)]
Address = Annotated[model.Address, Written(addresses.address, str, patterns.ADDRESS)]
OneRouter = Annotated[model.Address, Written(addresses.router, str, patterns.ROUTER)]
RouterAddress = Annotated[located.Located, Written(located.read, located.write, located.SCHEMA)]
LocalAddress = Annotated[
    model.Address | config.LocalAddress | places.Place,
    Written(sources.local_address, sources.write, sources.LOCAL_ADDRESS),
]
NextHop = Annotated[
    model.Address | config.LocalAddress | places.Place,
    Written(sources.next_hop, sources.write, sources.NEXT_HOP),
]
OwnAsn = Annotated[int | asns.OfTheNode, Written(asn.own, asn.write, asn.OWN)]
RouterAsn = Annotated[int | asns.Relation, Written(asn.router, asn.write, asn.ROUTERS)]
RouterId = Annotated[
    ipaddress.IPv4Address | Literal["auto"], Written(addresses.router_id, str, patterns.ROUTER_ID)
]
Network = Annotated[model.Network, Written(addresses.network, str, patterns.NETWORK)]
Community = Annotated[
    tuple[int, int], Written(values.community, values.write_community, patterns.COMMUNITY)
]
LargeCommunity = Annotated[
    tuple[int, int, int],
    Written(
        values.large_community,
        values.write_community,
        patterns.LARGE_COMMUNITY,
    ),
]
ExtendedCommunity = Annotated[
    int,
    Written(values.extended_community, extended.write, patterns.EXTENDED_COMMUNITY),
]
Portion = Annotated[model.PrefixClass | model.Network, Written(_portion, str, patterns.PORTION)]
Name = Annotated[str, Written(values.name, str, patterns.NAME)]
Description = Annotated[str, Written(values.description, str, patterns.DESCRIPTION)]
SecretKey = Annotated[str, Written(values.secret_key, str, patterns.SECRET_KEY)]
LabelKey = Annotated[str, Written(values.label_key, str, patterns.LABEL_KEY)]
LabelValue = Annotated[str, Written(values.label_value, str, patterns.LABEL_VALUE)]
Taint = Annotated[model.Taint, Written(values.taint, values.write_taint, patterns.TAINT)]
Url = Annotated[str, Written(values.url, str, patterns.URL)]
Endpoint = Annotated[
    tuple[str, int], Written(addresses.endpoint, addresses.write_endpoint, patterns.ENDPOINT)
]
DnsName = Annotated[str, Written(values.dns_name, str, patterns.DNS_NAME)]
Interface = Annotated[str, Written(values.interface, str, patterns.INTERFACE)]
Argument = Annotated[str, Written(values.argument, str, patterns.ARGUMENT)]
Process = Annotated[str, Written(values.process, str, patterns.PROCESS)]

Whole = Annotated[int, pydantic.Field(strict=True)]
Metric = Annotated[Whole, pydantic.Field(ge=0, le=0xFFFF_FFFF)]
Port = Annotated[Whole, pydantic.Field(ge=1, le=0xFFFF)]
Prepend = Annotated[Whole, pydantic.Field(ge=0, le=10)]
Flag = Annotated[bool, pydantic.Field(strict=True)]

Unique = NothingTwice()
Networks = Annotated[tuple[Network, ...], pydantic.Field(min_length=1, max_length=64)]
NetworksOrAuto = Annotated[tuple[model.Network, ...] | Literal["auto"], OrAuto()]
Classes = Annotated[tuple[model.PrefixClass, ...], pydantic.Field(min_length=1), Unique]


class Section(pydantic.BaseModel):
    """A mapping of the settings: camelCase keys, none unknown, never changed once read."""

    model_config = pydantic.ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=alias_generators.to_camel,
        serialize_by_alias=True,
    )
