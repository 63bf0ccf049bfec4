"""A small tissue, the served page, and Chromium."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tme_sim import TumorMicroenvironment
from tme_sim.live.watched import WatchedRun
from tme_sim.scenario.load import load_scenario

SMALL = (
    "grid.size=[600 um, 600 um]",
    "tissue.tumour.nodules.0.radius=110 um",
    "time.duration=30 d",
    "resistance.every=every 1 h",
    "stop=[]",
)
SOLID = ("grid.size=[300 um, 260 um, 200 um]", "tissue.tumour.nodules.0.radius=60 um", "stop=[]")


@pytest.fixture
def run() -> WatchedRun:
    return WatchedRun(load_scenario("s0_relay", SMALL))


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window; it must be there in CI, elsewhere the tests that need it are skipped."""
    found = os.environ.get("CHROMIUM") or next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )
    if found is None:
        reason = "no Chromium on this machine; install it, or name it: CHROMIUM=/path/to/chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


class Server:
    """A `tme-sim watch` in a process of its own."""

    def __init__(self, command: list[str], log: Path):
        self.log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(command, stderr=file, stdout=file)
        self.address = self._address()

    def _address(self) -> str:
        import time

        for _ in range(2400):
            if found := re.search(r"http://127\.0\.0\.1:\d+", self.said()):
                return found[0]
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"the page was not served: {self.said()}")

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def said(self) -> str:
        return self.log.read_text()

    def troubles(self) -> list[str]:
        """Return what it printed beyond its address."""
        return [line for line in self.said().splitlines() if line.strip() and "Ctrl-C ends" not in line]

    def end(self) -> int:
        import signal

        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


def serve(config: str, settings: tuple[str, ...], log: Path) -> Server:
    options = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-m", "tme_sim", "watch", config, "--no-browser", "--port", "0", *options]
    return Server(command, log)


@pytest.fixture(scope="session")
def server(browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    TumorMicroenvironment(
        "s0_relay", list(SMALL)
    ).step()  # compiles the kernels, for which a click would not wait
    served = serve("s0_relay", SMALL, tmp_path_factory.mktemp("server") / "log")
    yield served
    served.end()
    assert served.troubles() == []


class Tab:
    """One open page, with all that went wrong in it."""

    def __init__(self, page, address: str):
        self.page, self.errors, self.strangers = page, [], []
        page.on(
            "console", lambda message: self.errors.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("requestfailed", lambda request: self.errors.append(f"failed: {request.url[:200]}"))
        page.on("request", lambda request: self._note(request.url))
        page.on("websocket", lambda socket: self._note(socket.url))
        self.own = (f"{address}/", address.replace("http", "ws") + "/", "data:", f"blob:{address}/")
        page.goto(address)
        page.locator(".tme-map[data-step]").first.wait_for(timeout=120_000)
        page.locator("svg.tme-chart").first.wait_for()
        page.wait_for_timeout(200)  # until sizes have settled

    def _note(self, url: str) -> None:
        if not url.startswith(self.own):
            self.strangers.append(url)

    @property
    def step(self) -> int:
        """Step of the picture that the browser has drawn."""
        return int(self.page.locator(".tme-map").first.get_attribute("data-step"))

    @property
    def frames(self) -> int:
        return int(self.page.locator(".tme-map").first.get_attribute("data-frames"))

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def until(self, expression: str, timeout: float = 30_000) -> None:
        """Wait until a JavaScript expression over ``map`` (the element of the tissue) is true."""
        self.page.wait_for_function(
            f"() => {{ const map = document.querySelector('.tme-map'); return {expression}; }}",
            timeout=timeout,
        )

    def until_step(self, step: int) -> None:
        self.until(f"Number(map.dataset.step) >= {step}")

    def pixels(self) -> bytes:
        """Return what the canvas shows."""
        script = "() => document.querySelector('.tme-map canvas').toDataURL()"
        return self.page.evaluate(script).encode()

    def choose(self, label: str, option: str) -> None:
        """Choose in a drop-down list."""
        before = self.frames
        self.page.locator(".tme-side .v-select", has_text=label).locator(".v-select__slot").click()
        self.page.locator(".menuable__content__active").get_by_text(option, exact=True).click()
        self.until(f"Number(map.dataset.frames) > {before}")

    def click_site(self, ix: float, iy: float) -> None:
        """Click the middle of a site of the plane, counted from the lower left."""
        x, y = self.page.evaluate(
            "([ix, iy]) => { const v = document.querySelector('.tme-map').__vue__, c = v.$refs.canvas;"
            " const box = c.getBoundingClientRect(), r = c.width / box.width;"
            " return [box.x + (v.left + (ix + .5) * v.zoom) / r,"
            " box.y + (v.top + (v.shown.ny - iy - .5) * v.zoom) / r]; }",
            [ix, iy],
        )
        self.page.mouse.click(x, y)

    def download(self, button: str, path: Path) -> Path:
        with self.page.expect_download(timeout=60_000) as found:
            self.page.get_by_text(button, exact=True).click()
        found.value.save_as(path)
        return path


@pytest.fixture
def open_tab(browser):
    """Return a function that opens a page; at the end none may have met an error or a foreign address."""
    tabs: list[Tab] = []
    contexts = []

    def open_(address: str) -> Tab:
        context = browser.new_context(viewport={"width": 1500, "height": 950})
        contexts.append(context)
        tabs.append(Tab(context.new_page(), address))
        return tabs[-1]

    yield open_
    for tab in tabs:
        tab.page.close()  # before its context, whose end takes the cookie from a page that reconnects
    for context in contexts:
        context.close()
    assert [tab.errors for tab in tabs if tab.errors] == []
    assert [tab.strangers for tab in tabs if tab.strangers] == []


@pytest.fixture
def tab(open_tab, server) -> Tab:
    return open_tab(server.address)
