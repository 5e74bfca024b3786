"""AS numbers of the settings: one number, or two with a point, or where a node says its own."""

from __future__ import annotations

import re
from typing import Any

from exabgp_k8s.core.facts import asns
from exabgp_k8s.settings import decimals, patterns, values

FROM = {"fromLabel": asns.Source.LABEL, "fromAnnotation": asns.Source.ANNOTATION}

PLAIN = re.compile(r"-?[0-9]{1,20}", re.ASCII)

NUMBER: tuple[dict[str, Any], ...] = (
    {
        "type": "integer",
        "minimum": 1,
        "maximum": asns.HIGHEST,
        "not": {"enum": sorted(asns.RESERVED)},
    },
    {"type": "string", "pattern": f"^{asns.DOTTED.pattern}$"},
    # Without quotes, two numbers with a point look like one with a fraction.
    {
        "type": "number",
        "not": {"type": "integer"},
        "minimum": 0.1,
        "exclusiveMaximum": asns.HALF + 1,
    },
)
_EXAMPLES = {"examples": [64512, "65000.1"]}
OWN: dict[str, Any] = _EXAMPLES | {
    "anyOf": [
        *NUMBER,
        {
            "type": "object",
            "properties": {key: {"type": "string"} | patterns.LABEL_KEY for key in FROM},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
    ]
}
ROUTERS: dict[str, Any] = _EXAMPLES | {
    "anyOf": [*NUMBER, {"enum": [str(each) for each in asns.Relation]}]
}


def number(value: object, otherwise: str = "") -> int:
    """Return an AS number that a speaker may have, which knows whether it had a point.

    Args:
        value: what is written.
        otherwise: what else may be written, for the message.
    """
    written = _text(value)
    if isinstance(value, str) and asns.WHOLE.fullmatch(value):
        raise ValueError(f"write the number without quotes: {value}")
    found = asns.read(written)
    if found is None:
        raise ValueError(_why(written, otherwise))
    return found


def _text(value: object) -> str:
    match value:
        case bool():
            return ""
        case decimals.Decimal():
            return value.text
        case int() | str():
            return str(value)
        case _:
            return ""


def _why(written: str, otherwise: str) -> str:
    """Return why a text is no AS number of a speaker."""
    is_number = asns.DOTTED.fullmatch(written) or PLAIN.fullmatch(written)
    match [int(part) for part in written.split(".")] if is_number else []:
        case [high, low] if max(high, low) > asns.HALF:
            return f"{values.quoted(written)}: each of the two is at most {asns.HALF}"
        case [value] if value < 1:
            return f"{value} is too small; write at least 1"
        case [value] if value > asns.HIGHEST:
            return f"{written[:20]} is too large; write at most {asns.HIGHEST}"
        case []:
            return f"write a whole number, or two of 16 bits as in 65000.1{otherwise}"
        case _:
            return f"AS {written} is reserved; write the number of a real or private AS"


def own(value: object) -> int | asns.OfTheNode:
    """Return our AS number, or where each node says its own."""
    if not isinstance(value, dict):
        return number(value, ", or {fromLabel: example.com/asn}")
    if len(value) != 1 or not value.keys() <= FROM.keys():
        raise ValueError(
            "write a number, or one of {fromLabel: example.com/asn} and "
            "{fromAnnotation: example.com/asn}"
        )
    ((kind, key),) = value.items()
    return asns.OfTheNode(source=FROM[kind], key=values.label_key(key))


def router(value: object) -> int | asns.Relation:
    """Return the AS number of a router, or that any external or only ours will do."""
    if isinstance(value, str) and value in list(asns.Relation):
        return asns.Relation(value)
    return number(value, ", or external or internal")


def write(value: int | asns.OfTheNode | asns.Relation) -> Any:
    """Return an AS number as it was written."""
    match value:
        case asns.OfTheNode():
            kind = next(key for key, source in FROM.items() if source is value.source)
            return {kind: value.key}
        case asns.Relation() | asns.Dotted():
            return str(value)
        case _:
            return value
