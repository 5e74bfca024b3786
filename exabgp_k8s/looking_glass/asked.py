"""What a request asks for: a page or its JSON, which part of a long table, which rows.

All of it stands in the URL, so that what somebody sees can be sent to somebody else. Whatever
stands there, there is an answer: what cannot be understood counts as not written.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette import requests, types

from exabgp_k8s.core.facts import printable

JSON_SUFFIX = ".json"
LONGEST = 300
"""Characters of one parameter that are looked at; the longest name has 253."""
ROWS = 100
"""Of a table on one page: more than fits a screen, and quick to draw for any browser."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[Row]):
    """Some rows of a table, and where in it they are."""

    rows: Sequence[Row]
    number: int
    """Of this page, from 1."""
    pages: int
    total: int

    @property
    def first(self) -> int:
        """The number of the first row, from 1; 0: there is none."""
        return (self.number - 1) * ROWS + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """The number of the last row."""
        return max(self.first + len(self.rows) - 1, 0)


class Json:
    """Lets ``/nodes/n1.json`` be the JSON of ``/nodes/n1``.

    Args:
        app: what answers.
    """

    def __init__(self, app: types.ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"].endswith(JSON_SUFFIX):
            path = scope["path"].removesuffix(JSON_SUFFIX)
            scope = {**scope, "path": path, "state": {**scope.get("state", {}), "json": True}}
        await self._app(scope, receive, send)


def is_json(request: requests.Request) -> bool:
    """Say whether JSON is asked for: by the path, a parameter or, last, the header."""
    wanted = request.query_params.get("format", "")
    if wanted in ("json", "html"):
        return wanted == "json"
    if request.scope.get("state", {}).get("json"):
        return True
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def filters(request: requests.Request, names: Sequence[str]) -> dict[str, str]:
    """Return the parameters of these names, clean and short; empty where one is not written."""
    written = ((name, request.query_params.get(name, "")) for name in names)
    return {name: printable.one_line(value, LONGEST) for name, value in written}


def part(request: requests.Request, rows: Sequence[Row]) -> Part[Row]:
    """Return the rows of the page that is asked for."""
    written = request.query_params.get("page", "1")[:9]
    pages = max(-(-len(rows) // ROWS), 1)
    is_number = written.isascii() and written.isdigit()
    number = min(max(int(written), 1), pages) if is_number else 1
    return Part(
        rows=rows[(number - 1) * ROWS : number * ROWS],
        number=number,
        pages=pages,
        total=len(rows),
    )


def query(chosen: Mapping[str, str], **more: str | int) -> str:
    """Return a link's query with some parameters changed; an empty one is left out."""
    found = {**chosen, **{name: str(value) for name, value in more.items()}}
    written = urllib.parse.urlencode({name: value for name, value in found.items() if value})
    return f"?{written}" if written else "?"
