"""Keeps foreign pages out: answers 403 unless host and origin are this server's own, and serves packed files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from tme_sim.live.assets import asset

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CDN = "/_solara/cdn/"
_FOREVER = b"public, max-age=31536000, immutable"


class Guard:
    """An ASGI application in front of another one.

    A page of another site can make a browser send requests here, and a name that is rebound to 127.0.0.1 can make
    it read the answers: both show in ``Host`` and ``Origin``. What Solara would fetch from a public CDN is answered
    from `assets`, or not at all.

    Parameters
    ----------
    app : callable
        The application.
    hosts : set of str
        ``host:port`` under which this server is reached.
    """

    def __init__(self, app: App, hosts: set[str]):
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif not self.admits(scope):
            await _refuse(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(CDN):
            await _send_file(scope["path"].removeprefix(CDN), send)
        else:
            await self.app(scope, receive, send)

    def admits(self, scope: Scope) -> bool:
        """Return whether a request names this server as its host and, if at all, as its origin."""
        headers = [(name.lower(), value.decode("latin-1").lower()) for name, value in scope["headers"]]
        hosts = [value for name, value in headers if name == b"host"]
        origins = [value for name, value in headers if name == b"origin"]
        known = {f"http://{host}" for host in self.hosts}
        return len(hosts) == 1 and hosts[0] in self.hosts and all(origin in known for origin in origins)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: 403
        return
    await _answer(send, 403, b"This page answers only to its own address.", b"text/plain; charset=utf-8")


async def _send_file(path: str, send: Send) -> None:
    found = asset(unquote(path))
    if found is None:
        await _answer(send, 404, b"", b"text/plain")
    else:
        await _answer(send, 200, found[0], found[1].encode(), _FOREVER)


async def _answer(send: Send, status: int, body: bytes, kind: bytes, cache: bytes = b"no-store") -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", cache),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
