"""Our own end of a session, and the next hop: an address, or where each node has one."""

from __future__ import annotations

from typing import Any

from exabgp_k8s.core.facts import config, model, places
from exabgp_k8s.settings import addresses, patterns, values

PLACES = "{interface: bond0}, {subnet: 10.1.0.0/16}"


def _schema(form: dict[str, Any]) -> dict[str, Any]:
    properties = {"interface": patterns.INTERFACE, "subnet": patterns.NETWORK}
    return {
        "anyOf": [
            {"type": "string"} | form,
            {
                "type": "object",
                "properties": {key: {"type": "string"} | each for key, each in properties.items()},
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ],
        "examples": form["examples"],
    }


LOCAL_ADDRESS = _schema(patterns.LOCAL_ADDRESS)
NEXT_HOP = _schema(patterns.NEXT_HOP)


def local_address(value: object) -> model.Address | config.LocalAddress | places.Place:
    """Read ``node``, ``route``, a place or an address."""
    if isinstance(value, dict):
        return _place(value)
    if isinstance(value, str) and value in list(config.LocalAddress):
        return config.LocalAddress(value)
    try:
        return addresses.address(value)
    except ValueError as error:
        raise ValueError(f"write node, route, {PLACES} or an address: {error}") from None


def next_hop(value: object) -> model.Address | config.LocalAddress | places.Place:
    """Read ``node``, a place or an address."""
    if isinstance(value, dict):
        return _place(value)
    if value == config.LocalAddress.NODE:
        return config.LocalAddress.NODE
    try:
        return addresses.address(value)
    except ValueError as error:
        raise ValueError(f"write node, {PLACES} or an address: {error}") from None


def _place(written: dict[object, object]) -> places.Place:
    match written:
        case {"interface": name, **others} if not others:
            return places.OnInterface(interface=values.interface(name))
        case {"subnet": subnet, **others} if not others:
            return places.InSubnet(subnet=addresses.network(subnet))
        case _:
            raise ValueError(f"write one of {PLACES.replace(', ', ' and ')}")


def write(value: model.Address | config.LocalAddress | places.Place) -> Any:
    """Return what was written."""
    match value:
        case places.OnInterface():
            return {"interface": value.interface}
        case places.InSubnet():
            return {"subnet": str(value.subnet)}
        case _:
            return str(value)


def family(value: object) -> model.Family | None:
    """Return the only family that something written here has addresses of; None: either."""
    match value:
        case None | config.LocalAddress() | places.OnInterface():
            return None
        case places.InSubnet():
            return model.family_of(value.subnet)
        case _:
            return model.family_of(value)  # type: ignore[arg-type]  # what is left is an address
