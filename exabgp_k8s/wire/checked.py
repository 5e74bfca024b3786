"""Settings that were checked, as text: the way from the process that checked them to the agent.

What checks a document weighs more than the agent itself, so it runs in a process that ends, and
what it found travels as JSON. Each value says what it is, so that it is the same value again or
none at all: whoever reads refuses what it does not know. The digest ties the values to the text
they were made of, by this version of the program; for any other text they are no answer.

No password is in it: the settings only name the keys of the Secret.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import exabgp_k8s
from exabgp_k8s.core.facts import asns, bfd, config, model, offer, places, pod_ranges, routers

VALUES: tuple[type[Any], ...] = (
    config.Config,
    asns.OfTheNode,
    places.OnInterface,
    places.InSubnet,
    config.Peer,
    offer.Offer,
    bfd.Timing,
    config.Sought,
    routers.Gateway,
    routers.Annotated,
    routers.OnLink,
    config.Selector,
    config.Requirement,
    config.Cell,
    config.Check,
    config.HttpProbe,
    config.TcpProbe,
    config.ExecProbe,
    config.DnsProbe,
    config.ProcessProbe,
    config.InterfaceProbe,
    config.HoldDown,
    config.Budget,
    model.Attributes,
    model.Taint,
)
WORDS: tuple[type[enum.StrEnum], ...] = (
    config.Operator,
    asns.Relation,
    asns.Source,
    config.LocalAddress,
    config.WithoutApi,
    pod_ranges.PodSource,
    model.Family,
    model.PrefixClass,
    model.Action,
    model.Reason,
)
NUMBERS: tuple[type[Any], ...] = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
)
AS_THEY_ARE = frozenset({type(None), bool, int, float, str})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A configuration, and which text it was made of."""

    digest: str
    config: config.Config


def digest(text: str) -> str:
    """Return what identifies a text of the settings for this version of the program."""
    return hashlib.sha256(f"{exabgp_k8s.__version__}\n{text}".encode()).hexdigest()


def dump(settings: config.Config, text: str) -> str:
    """Return what ``load`` reads back.

    Args:
        settings: the configuration that a document means.
        text: that document.
    """
    return json.dumps({"digest": digest(text), "config": _plain(settings)})


def load(document: str) -> Checked | None:
    """Return what was dumped; None if it is not the whole of it, or something else."""
    try:
        found = json.loads(document)
        settings = _value(found["config"])
        identity = found["digest"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if not isinstance(settings, config.Config) or not isinstance(identity, str):
        return None
    return Checked(digest=identity, config=settings)


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in AS_THEY_ARE:
        return value
    if kind is tuple:
        return [_plain(each) for each in value]
    if kind in VALUES:
        return {kind.__name__: _fields(value)}
    if kind in WORDS or kind in NUMBERS:
        return {kind.__name__: str(value)}
    if kind is asns.Dotted:
        return {"dotted": int(value)}
    if kind is frozenset:
        return {"set": [_plain(each) for each in sorted(value)]}
    if kind is dict:
        return {"mapping": [[_plain(key), _plain(each)] for key, each in value.items()]}
    raise TypeError(f"{kind} is no value of the settings")


def _fields(value: Any) -> Mapping[str, Any]:
    """Return what is not as by default: of thousands of peers only what was written."""
    found = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
    return {field.name: _plain(each) for field, each in found if each != _default(field)}


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _value(plain: Any) -> Any:
    if isinstance(plain, list):
        return tuple(_value(each) for each in plain)
    if isinstance(plain, dict):
        ((name, content),) = plain.items()
        return READERS[name](content)
    return plain


def _reader(kind: type[Any]) -> Callable[[Mapping[str, Any]], Any]:
    return lambda content: kind(**{name: _value(each) for name, each in content.items()})


READERS: Mapping[str, Callable[[Any], Any]] = {
    **{kind.__name__: _reader(kind) for kind in VALUES},
    **{kind.__name__: kind for kind in (*WORDS, *NUMBERS)},
    "dotted": asns.Dotted,
    "set": lambda content: frozenset(_value(each) for each in content),
    "mapping": lambda content: {_value(key): _value(each) for key, each in content},
}
