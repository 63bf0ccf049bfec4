"""Plays the live page in a browser without a window: pictures and steps per second, beside the model alone.

The model has one thread in both, as on the page.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CROWD = str(Path(__file__).with_name("crowd.yaml"))
LARGE = ("grid.size=[20 mm, 20 mm]", "tissue.tumour.density=2 %", "tissue.macrophage.density=2 %")
CASES = (
    ("200×200, 20,000 cells, light model", CROWD, (), (1, 5)),
    ("200×200, 15,500 cells, liver_metastasis", "liver_metastasis",
     ("grid.size=[4 mm, 4 mm]", "tissue.tumour.nodules.0.radius=1200 um", "stop=[]"), (1, 5)),
    ("1000×1000, 58,000 cells, light model", CROWD, LARGE, (1,)),
)  # fmt: skip
ALONE = """
import sys, time
from tme_sim.live.watched import WatchedRun
from tme_sim.numerics.jit import set_threads
from tme_sim.scenario.load import load_scenario
set_threads(1)
run = WatchedRun(load_scenario(sys.argv[1], sys.argv[3:]))
run.step()
begin, steps = time.perf_counter(), 0
while time.perf_counter() - begin < float(sys.argv[2]):
    run.step()
    steps += 1
print(steps / (time.perf_counter() - begin))
"""
DRAWN = "() => { const map = document.querySelector('.tme-map'); return [+map.dataset.step, +map.dataset.frames]; }"


def main(seconds: float = 10.0) -> list[dict[str, object]]:
    """Print and return pictures and steps per second of every case."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        print("no Chromium on this machine\n")
        return []
    rows: list[dict[str, object]] = []
    print("| | steps per picture | pictures/s | steps/s | model alone, steps/s |\n|---|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for name, config, settings, intervals in CASES:
            alone = _alone(config, settings, seconds)
            for every, frames, steps in _played(browser, config, settings, intervals, seconds):
                row = {
                    "case": name,
                    "every": every,
                    "pictures_per_s": frames,
                    "steps_per_s": steps,
                    "alone": alone,
                }
                rows.append(row)
                print(f"| {name} | {every} | {frames:.1f} | {steps:.1f} | {alone:.1f} |", flush=True)
        browser.close()
    print()
    return rows


def _alone(config: str, settings: tuple[str, ...], seconds: float) -> float:
    command = [sys.executable, "-c", ALONE, config, str(seconds), *settings]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _played(browser, config: str, settings: tuple[str, ...], intervals: tuple[int, ...], seconds: float):
    """Yield (steps per picture, pictures per second, steps per second) of a page that plays."""
    options = [part for setting in settings for part in ("--set", setting)]
    command = [sys.executable, "-m", "tme_sim", "watch", config, "--no-browser", "--port", "0", *options]
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, stderr=log)
        try:
            page = browser.new_page(viewport={"width": 1500, "height": 950})
            page.goto(_address(server, log))
            page.locator(".tme-map[data-step]").wait_for(timeout=300_000)
            for every in intervals:
                page.locator(".tme-side .v-select", has_text="Steps per picture").locator(
                    ".v-select__slot"
                ).click()
                page.locator(".menuable__content__active").get_by_text(str(every), exact=True).click()
                page.get_by_role("button", name="Play", exact=True).click()
                page.wait_for_timeout(2000)
                (step, frame), begin = page.evaluate(DRAWN), time.perf_counter()
                page.wait_for_timeout(1000.0 * seconds)
                (step_end, frame_end), took = page.evaluate(DRAWN), time.perf_counter() - begin
                page.get_by_role("button", name="Pause", exact=True).click()
                page.get_by_role("button", name="Play", exact=True).wait_for(timeout=60_000)
                yield every, (frame_end - frame) / took, (step_end - step) / took
            page.close()
        finally:
            server.terminate()
            server.wait(30)


def _address(server: subprocess.Popen, log) -> str:
    while server.poll() is None:
        log.seek(0)
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read()):
            return found[0]
        time.sleep(0.2)
    raise RuntimeError("the page was not served")


if __name__ == "__main__":
    main()
