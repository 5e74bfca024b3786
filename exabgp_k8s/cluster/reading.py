"""Values out of an object that anybody with the right may have written: checked, cut, cleaned.

Nothing here raises. What is of the wrong type, too long or too many is left out, and text is one
printable line, so whoever shows it need not think of terminals.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from exabgp_k8s.core.facts import printable

LONGEST_NAME = 253
"""Characters of the name of an object (RFC 1123 subdomain)."""
MOST = 64
"""Items of a list that are read; the agents write half as many."""
MOST_LABELS = 256
LONGEST_KEY = 317
"""Characters of a label's key: 253 of a prefix, a slash and 63 of a name."""
LARGEST = 2**32 - 1
"""The largest number that stands in an object: that of an AS."""

_OFTEN, _KNOWN = 64, 8192
"""Characters of a text that may stand in each of thousands of objects, and how many such texts are
kept: peers, states, reasons and moments are a million in a large cluster, and few."""

_MOMENT = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z",
    re.ASCII,
)


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object, most: int = MOST) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list."""
    for item in value[:most] if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item


def text(value: object, limit: int = printable.LIMIT) -> str:
    """Return text as one printable line, or none."""
    if not isinstance(value, str):
        return ""
    return _cleaned(value, limit) if len(value) <= _OFTEN else printable.one_line(value, limit)


@functools.lru_cache(maxsize=_KNOWN)
def _cleaned(value: str, limit: int) -> str:
    """Return a short text cleaned; of the same ones there is one in memory, too."""
    return printable.one_line(value, limit)


def texts(value: object, most: int = MOST) -> tuple[str, ...]:
    """Return the texts of a list, without those that are empty."""
    found = [text(item) for item in value[:most]] if isinstance(value, list) else []
    return tuple(found) if all(found) else tuple(each for each in found if each)


def number(value: object) -> int | None:
    """Return a number that counts something, or None."""
    is_one = type(value) is int and 0 <= value <= LARGEST
    return value if is_one and isinstance(value, int) else None


def flag(value: object) -> bool:
    """Return whether it is true, and nothing but true."""
    return value is True


def moment(value: object) -> str | None:
    """Return a time as the API writes it, or None."""
    return _moment(value) if isinstance(value, str) and len(value) <= _OFTEN else None


@functools.lru_cache(maxsize=_KNOWN)
def _moment(value: str) -> str | None:
    return value if _MOMENT.fullmatch(value) else None


def labels(value: object) -> Mapping[str, str]:
    """Return labels with their values, of a limited number."""
    found = {}
    for key, item in list(mapping(value).items())[:MOST_LABELS]:
        if isinstance(key, str) and isinstance(item, str):
            found[text(key, LONGEST_KEY)] = text(item)
    return found
