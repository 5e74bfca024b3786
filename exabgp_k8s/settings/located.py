"""The address of a router as it is written: one, or where each node finds it."""

from __future__ import annotations

import enum
from typing import Any

from exabgp_k8s.core.facts import model, routers
from exabgp_k8s.settings import addresses, patterns, values

KEY, LINK = "fromAnnotation", "interface"


class Gateway(enum.StrEnum):
    """The gateway that the kernel uses by default."""

    EACH = "default-gateway"
    """One peer for each of the families."""
    IPV4 = "default-gateway-ipv4"
    IPV6 = "default-gateway-ipv6"


Located = model.Address | Gateway | routers.Annotated | routers.OnLink

FAMILIES = {Gateway.IPV4: model.Family.IPV4, Gateway.IPV6: model.Family.IPV6}

SCHEMA: dict[str, Any] = {
    "examples": ["192.0.2.1", "2001:db8::1", "default-gateway", {LINK: "eth1"}],
    "anyOf": [
        {"type": "string"} | patterns.ROUTER,
        {"enum": [str(each) for each in Gateway]},
        {
            "type": "object",
            "properties": {KEY: {"type": "string"} | patterns.LABEL_KEY},
            "required": [KEY],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {LINK: {"type": "string"} | patterns.LINK},
            "required": [LINK],
            "additionalProperties": False,
        },
    ],
}


def read(value: object) -> Located:
    """Return the address of a router, or where each node finds it."""
    if isinstance(value, dict):
        if value.keys() == {LINK}:
            return routers.OnLink(interface=addresses.interface(value[LINK]))
        if value.keys() != {KEY}:
            raise ValueError(
                f"write an address, {Gateway.EACH}, {{{KEY}: example.com/router}} or "
                f"{{{LINK}: eth1}}"
            )
        return routers.Annotated(key=values.label_key(value[KEY]))
    if isinstance(value, str) and value in list(Gateway):
        return Gateway(value)
    if isinstance(value, str) and value.startswith("default"):
        listed = ", ".join(Gateway)
        raise ValueError(f"{values.quoted(value)} is no address; write one, or one of {listed}")
    return addresses.router(value)


def write(value: Located) -> Any:
    """Return an address as it was written."""
    match value:
        case routers.Annotated(key=key):
            return {KEY: key}
        case routers.OnLink(interface=name):
            return {LINK: name}
        case _:
            return str(value)


def places(
    value: Located, families: tuple[model.Family, ...]
) -> tuple[model.Address | routers.Where, ...]:
    """Return the address that is meant, or the places where a node finds one or more."""
    match value:
        case Gateway.EACH:
            return tuple(routers.Gateway(family=family) for family in families)
        case Gateway():
            return (routers.Gateway(family=FAMILIES[value]),)
        case _:
            return (value,)
