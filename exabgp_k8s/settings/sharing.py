"""Peers that have one address: refused, unless no node can have both.

A gateway is often called the same in every rack, and each rack's nodes mean another router by it.
A node that was meant to have two of them would have to choose, so it must be certain from the
document alone that there is none, whatever labels nodes will have.

That can be told exactly. Labels do not depend on each other, and a label has no end of values: two
selectors have a node in common unless there is a label that cannot be as both of them want it.
"""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from exabgp_k8s.core.facts import config, model, routers

MOST_PAIRS = 20_000
"""Compared in one document, in a fraction of a second; what follows is refused unlooked at."""
MOST_VALUES = 5
"""Written into one message."""

TOO_MANY = (
    "too many peers have the address {} to compare them all; give each of them another value of "
    "one label, such as matchLabels: {{example.com/rack: a}}"
)

Labels = Mapping[str, str | None]
"""The labels of a node, as far as they matter; None: it must not have this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One peer of the document, and the nodes that it is for."""

    name: str
    path: str
    """Of its address."""
    address: model.Address | routers.Where
    """Or where the node finds it: there it is the same, too."""
    selector: config.Selector


def find(claims: Sequence[Claim]) -> Iterator[tuple[Claim, str]]:
    """Yield each peer that a node might have beside an earlier one of its address, and why."""
    groups: dict[model.Address | routers.Where, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.address, []).append(claim)
    left, told = MOST_PAIRS, set[str]()
    for address, group in groups.items():
        for first, second in _pairs(group) if len(group) > 1 else ():
            if not left:
                yield second, TOO_MANY.format(address)
                return
            left -= 1
            labels = in_common(first.selector, second.selector)
            if labels is not None and second.path not in told:
                told.add(second.path)
                yield second, _message(first, second, labels)


def in_common(one: config.Selector, other: config.Selector) -> Labels | None:
    """Return labels of a node that both selectors select; None: there cannot be one."""
    asked: dict[str, list[config.Requirement]] = {}
    for each in (*one.requirements, *other.requirements):
        asked.setdefault(each.key, []).append(each)
    found: dict[str, str | None] = {}
    for key, requirements in asked.items():
        for value in _candidates(requirements):
            labels = {} if value is None else {key: value}
            if all(each.matches(labels) for each in requirements):
                found[key] = value
                break
        else:
            return None
    return found


def _candidates(requirements: Sequence[config.Requirement]) -> Iterator[str | None]:
    """Yield values of one label of which one will do if any does: no label, and a new value."""
    listed = {value for each in requirements for value in each.values}
    yield from sorted(listed)
    yield None
    yield next(word for n in itertools.count(1) if (word := f"any{n}") not in listed)


def _pairs(group: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Yield the pairs that may have a node in common, without those that a label tells apart.

    With a rack's label in every selector that leaves none of a thousand racks.
    """
    values = [_values_of(each.selector) for each in group]
    common = set[str].intersection(*(set(each) for each in values))
    if not common:
        yield from itertools.combinations(group, 2)
        return
    key = max(sorted(common), key=lambda key: len({each[key] for each in values}))
    alike: dict[str, list[Claim]] = collections.defaultdict(list)
    for claim, found in zip(group, values, strict=True):
        for value in sorted(found[key]):
            alike[value].append(claim)
    for members in alike.values():
        yield from itertools.combinations(members, 2)


def _values_of(selector: config.Selector) -> Mapping[str, frozenset[str]]:
    """Return the values that a selector allows, for each label that it lists values of."""
    return {
        each.key: each.values
        for each in selector.requirements
        if each.operator is config.Operator.IN
    }


def _message(first: Claim, second: Claim, labels: Labels) -> str:
    words = [_word(key, value) for key, value in labels.items()]
    node = f"a node with {' and '.join(words)}" if words else "every node"
    return (
        f"{second.address} is the address of {first.name} at {first.path} already, and {node} "
        f"would have both; {_advice(first, second)}"
    )


def _word(key: str, value: str | None) -> str:
    return f"no label {key}" if value is None else f"{key}: {value}"


def _advice(first: Claim, second: Claim) -> str:
    one, other = _values_of(first.selector), _values_of(second.selector)
    for known, beside, claim in ((one, other, second), (other, one, first)):
        for key, values in known.items():
            if key not in beside and len(values) <= MOST_VALUES:
                return (
                    f"to keep {claim.name} off these nodes, add {{key: {key}, operator: NotIn, "
                    f"values: [{', '.join(sorted(values))}]}} to its nodeSelector.matchExpressions"
                )
    return (
        "write nodeSelectors with different values of one label, such as matchLabels: "
        "{example.com/rack: a} and {example.com/rack: b}, or remove one of the two"
    )
