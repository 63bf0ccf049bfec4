"""The terminal shows the same tissue and numbers as the page."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from rich.console import Console

from tests.live.conftest import SMALL
from tme_sim.live.picture import Painter
from tme_sim.live.terminal import VESSEL, Raster, letters, play, screen
from tme_sim.live.watched import WatchedRun
from tme_sim.scenario.load import load_scenario


def printed(thing, *, colours: str | None, width: int = 100, height: int = 40) -> str:
    file = io.StringIO()
    console = Console(
        file=file, width=width, height=height, color_system=colours, force_terminal=colours is not None
    )
    console.print(thing)
    return file.getvalue()


def test_screen_tells_what_the_picture_tells(run: WatchedRun) -> None:
    picture = Painter(run.model).take(Painter(run.model).first_view())
    text = printed(screen(run, picture, 100, 40), colours=None)
    for label, _, count in picture.kinds:
        assert label in text
        assert f"{count:,}" in text
    assert f"{run.model.living_cells:,} living cells" in text
    assert "mmHg" in text


def test_narrow_terminal_cuts_the_title_and_no_number(run: WatchedRun) -> None:
    picture = Painter(run.model).take(Painter(run.model).first_view())
    head = printed(screen(run, picture, 80, 40), colours=None, width=80).splitlines()[0]
    assert f"step 0   {run.model.living_cells:,} living cells" in head
    assert head.startswith(run.model.title[:20])
    assert "…" in head


def test_letters_stand_where_the_cells_are(run: WatchedRun) -> None:
    picture = Painter(run.model).take(Painter(run.model).first_view())
    ny, nx = picture.layer.shape
    rows = printed(Raster(picture, nx, ny), colours=None, width=nx).splitlines()
    signs = letters(picture)
    assert len(set(signs.values())) == len(signs)
    counts = sum(row.count("O") for row in rows)
    shown = {int(site) // nx for site in picture.vessels}
    assert counts == sum(1 for site in picture.vessels if (ny - 1 - int(site) // nx) % 2 == 0)
    assert shown
    assert {sign for row in rows for sign in row} <= {*signs.values(), "O", ".", " "}


def test_half_blocks_have_the_colours_of_the_picture(run: WatchedRun) -> None:
    picture = Painter(run.model).take(Painter(run.model).first_view())
    text = printed(Raster(picture, 30, 15), colours="truecolor", width=30)
    assert text.count("▀") == 30 * 15
    assert "{};{};{}m".format(*VESSEL) in text
    hsc = next(colour for label, colour, _ in picture.kinds if label == "hsc")
    assert "{};{};{}".format(*(int(hsc[i : i + 2], 16) for i in (1, 3, 5))) in text


def test_small_room_shows_cells_before_empty_sites(run: WatchedRun) -> None:
    picture = Painter(run.model).take(Painter(run.model).first_view())
    sites = Raster(picture, 10, 5).sites
    there = np.append(picture.cells.reshape(-1) > 0, False)
    ny, nx = picture.layer.shape
    blocks = picture.cells.reshape(10, 3, 10, 3).any(axis=(1, 3))
    assert (ny, nx) == (30, 30)
    assert np.array_equal(there[sites], blocks)


def test_many_vessels_in_small_room_do_not_hide_cells(run: WatchedRun) -> None:
    picture = Painter(run.model).take(Painter(run.model).first_view())
    vessels = picture.vessels
    assert np.isin(Raster(picture, 15, 8).sites, vessels).sum() == len(vessels)
    everywhere = np.arange(0, picture.layer.size, 2)
    crowded = Raster(replace(picture, vessels=everywhere), 10, 5).sites
    assert np.isin(crowded, everywhere).mean() < 0.9


def test_play_prints_the_last_moment_where_there_is_no_terminal(capsys) -> None:
    file = io.StringIO()
    settings = [setting for setting in SMALL if not setting.startswith("time.")]
    scenario = load_scenario("s0_relay", [*settings, "time.duration=30 min"])
    play(scenario, steps=2, console=Console(file=file, width=100, height=40))
    assert "step 5" in file.getvalue()
    assert "duration reached" in capsys.readouterr().err
