"""Ten minutes of play with everything moved leave no error in the server's log or the browser's console."""

from __future__ import annotations

import os
import random
import time
from contextlib import suppress

import pytest

from tests.live.conftest import Tab

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))


@pytest.mark.slow
def test_long_play_with_everything_moved_leaves_no_error(open_tab, server) -> None:
    tabs: list[Tab] = [open_tab(server.address), open_tab(server.address)]
    draw = random.Random(1)
    for tab in tabs:
        tab.press("Play")
    until = time.monotonic() + 60.0 * MINUTES
    moves = 0
    while time.monotonic() < until:
        tab = draw.choice(tabs)
        move(tab, draw)
        moves += 1
        tab.page.wait_for_timeout(draw.uniform(20, 300))
        play_on(tab)
    for tab in tabs:
        play_on(tab)
        tab.press("Pause")
        tab.page.get_by_role("button", name="Play", exact=True).wait_for()
        assert tab.page.locator("text=Error").count() == 0
        assert "Error" not in tab.page.locator(".tme-head").inner_text()
    assert moves > 20 * MINUTES
    assert server.troubles() == []


def play_on(tab: Tab) -> None:
    """Press play after a reset; the button may change under the hand, as its thread goes its own way."""
    from playwright.sync_api import TimeoutError as Late

    play = tab.page.get_by_role("button", name="Play", exact=True)
    if play.count():
        with suppress(Late):
            play.click(timeout=1000)


def move(tab: Tab, draw: random.Random) -> None:
    """Do one of the things that a reader does."""
    page = tab.page
    page.locator(".tme-acts button").first.wait_for()
    kind = draw.random()
    if kind < 0.35:
        thumb = draw.choice(page.locator(".tme-knob .v-slider__thumb-container").all())
        thumb.focus()
        page.keyboard.press(draw.choice(["ArrowRight", "ArrowLeft"]))
    elif kind < 0.6:
        draw.choice(page.locator(".tme-acts button").all()).click()
    elif kind < 0.75:
        tab.click_site(draw.randrange(30), draw.randrange(30))
    elif kind < 0.9:
        label, options = draw.choice(
            [
                ("Layer", ["oxygen", "il6", "SN38", "vessel"]),
                ("Cells by", ["HIF", "type", "resistance to SN38"]),
            ]
        )
        page.locator(".tme-side .v-select", has_text=label).locator(".v-select__slot").click()
        page.locator(".menuable__content__active .v-list-item", has_text=draw.choice(options)).first.click()
    elif kind < 0.97:
        page.get_by_title(draw.choice(["Closer (+)", "Farther (-)", "Whole plane"])).click()
    else:
        tab.press("Reset")
