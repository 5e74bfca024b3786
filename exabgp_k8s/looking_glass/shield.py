"""Around every answer: what a browser may do with it, and what is not answered at all.

The pages hold text that routers and people wrote. It is escaped where it is written; these headers
are the second wall: no script, style, frame or connection that is not ours, whatever a page says.
There is nothing to write here, so only GET and HEAD are served, and no request has a body.
"""

from __future__ import annotations

from starlette import datastructures, responses, types

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

METHODS = "GET, HEAD"


class Shield:
    """Puts the headers on every answer, and refuses what nobody needs to ask.

    Args:
        app: what answers the rest.
    """

    def __init__(self, app: types.ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: types.Scope, receive: types.Receive, send: types.Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def shielded(message: types.Message) -> None:
            if message["type"] == "http.response.start":
                headers = datastructures.MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        app = _refusal(scope) or self._app
        await app(scope, receive, shielded)


def _refusal(scope: types.Scope) -> responses.Response | None:
    if scope["method"] not in METHODS.split(", "):
        return responses.PlainTextResponse(
            f"This server only shows: {METHODS}\n", 405, {"Allow": METHODS, "Connection": "close"}
        )
    headers = datastructures.Headers(scope=scope)
    if headers.get("content-length", "0").strip("0") or "transfer-encoding" in headers:
        return responses.PlainTextResponse(
            "No request to this server has a body\n", 413, {"Connection": "close"}
        )
    return None
