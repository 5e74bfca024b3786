"""A whole collection, page by page, of which only what is wanted is held.

Two thousand Nodes are some dozen megabytes of JSON, and ten times as much once they are decoded;
of each we want a few words. So each page is made small before the next one is asked for. A page
that is larger than any answer that we read is asked for again in parts: how large a Node is, with
its images and its managed fields, nobody knows beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from exabgp_k8s import errors
from exabgp_k8s.adapters.kube import client
from exabgp_k8s.wire import kube

MOST_PAGES = 1000
"""Answers to one question: a list without an end is none."""
PART = 4
"""By how much less is asked for when a page is too large; a single object never is."""

Value = TypeVar("Value")


def read(
    api: client.Client,
    path: str,
    parse: Callable[[Any], Value],
    *,
    size: int,
    query: Mapping[str, str] | None = None,
) -> Iterator[Value]:
    """Yield what is made of each object of a collection.

    Args:
        api: where to ask.
        path: of the collection.
        parse: makes of an object what is held of it.
        size: how many to ask for at once.
        query: selectors.

    Raises:
        errors.KubeError: the API server could not be asked, or its answer is no list.
    """
    asked = dict(query or {})
    for _ in range(MOST_PAGES):
        asked["limit"] = str(size)
        try:
            body = api.request("GET", path, query=asked)
        except errors.TooLarge:
            if size == 1:
                raise
            size = max(1, size // PART)
            continue
        items, rest = kube.parse_page(body)
        yield from map(parse, items)
        if not rest:
            return
        asked["continue"] = rest
    raise errors.KubeError(f"the list of {path.rpartition('/')[2]} has no end")
