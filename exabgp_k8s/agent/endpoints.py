"""What HTTP serves: the latest turn, metrics and probes; on the unix socket also the drain."""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections.abc import Callable, Mapping

from exabgp_k8s.adapters import http, metrics
from exabgp_k8s.agent import front
from exabgp_k8s.agent.draining import Draining
from exabgp_k8s.agent.latest import Latest
from exabgp_k8s.core.facts import model, printable
from exabgp_k8s.core.report import readiness, routes, rows, session, summary

STALE_AFTER = 10.0
"""Seconds without a turn after which the loop counts as hung; it turns at least once a second."""
LONGEST_PREFIX = 49
"""Characters of an IPv6 prefix that is written out, its end as an IPv4 address."""
MOST_ENTRIES = 200
"""Of the history; no more are kept."""
WAIT_LIMIT = 3600.0
"""Seconds that a drain may be waited for at most."""


def readable(latest: Latest, exposition: metrics.Metrics) -> http.Routes:
    """Return what anybody who reaches the node may read."""
    tables: Mapping[str, Callable[[], object]] = {
        "/v1/status": lambda: _status(latest),
        "/v1/sessions": lambda: rows.sessions(latest.turn, latest.clock()),
        "/v1/routes": lambda: routes.rows(latest.turn),
        "/v1/checks": lambda: rows.checks(latest.turn, latest.clock()),
    }

    async def show_metrics(_: http.Request) -> http.Response:
        return http.Response(body=exposition.render(), content_type=metrics.CONTENT_TYPE)

    async def why(request: http.Request) -> http.Response:
        return _why(latest, request)

    async def show_session(request: http.Request) -> http.Response:
        return _session(latest, request)

    async def history(request: http.Request) -> http.Response:
        return _history(latest, request)

    async def page(request: http.Request) -> http.Response:
        return front.show(latest, _status(latest), request.accept)

    async def healthz(_: http.Request) -> http.Response:
        return _healthz(latest)

    async def readyz(_: http.Request) -> http.Response:
        return _readyz(latest)

    return {
        **{("GET", path): _show(row) for path, row in tables.items()},
        ("GET", "/"): page,
        ("GET", "/v1/history"): history,
        ("GET", "/v1/session"): show_session,
        ("GET", "/v1/why"): why,
        ("GET", "/metrics"): show_metrics,
        ("GET", "/healthz"): healthz,
        ("GET", "/readyz"): readyz,
    }


def controlling(latest: Latest, draining: Draining) -> http.Routes:
    """Return what only the owner of the unix socket may do."""

    async def drain(request: http.Request) -> http.Response:
        if request.query.get("stop") == "1":
            await draining.stop()
        else:
            draining.drain()
        return await _drained(latest, draining, request)

    async def undrain(_: http.Request) -> http.Response:
        draining.undrain()
        await draining.caught_up()
        return http.as_json(_status(latest))

    return {("POST", "/v1/drain"): drain, ("POST", "/v1/undrain"): undrain}


def _status(latest: Latest) -> Mapping[str, object]:
    return {**summary.status(latest.turn, latest.clock()), "bgpspeaker": latest.published()}


def _show(row: Callable[[], object]) -> http.Route:
    async def show(_: http.Request) -> http.Response:
        return http.as_json(row())

    return show


def _why(latest: Latest, request: http.Request) -> http.Response:
    prefix: model.Network | None = None
    if text := request.query.get("prefix"):
        try:
            # Longer ones are a zone (RFC 4007 section 11), which no prefix has.
            prefix = ipaddress.ip_network(text[:LONGEST_PREFIX])
        except ValueError:
            shown = printable.one_line(text, LONGEST_PREFIX)
            return http.as_json({"error": f"{shown}: write a prefix like 10.96.0.0/16"}, 400)
    found = routes.why(latest.turn, prefix, latest.clock())
    if prefix is not None and not found:
        known = [str(each.prefix) for each in latest.turn.decision.prefixes if each.prefix]
        hint = f"This node's prefixes are: {' '.join(known) or 'none'}"
        error = f"{prefix} is no prefix of this node"
        return http.as_json({"error": error, "known": known, "hint": hint}, 404)
    return http.as_json(found)


def _session(latest: Latest, request: http.Request) -> http.Response:
    name = request.query.get("name", "")
    found = session.row(latest.turn, name, latest.clock())
    if found is not None:
        return http.as_json(found)
    known = [row["peer"] for row in rows.sessions(latest.turn, latest.clock())]
    error = f"no peer of this node is called {printable.one_line(name, 80)}"
    hint = (
        f"There are: {', '.join(known) or 'none'}\n"
        "A peer whose nodeSelector does not match this Node is none of its peers."
    )
    return http.as_json({"error": error, "known": known, "hint": hint}, 404)


def _history(latest: Latest, request: http.Request) -> http.Response:
    """Return the last decisions; ``n`` and ``since`` say how many and how old at most."""
    since = request.query.get("since")
    try:
        count = int(request.query.get("n", f"{MOST_ENTRIES}")[:9])
        seconds = None if since is None else float(since)
    except ValueError:
        return http.as_json({"error": "n: write a number, and since: a number of seconds"}, 400)
    return http.as_json(latest.history(max(0, min(count, MOST_ENTRIES)), seconds))


def _healthz(latest: Latest) -> http.Response:
    """Answer for the loop only: never for the API server, never for BGP."""
    age = latest.clock() - latest.turned_at
    status = 200 if age < STALE_AFTER else 503
    return http.as_json({"last_turn_seconds": round(age, 3)}, status)


def _readyz(latest: Latest) -> http.Response:
    """Ready: a rollout may go on to the next node."""
    missing = readiness.missing(latest.turn)
    answer = {
        "ready": not missing,
        "missing": missing,
        "not_announced": readiness.lacking(latest.turn),
    }
    return http.as_json(answer, 503 if missing else 200)


async def _drained(latest: Latest, draining: Draining, request: http.Request) -> http.Response:
    try:
        limit = min(float(request.query.get("wait", "0")), WAIT_LIMIT)
    except ValueError:
        limit = math.nan
    if math.isnan(limit):
        return http.as_json({"error": "wait: write a number of seconds"}, 400)
    await draining.caught_up()
    if limit > 0:
        try:
            await asyncio.wait_for(draining.wait(), limit)
        except TimeoutError:
            return http.as_json(_status(latest), 504)
    return http.as_json(_status(latest))
