"""The whole application without a socket: what it answers is computed here, in this process."""

from __future__ import annotations

import asyncio
import email.message
import urllib.parse
from pathlib import Path
from typing import Any, Self

from exabgp_k8s.adapters.kube import client
from exabgp_k8s.looking_glass import app, gallery, picture
from tests.cluster import samples
from tests.looking_glass import answers


class Inside:
    """An application that shows objects; nothing is watched.

    Args:
        nodes: the Nodes.
        speakers: the BGPSpeakers.
    """

    def __init__(self, nodes: list[Any], speakers: list[Any]) -> None:
        self._runner = asyncio.Runner()
        self._runner.run(self._make(nodes, speakers))

    async def _make(self, nodes: list[Any], speakers: list[Any]) -> None:
        shown = gallery.Gallery(client.Access(kubeconfig=Path("/nonexistent")))
        shown.newest = picture.Picture(version=1, taken=samples.take(nodes, speakers))
        self._app = app.make(shown)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()

    def ask(self, target: str, method: str = "GET", **headers: str) -> answers.Answer:
        """Return what is answered."""
        return self._runner.run(self._ask(target, method, headers))

    async def _ask(self, target: str, method: str, headers: dict[str, str]) -> answers.Answer:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": urllib.parse.unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(key.lower().encode(), each.encode()) for key, each in headers.items()],
            "state": {},
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            await asyncio.sleep(0)
            sent.append(message)

        await self._app(scope, receive, send)
        found = email.message.Message()
        for name, value in sent[0]["headers"]:
            found[name.decode()] = value.decode()
        body = b"".join(each["body"] for each in sent[1:])
        return answers.Answer(status=sent[0]["status"], headers=found, body=body)
