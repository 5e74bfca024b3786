"""The paths, and how a page becomes an answer: HTML, or the same as JSON.

A page is made once for each picture, however many browsers ask for it when the picture changes.
Making it is computing, so it is done beside the loop, two at a time.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette import applications, exceptions, requests, responses, routing, types

import exabgp_k8s
from exabgp_k8s.cluster import measures
from exabgp_k8s.looking_glass import asked, gallery, live, pages, picture, rendering, shield

AT_ONCE = 2
KEPT, LARGEST = 64, 512 * 1024
"""Pages of the newest picture that are kept, and bytes of one that is."""
FOR_EVER = "public, max-age=31536000, immutable"

PROBES = ALIVE, READY = "/healthz", "/readyz"

PATHS: tuple[tuple[str, pages.View], ...] = (
    ("/", pages.cluster),
    ("/cluster", pages.cluster),
    ("/nodes", pages.cluster),
    ("/nodes/{name}", pages.node),
    ("/routers", pages.routers),
    ("/routers/{name:path}", pages.router),
    ("/prefixes", pages.prefixes),
    ("/prefixes/{prefix:path}", pages.prefix),
    ("/changes", pages.changes),
    ("/search", pages.search),
)

Answer = Callable[[requests.Request], Awaitable[responses.Response]]


def make(shown: gallery.Gallery) -> types.ASGIApp:
    """Return the whole application."""
    written = _Written(shown)
    routes = [routing.Route(path, written.answer(view)) for path, view in PATHS]
    app = applications.Starlette(
        routes=[
            *routes,
            routing.Route("/live", functools.partial(_live, shown.live)),
            routing.Route("/metrics", functools.partial(_metrics, shown)),
            routing.Route(ALIVE, functools.partial(_healthz, shown)),
            routing.Route(READY, functools.partial(_readyz, shown)),
            routing.Route("/static/{digest}/{name}", _static),
        ],
        exception_handlers={404: written.answer(_nowhere), 500: _failed},
    )
    # A redirect would have to name this server, which is known by its Host header only.
    app.router.redirect_slashes = False
    return shield.Shield(asked.Json(app))


class _Written:
    """Pages as answers; those of the newest picture are kept for who asks next."""

    def __init__(self, shown: gallery.Gallery) -> None:
        self._gallery = shown
        self._templates = rendering.environment()
        self._kept: dict[tuple[str, bytes, bool], responses.Response] = {}
        self._of: picture.Picture | None = None
        self._limit = asyncio.Semaphore(AT_ONCE)

    def answer(self, view: pages.View) -> Any:
        """Return what answers a request for a page."""

        async def answer(
            request: requests.Request, _: Exception | None = None
        ) -> responses.Response:
            async with self._limit:
                # Only now: who waited is not to be shown what was new before.
                newest = self._gallery.newest
                if newest is None:
                    return self._not_yet()
                return await self._made(newest, view, request)

        return answer

    async def _made(
        self, newest: picture.Picture, view: pages.View, request: requests.Request
    ) -> responses.Response:
        if self._of is not newest:
            self._kept, self._of = {}, newest
        key = (request.scope["path"], request.scope["query_string"], asked.is_json(request))
        if key not in self._kept:
            made = await asyncio.to_thread(self._write, newest, view, request)
            if self._of is not newest or len(self._kept) >= KEPT or len(made.body) > LARGEST:
                return made
            self._kept[key] = made
        return self._kept[key]

    def _write(
        self, newest: picture.Picture, view: pages.View, request: requests.Request
    ) -> responses.Response:
        page = view(newest, request)
        if asked.is_json(request):
            body = json.dumps({"at": newest.moment, "version": newest.version, "rows": page.rows})
            return responses.Response(body + "\n", page.status, media_type="application/json")
        path = request.url.path
        text = self._templates.get_template(page.template).render(
            picture=newest,
            tone=picture.tone,
            route_tone=picture.route_tone,
            problem=newest.problem,
            version=exabgp_k8s.__version__,
            here=path,
            json_link=asked.query(dict(request.query_params), format="json"),
            **page.more,
        )
        return responses.HTMLResponse(text, page.status)

    def _not_yet(self) -> responses.Response:
        problem = self._gallery.sources.problem
        text = self._templates.get_template("starting.html").render(
            problem=problem, version=exabgp_k8s.__version__
        )
        return responses.HTMLResponse(text, 503, {"Retry-After": "2"})


def _nowhere(_: picture.Picture, request: requests.Request) -> pages.Page:
    return pages.missing(f"There is no page {request.url.path!r}", "/", "the cluster")


async def _failed(_: requests.Request, __: Exception) -> responses.Response:
    return responses.PlainTextResponse("The page could not be made; see the server's log\n", 500)


async def _live(told: live.Live, request: requests.Request) -> responses.Response:
    if request.method == "HEAD":
        return responses.Response(media_type="text/event-stream")
    if told.is_full:
        return responses.PlainTextResponse("Too many pages are open; reload instead\n", 503)
    return responses.StreamingResponse(
        told.events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _metrics(shown: gallery.Gallery, _: requests.Request) -> responses.Response:
    newest = shown.newest
    if newest is None:
        return responses.PlainTextResponse("the objects have not been read yet\n", 503)
    text = await asyncio.to_thread(measures.text, newest.taken)
    return responses.Response(text, headers={"Content-Type": measures.CONTENT_TYPE})


async def _healthz(shown: gallery.Gallery, _: requests.Request) -> responses.Response:
    if shown.is_alive:
        return responses.PlainTextResponse("ok\n")
    return responses.PlainTextResponse("the objects are not read any more\n", 503)


async def _readyz(shown: gallery.Gallery, _: requests.Request) -> responses.Response:
    if shown.newest is not None:
        return responses.PlainTextResponse("ok\n")
    why = shown.sources.problem or "the objects have not been read yet"
    return responses.PlainTextResponse(f"{why}\n", 503)


async def _static(request: requests.Request) -> responses.Response:
    name = request.path_params["name"]
    if name not in rendering.STATIC:
        raise exceptions.HTTPException(404)
    return responses.Response(
        rendering.static(name),
        headers={"Content-Type": rendering.STATIC[name], "Cache-Control": FOR_EVER},
    )
