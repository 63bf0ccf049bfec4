"""Foreign hosts and origins are refused, and what a browser needs comes from the package."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tme_sim.live.assets import AssetsError, asset, check_assets
from tme_sim.live.guard import Guard

HOSTS = {"127.0.0.1:8765", "localhost:8765"}
OWN = "http://127.0.0.1:8765"


def answer(path: str = "/", *, kind: str = "http", **headers: str) -> list[dict]:
    """Return what the guard sends; the application behind it answers 200."""
    sent: list[dict] = []

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> dict:
        return {"type": "websocket.connect"}

    async def send(message) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": path, "headers": raw}
    # A browser test before this one may have left an event loop running in the main thread.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, Guard(app, HOSTS)(scope, receive, send)).result()
    return sent


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1:8766"},
        {"host": "127.0.0.1:8765.evil.example"},
        {},
        {"host": "127.0.0.1:8765", "origin": "http://evil.example"},
        {"host": "127.0.0.1:8765", "origin": "null"},
        {"host": "127.0.0.1:8765", "origin": "https://127.0.0.1:8765"},
    ],
)
def test_foreign_host_or_origin_is_refused(kind: str, headers: dict[str, str]) -> None:
    first = answer(kind=kind, **headers)[0]
    assert first.get("status") == 403 if kind == "http" else first["type"] == "websocket.close"


@pytest.mark.parametrize("headers", [{"host": "localhost:8765"}, {"host": "127.0.0.1:8765", "origin": OWN}])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_own_host_and_origin_pass(kind: str, headers: dict[str, str]) -> None:
    assert answer(kind=kind, **headers)[0]["status"] == 200


def test_two_hosts_are_refused() -> None:
    guard = Guard(lambda *_: None, HOSTS)  # pyright: ignore[reportArgumentType]
    assert not guard.admits({"headers": [(b"host", b"127.0.0.1:8765"), (b"Host", b"evil.example")]})


def test_packed_files_are_served_and_nothing_else_is_fetched() -> None:
    found = answer("/_solara/cdn/requirejs@2.3.6/require.js", host="localhost:8765")
    assert found[0]["status"] == 200
    assert (b"content-type", b"text/javascript") in found[0]["headers"]
    assert len(found[1]["body"]) > 50_000
    assert answer("/_solara/cdn/vega@5/build/vega.js", host="localhost:8765")[0]["status"] == 404
    assert asset("../guard.py") is None


def test_archive_fits_the_installed_solara() -> None:
    from pathlib import Path

    import solara.server

    check_assets((Path(solara.server.__file__).parent / "templates" / "solara.html.j2").read_text())
    with pytest.raises(AssetsError, match=r"requirejs@9\.9\.9"):
        check_assets("requirejs@9.9.9/require.js")
