"""Serves a Solara component on 127.0.0.1, to this machine alone and without the internet."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tme_sim.live.assets import check_assets
from tme_sim.live.guard import Guard

HOST = "127.0.0.1"
# A tab that is closed says so; one that vanished without a word is given up after this time.
_CULL = "10m"


class PortTaken(OSError):
    """Something else listens on the port."""


def serve(
    page: Callable[[], Any],
    port: int,
    *,
    title: str = "tme-sim",
    bare: bool = False,
    ready: Callable[[str], None] | None = None,
    leave_s: float | None = None,
) -> None:
    """Serve a page until interrupted; every tab gets its own.

    Parameters
    ----------
    page : callable
        A Solara component without arguments.
    port : int
        0: any free one.
    title : str
        What the browser's tab says, where the page sets no title itself.
    bare : bool
        Whether the page fills the window by itself, without Solara's bar and margins.
    ready : callable, optional
        Told the address once the server listens.
    leave_s : float, optional
        The process ends so long after an interruption, whatever its threads still do, and at once after a second
        one. None: it waits for its threads, which may compile for a minute.

    Raises
    ------
    PortTaken
        When the port is in use.
    AssetsError
        When the installed Solara needs files that the package does not carry.
    """
    with tempfile.TemporaryDirectory(prefix="tme-sim-page-") as folder, _listen(port) as listener:
        _settle(title, Path(folder))
        leave = None if leave_s is None else _Leave(leave_s, Path(folder))
        _run(page, listener, title=title, bare=bare, ready=ready or (lambda address: None), leave=leave)


def _settle(title: str, folder: Path) -> None:
    """Let Solara report nothing, fetch nothing, and write nowhere but in ``folder``."""
    from solara.server import settings

    settings.telemetry.mixpanel_enable = False
    settings.assets.fontawesome_enabled = False
    settings.assets.proxy_cache_dir = folder
    settings.theme.title = title
    settings.theme.show_banner = False
    settings.kernel.cull_timeout = _CULL
    settings.main.mode = "production"
    # Solara would like to live in frames of other sites; the stricter cookie that it falls back to is the one wanted.
    warnings.filterwarnings("ignore", "Cookies with samesite=none", UserWarning)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise PortTaken(error.errno, f"port {port} of {HOST}: {error.strerror}") from None
    return listener


class _Leave:
    """Ends the process a while after the first signal, and at the second; threads cannot be ended otherwise."""

    def __init__(self, after_s: float, folder: Path):
        self.after_s, self.folder = after_s, folder
        self.timer: threading.Timer | None = None

    def __call__(self) -> None:
        """Take note of a signal."""
        if self.timer is not None:
            self._end()
        self.timer = threading.Timer(self.after_s, self._end)
        self.timer.daemon = True
        self.timer.start()

    def _end(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(0)


def _run(
    page: Callable[[], Any],
    listener: socket.socket,
    *,
    title: str,
    bare: bool,
    ready: Callable[[str], None],
    leave: Callable[[], None] | None,
) -> None:
    import uvicorn
    from solara.server import app as apps
    from solara.server import server as pages

    check_assets((Path(pages.__file__).parent / "templates" / "solara.html.j2").read_text(encoding="utf-8"))
    # Building the application of Solara's server looks at the settings, so it comes last.
    from solara.server.starlette import app

    apps.apps["__default__"] = _script(page, title=title, bare=bare)
    port = listener.getsockname()[1]
    guard = Guard(app, {f"{HOST}:{port}", f"localhost:{port}"})
    # 1 MiB: what a browser sends are clicks.
    config = uvicorn.Config(
        guard,
        access_log=False,
        log_level="warning",
        loop="asyncio",
        ws_max_size=2**20,
        # Pictures go no farther than this machine: packing them costs more than it saves.
        ws_per_message_deflate=False,
        # While kernels are compiled, a pong may come late: that must not cut off a page on this very machine, and
        # the socket of one that is gone closes without pings.
        ws_ping_interval=None,
        timeout_graceful_shutdown=1,
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready(f"http://{HOST}:{port}")

        def handle_exit(self, sig: int, frame: Any) -> None:
            # uvicorn would raise the signal again in the end, and the folder would stay behind.
            if leave is not None:
                leave()
            self.force_exit, self.should_exit = self.should_exit, True

    with suppress(KeyboardInterrupt):  # the usual way to end it
        Server(config).run(sockets=[listener])


def _script(page: Callable[[], Any], *, title: str, bare: bool) -> Any:
    import solara
    from solara.server.app import AppScript

    class Script(AppScript):
        """A page that is at hand already, not in a file that Solara would load."""

        def _execute(self) -> Any:
            self.routes = [solara.Route("/", component=page, layout=_bare if bare else None, label=title)]
            return solara.autorouting.RenderPage("Page")

    return Script(__name__)


def _bare(children: Any = ()) -> Any:
    import solara

    return solara.Div(children=list(children), classes=["tme-root"])
