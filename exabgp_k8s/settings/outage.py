"""``outageBudget``: how many nodes may be withdrawn at once, and for which causes that counts."""

from __future__ import annotations

import enum
from typing import Annotated

import pydantic

from exabgp_k8s.core.facts import config, model
from exabgp_k8s.settings import fields, patterns

DEFAULT = config.Budget()
WHOLE = 100
"""Per cent."""


class Coverable(enum.StrEnum):
    """The causes that can be made to need a slot: those that may hit every node by mistake."""

    UNHEALTHY = model.Reason.UNHEALTHY.value
    CORDONED = model.Reason.CORDONED.value


def _read(value: object) -> tuple[int, bool]:
    """Read a number of nodes, or a percentage; return whether it is one beside it."""
    if type(value) is int and value >= 0:
        return value, False
    digits = value[:-1] if isinstance(value, str) and value.endswith("%") else ""
    if digits.isascii() and digits.isdecimal() and int(digits) <= WHOLE:
        return int(digits), True
    raise ValueError("write a number of nodes, for example 3, or a percentage from 0% to 100%")


def _write(value: tuple[int, bool]) -> int | str:
    amount, is_percent = value
    return f"{amount}%" if is_percent else amount


NodesOrPercent = Annotated[
    tuple[int, bool],
    fields.Written(
        _read,
        _write,
        patterns.text(f"0*{patterns.up_to(WHOLE)}%", "a number, or a percentage", "50%")
        | {"type": ["integer", "string"], "minimum": 0},
    ),
]


class OutageBudget(fields.Section):
    """How many nodes may be withdrawn at once; the agents share it through Leases."""

    max_unavailable: NodesOrPercent = pydantic.Field(
        (DEFAULT.amount, DEFAULT.is_percent), json_schema_extra={"default": f"{DEFAULT.amount}%"}
    )
    """A number of nodes, or a percentage of them, rounded up; 100%: as many as fail."""
    covers: Annotated[tuple[Coverable, ...], pydantic.Field(min_length=1), fields.Unique] = (
        Coverable.UNHEALTHY,
    )
    """The causes that need a slot of the budget to withdraw: unhealthy, against a wrong health
    check; cordoned too, against a mistaken cordon of every node. Others only count."""
    without_api: config.WithoutApi = pydantic.Field(DEFAULT.without_api, alias="withoutAPI")
    """What such a cause does while the Leases cannot be read or written. withdraw: the node's own
    word counts; keep: it stays announced."""


def to_core(section: OutageBudget) -> config.Budget | None:
    """Return the budget; None where every node may be withdrawn."""
    amount, is_percent = section.max_unavailable
    if is_percent and amount == WHOLE:
        return None
    return config.Budget(
        amount=amount,
        is_percent=is_percent,
        covers=frozenset(model.Reason(each.value) for each in section.covers),
        without_api=section.without_api,
    )
