"""The page in a real browser: what is pressed changes what is drawn, and what is saved is what `tme-sim run` makes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.live.conftest import SMALL, Tab
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.record.reader import open_run
from tme_sim.record.session import identity
from tme_sim.scenario.load import load_scenario, read_scenario


def cells_of(path) -> dict[str, np.ndarray]:
    """Return the last cells of a run file, by column."""
    with open_run(path) as run:
        frame = run.cells(run.snapshot_minutes[-1])
        return {name: frame[name].to_numpy() for name in frame} | {"oxygen": run.field("oxygen")}


def cells_now(model: TumorMicroenvironment, path):
    """Return the cells of a model as a run file holds them."""
    from tme_sim.record.recorder import Recorder
    from tme_sim.record.writer import write_run

    recorder = Recorder(context=model.measure_context)
    recorder.start(model)
    write_run(recorder.finish(), path)
    return cells_of(path)


def same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> bool:
    return left.keys() == right.keys() and all(
        np.array_equal(left[name], right[name], equal_nan=left[name].dtype.kind == "f") for name in left
    )


def test_page_shows_tissue_numbers_and_a_title_of_its_own(tab: Tab, tmp_path) -> None:
    page = tab.page
    assert page.title() == "s0_relay · tme-sim"
    shot = tmp_path / "canvas.png"
    page.locator(".tme-map canvas").screenshot(path=shot)
    colours = np.unique(np.asarray(Image.open(shot).convert("RGB")).reshape(-1, 3), axis=0)
    assert len(colours) > 200  # a blank page has one
    legend = page.locator(".tme-legend").inner_text()
    model = TumorMicroenvironment("s0_relay", SMALL)
    hsc = int(model.tissue.cells.of_type("hsc").sum())
    assert re.search(rf"hsc\s*{hsc}\b", legend)
    assert "mmHg" in page.locator(".tme-bar").inner_text()
    assert re.fullmatch(r"\d+ µm", page.locator(".tme-scale").inner_text())
    page.locator("svg.tme-chart").nth(4).wait_for()
    assert page.locator("svg.tme-chart").count() == 5


def test_columns_stand_side_by_side_without_and_with_a_cell(tab: Tab) -> None:
    def lefts() -> list[float]:
        columns = [tab.page.locator(".tme-page > *:visible").nth(i) for i in range(1, shown)]
        boxes = [column.bounding_box() for column in columns]
        assert all(box["height"] > 800 for box in boxes)
        return [box["x"] for box in boxes]

    shown = 4  # the head, controls, tissue, charts
    assert tab.page.locator(".tme-page > *:visible").count() == shown
    assert lefts() == sorted(lefts())
    tab.click_site(15, 15)
    tab.page.locator(".tme-cell table").first.wait_for()
    shown = 5
    assert tab.page.locator(".tme-page > *:visible").count() == shown
    assert lefts() == sorted(lefts())


@pytest.mark.parametrize(("width", "below"), [(900, False), (700, True), (420, True)])
def test_narrow_window_hides_nothing(tab: Tab, width: int, below: bool) -> None:
    tab.click_site(15, 15)
    card = tab.page.locator(".tme-cell")
    card.locator("table").first.wait_for()
    tab.page.set_viewport_size({"width": width, "height": 700})
    tab.page.wait_for_timeout(300)
    last = tab.page.locator("svg.tme-chart").last
    last.scroll_into_view_if_needed()
    chart, map_ = last.bounding_box(), tab.page.locator(".tme-main").bounding_box()
    wide = tab.page.evaluate("() => document.querySelector('.tme-page').scrollWidth")
    assert wide <= width
    assert chart["x"] >= 0
    assert chart["x"] + chart["width"] <= width
    assert 0 <= chart["y"] <= 700 - chart["height"]
    assert (chart["y"] > map_["y"] + map_["height"]) == below
    assert tab.page.locator(".tme-head").bounding_box()["height"] > 40
    upper, lower = card.bounding_box(), tab.page.locator(".tme-right:has(.tme-charts)").bounding_box()
    assert upper["y"] + upper["height"] <= lower["y"] + 1


def test_step_draws_another_picture(tab: Tab) -> None:
    before, numbers = tab.pixels(), tab.page.locator(".tme-clock").inner_text()
    tab.press("Step")
    tab.until_step(1)
    assert tab.step == 1
    assert tab.pixels() != before
    assert tab.page.locator(".tme-clock").inner_text() != numbers


def test_play_goes_on_until_pause(tab: Tab) -> None:
    tab.press("Play")
    tab.until_step(12)
    tab.press("Pause")
    tab.page.get_by_role("button", name="Play", exact=True).wait_for()
    tab.page.wait_for_timeout(400)
    step, pixels = tab.step, tab.pixels()
    tab.page.wait_for_timeout(600)
    assert (tab.step, tab.pixels()) == (step, pixels)
    assert tab.frames > 3


def test_steps_per_picture_leave_pictures_out(tab: Tab) -> None:
    before = tab.frames
    tab.page.locator(".tme-side .v-select", has_text="Steps per picture").locator(".v-select__slot").click()
    tab.page.locator(".menuable__content__active").get_by_text("5", exact=True).click()
    tab.press("Step")
    tab.until_step(5)
    assert (tab.step, tab.frames) == (5, before + 1)


def test_slider_acts_on_the_running_model_and_is_noted(tab: Tab) -> None:
    knob = tab.page.locator(".tme-knob", has_text="anti il6")
    assert "100 /h" in knob.inner_text()
    tab.press("Step")
    tab.until_step(1)
    knob.locator(".v-slider__thumb-container").focus()
    tab.page.keyboard.press("ArrowRight")
    tab.page.locator(".tme-changes", has_text="anti il6").wait_for()
    expect(knob).not_to_contain_text("100 /h")
    expect(tab.page.locator(".tme-mark")).to_have_count(5)  # one on the time axis of every chart


def test_reset_begins_again_with_the_seed_and_the_sliders(tab: Tab) -> None:
    first = tab.pixels()
    tab.press("Step")
    tab.until_step(1)
    tab.press("Reset")
    tab.until("Number(map.dataset.step) === 0")
    assert tab.pixels() == first
    tab.page.get_by_label("Seed of the next start").fill("7")
    tab.page.wait_for_timeout(300)
    tab.press("Reset")
    tab.page.locator(".tme-state", has_text="seed 7").wait_for()
    tab.until("map.__vue__.shown.number === map.__vue__.picture.number")
    assert tab.pixels() != first


def test_click_tells_what_a_cell_is_and_why_it_resists(tab: Tab) -> None:
    model = TumorMicroenvironment("s0_relay", SMALL)
    tissue = model.tissue
    row = int(np.flatnonzero(tissue.cells.of_type("tumour"))[20])
    _, iy, ix = (int(part[0]) for part in tissue.grid.coordinates(tissue.cells["site"][[row]]))
    tab.click_site(ix, iy)
    card = tab.page.locator(".tme-cell")
    card.locator("table").first.wait_for()
    text = card.inner_text()
    assert f"cell {tissue.cells['id'][row]}" in text
    for words in ("alive", "mother", "oxygen", "HIF", "nearest perfused vessel", "to SN38"):
        assert words in text
    card.locator("summary").first.click()
    assert "S0-" in card.inner_text()
    assert "Li F. et al. 2020" in card.inner_text()


def test_layer_and_colouring_change_pixels_and_bars(tab: Tab) -> None:
    seen = {tab.pixels()}
    tab.choose("Layer", "glucose")
    assert "glucose mM" in tab.page.locator(".tme-bars").inner_text()
    seen.add(tab.pixels())
    tab.choose("Cells by", "HIF")
    assert "HIF 0 to 1" in tab.page.locator(".tme-bars").inner_text()
    seen.add(tab.pixels())
    tab.choose("Cells by", "no cells")
    seen.add(tab.pixels())
    assert len(seen) == 4


def test_zoom_enlarges_and_comes_back(tab: Tab) -> None:
    whole, scale = tab.pixels(), tab.page.locator(".tme-scale").inner_text()
    for _ in range(3):
        tab.page.get_by_title("Closer (+)").click()
    assert tab.pixels() != whole
    assert tab.page.locator(".tme-scale").inner_text() != scale
    tab.page.get_by_title("Whole plane").click()
    assert tab.pixels() == whole


def test_clicked_cell_stays_in_the_map_that_its_card_narrows(tab: Tab) -> None:
    for _ in range(4):
        tab.page.get_by_title("Closer (+)").click()
    box = tab.page.locator(".tme-map canvas").bounding_box()
    tab.page.mouse.click(box["x"] + box["width"] - 60, box["y"] + box["height"] / 2)
    tab.page.locator(".tme-cell table").first.wait_for()
    tab.page.wait_for_timeout(300)
    assert tab.page.locator(".tme-map canvas").bounding_box()["width"] < box["width"] - 200
    x, width = tab.page.evaluate(
        "() => { const v = document.querySelector('.tme-map').__vue__;"
        " return [v.middle(v.selected)[0], v.$refs.canvas.width]; }"
    )
    assert 0 < x < width


def test_intervention_acts_and_the_exported_scenario_repeats_the_run(tab: Tab, tmp_path) -> None:
    def steps(n: int) -> None:
        for _ in range(n):
            step = tab.step
            tab.press("Step")
            tab.until_step(step + 1)

    steps(3)
    tab.page.locator(".tme-acts button", has_text="block exosomes").click()
    tab.page.locator(".tme-changes", has_text="block exosomes on").wait_for()
    tab.page.locator(".tme-acts button", has_text="give SN38").click()
    tab.page.locator(".tme-changes", has_text="give SN38").wait_for()
    steps(4)
    tab.page.locator(".tme-acts button", has_text="block exosomes").click()
    tab.page.locator(".tme-changes", has_text="block exosomes off").wait_for()
    steps(2)
    assert tab.page.locator(".tme-chart").first.locator(".tme-mark").count() == 3
    saved = cells_of(tab.download("Run so far (HDF5)", tmp_path / "page.h5"))
    exported = tab.download("Scenario with changes", tmp_path / "changed.yaml")
    assert "repeats the run" in exported.read_text()

    replayed = TumorMicroenvironment(load_scenario(exported))
    undisturbed = TumorMicroenvironment("s0_relay", SMALL)
    for _ in range(9):
        replayed.step()
        undisturbed.step()
    assert same(saved, cells_now(replayed, tmp_path / "replayed.h5"))
    assert not same(saved, cells_now(undisturbed, tmp_path / "undisturbed.h5"))


def test_page_and_run_make_the_same_run(tab: Tab, tmp_path) -> None:
    for step in range(1, 7):
        tab.press("Step")
        tab.until_step(step)
    page = tab.download("Run so far (HDF5)", tmp_path / "page.h5")
    scenario = load_scenario("s0_relay", SMALL)
    model = TumorMicroenvironment(scenario)
    for _ in range(6):
        model.step()
    with open_run(page) as run:
        assert run.run_id == identity(model)
        assert read_scenario(run.scenario_yaml) == read_scenario(model.resolved_yaml)
    assert same(cells_of(page), cells_now(model, tmp_path / "model.h5"))


@pytest.mark.parametrize("button", ["Picture of this view", "Overview of the run"])
def test_pictures_are_saved(tab: Tab, tmp_path, button: str) -> None:
    tab.press("Step")
    tab.until_step(1)
    image = Image.open(tab.download(button, tmp_path / "picture.png"))
    assert min(image.size) > 500
    assert len(set(image.convert("RGB").resize((80, 80)).get_flattened_data())) > 100


def test_two_tabs_play_at_once_and_do_not_disturb_each_other(open_tab, server, tmp_path) -> None:
    left, right = open_tab(server.address), open_tab(server.address)
    left.press("Play")
    right.press("Play")
    right.page.locator(".tme-acts button", has_text="clamp oxygen").click()
    right.page.locator(".tme-changes", has_text="clamp oxygen on").wait_for()
    left.until_step(15)
    right.until_step(15)
    for tab in (left, right):
        tab.press("Pause")
        tab.page.get_by_role("button", name="Play", exact=True).wait_for()
    assert left.page.locator(".tme-changes li").count() == 0
    saved = left.download("Run so far (HDF5)", tmp_path / "left.h5")
    with open_run(saved) as run:
        minutes = run.snapshot_minutes[-1]
    alone = TumorMicroenvironment("s0_relay", SMALL)
    while alone.clock.minutes < minutes:
        alone.step()
    assert alone.clock.step >= 15
    assert same(cells_of(saved), cells_now(alone, tmp_path / "alone.h5"))
