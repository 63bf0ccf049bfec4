"""The served page as a stranger meets it: hosts, origins, ports, tabs that are closed."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
import threading
import time

import pytest

from tests.live.conftest import SMALL, SOLID, Tab, serve
from tme_sim.live.server import PortTaken
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.scenario.load import load_scenario


def ask(port: int, *lines: str) -> str:
    """Return the first line of the answer to a raw request."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        link.sendall("\r\n".join([*lines, "", ""]).encode())
        return link.recv(200).decode(errors="replace").splitlines()[0]


UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
COOKIE = "Cookie: solara-session-id=6f9619ff"  # as every page has; the server complains of a socket without
SOCKET = "GET /jupyter/api/kernels/6f9619ff-8b86-4d01-b42d-00cf4fc964ff/channels?session_id=a HTTP/1.1"


def test_foreign_host_and_origin_get_403_on_http_and_websocket(server) -> None:
    own = f"Host: 127.0.0.1:{server.port}"
    mine = f"Origin: {server.address}"
    assert "200" in ask(server.port, "GET / HTTP/1.1", own)
    assert "403" in ask(server.port, "GET / HTTP/1.1", "Host: evil.example")
    assert "403" in ask(server.port, "GET / HTTP/1.1", own, "Origin: http://evil.example")
    assert "101" in ask(server.port, SOCKET, own, mine, COOKIE, *UPGRADE)
    assert "403" in ask(server.port, SOCKET, own, "Origin: http://evil.example", *UPGRADE)
    assert "403" in ask(server.port, SOCKET, f"Host: evil.example:{server.port}", mine, *UPGRADE)


def test_only_this_machine_can_reach_it(server) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; tells this machine's own address
        except OSError:
            pytest.skip("this machine has no network address")
        address = probe.getsockname()[0]
    with pytest.raises(OSError), socket.create_connection((address, server.port), timeout=2):  # noqa: PT011
        pass


def test_telemetry_is_off_and_files_are_not_written_to_the_package() -> None:
    code = (
        "from pathlib import Path; from tme_sim.live.server import _settle; _settle('x', Path('.'));"
        "from solara.server import settings; print(settings.telemetry.mixpanel_enable, settings.main.mode)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "production"]


def test_taken_port_is_a_clear_error() -> None:
    from tme_sim.live.server import _listen

    with _listen(0) as listener:
        listener.listen()
        with pytest.raises(PortTaken, match="port"):
            _listen(listener.getsockname()[1])


def test_closed_tab_frees_its_model(browser) -> None:
    from tme_sim.live.page import page_of
    from tme_sim.live.server import serve as serve_here

    addresses: list[str] = []
    page = page_of(load_scenario("s0_relay", SMALL))
    thread = threading.Thread(
        target=serve_here, args=(page, 0), kwargs={"bare": True, "ready": addresses.append}, daemon=True
    )
    thread.start()
    while not addresses:
        assert thread.is_alive()
        time.sleep(0.05)
    before = models()
    context = browser.new_context()
    first, second = Tab(context.new_page(), addresses[0]), Tab(context.new_page(), addresses[0])
    first.press("Play")
    first.until_step(3)
    assert len(models() - before) == 2
    first.page.close()
    left = wait_for(lambda: models() - before, 1)
    assert len(left) == 1
    second.press("Step")
    second.until_step(1)
    second.page.close()
    assert len(wait_for(lambda: models() - before, 0)) == 0
    context.close()


def models() -> set[int]:
    """Return the models that are alive in this process."""
    gc.collect()
    return {id(thing) for thing in gc.get_objects() if isinstance(thing, TumorMicroenvironment)}


def wait_for(found, number: int):
    for _ in range(100):
        if len(found()) == number:
            break
        time.sleep(0.1)
    return found()


def test_plane_of_a_block_is_chosen_by_a_slider(open_tab, tmp_path) -> None:
    served = serve("spheroid_3d", SOLID, tmp_path / "log")
    try:
        tab = open_tab(served.address)
        before = tab.pixels()
        frames = tab.frames
        tab.page.locator(".tme-side .v-input__slider", has_text="Plane").locator(
            ".v-slider__thumb-container"
        ).focus()
        tab.page.keyboard.press("ArrowRight")
        tab.until(f"Number(map.dataset.frames) > {frames}")
        assert tab.pixels() != before
        tab.page.close()
    finally:
        code = served.end()
    assert (code, served.troubles()) == (0, [])
