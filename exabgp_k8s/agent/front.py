"""``GET /``: the node on one page, in the form that the client takes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import exabgp_k8s
from exabgp_k8s.adapters import http
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.core.report import routes, rows

TEXT, HTML = "text/plain", "text/html"
LATEST = 5
"""Decisions of the history on the page."""
SAFETY = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    ("Vary", "Accept"),
)


def show(latest: Latest, status: Any, accept: str) -> http.Response:
    """Return the page of this node as it is now."""
    # A few ten kilobytes that only a node needs whose page somebody reads.
    from exabgp_k8s.shown import markup, page  # noqa: PLC0415

    turn, now = latest.turn, latest.clock()
    found = page.of(
        page.Facts(
            version=exabgp_k8s.__version__,
            moment=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
            status=status,
            sessions=rows.sessions(turn, now),
            why=routes.why(turn, None, now),
            checks=rows.checks(turn, now),
            history=latest.history(LATEST, None),
        )
    )
    if not is_html_wanted(accept):
        return _response(page.text(found), TEXT)
    return _response(page.html(found), HTML, (("Content-Security-Policy", markup.POLICY),))


def _response(body: str, kind: str, headers: Sequence[tuple[str, str]] = ()) -> http.Response:
    return http.Response(
        body=body.encode(),
        content_type=f"{kind}; charset=utf-8",
        headers=(*SAFETY, *headers),
    )


def is_html_wanted(accept: str) -> bool:
    """Return whether a client asks for HTML by its name, and not for plain text rather.

    Browsers do; curl takes anything, and is given what a terminal shows.
    """
    wanted = dict(_preferences(accept))
    return wanted.get(HTML, 0) > 0 and wanted[HTML] >= wanted.get(TEXT, 0)


def _preferences(accept: str) -> Sequence[tuple[str, float]]:
    """Return how much each form is wanted (RFC 9110 section 12.4.2); what is none is 0."""
    found = []
    for each in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        weights = [part[2:] for part in parameters if part.startswith("q=")]
        try:
            found.append((kind, float(weights[0]) if weights else 1.0))
        except ValueError:
            found.append((kind, 0.0))
    return found
