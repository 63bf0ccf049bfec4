"""Pictures, kinds, portraits and charts: numbers in, colours and words out."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.live.conftest import SOLID
from tme_sim.live.canvas import canvas_data
from tme_sim.live.charts import charts_of
from tme_sim.live.kinds import Kinds
from tme_sim.live.layers import layers_of
from tme_sim.live.picture import Painter, Picture, View
from tme_sim.live.portrait import cell_at, portrait_of
from tme_sim.live.still import png_of, view_figure
from tme_sim.live.svg import Chart, Line, Mark, draw
from tme_sim.live.telling import portrait_html
from tme_sim.live.watched import WatchedRun
from tme_sim.measures.resistance import assess
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.scenario.load import load_scenario
from tme_sim.state.codes import G1, NECROSIS, S


def sent(picture: Picture, name: str) -> np.ndarray:
    """Return what the browser gets of a raster, as colours, float64 (ny, nx, 3); nan where it is transparent."""
    data = canvas_data(picture, 1)
    indices = np.frombuffer(data[name], np.uint8).reshape(data["ny"], data["nx"])
    colours = (
        np.frombuffer(data[name.removesuffix("s") + "_colours"], np.uint8)
        .reshape(-1, 3)[indices]
        .astype(float)
    )
    return np.where((indices == 0)[:, :, None], np.nan, colours) if name == "cells" else colours


def test_picture_has_every_cell_in_its_colour_and_y_upwards(run: WatchedRun) -> None:
    tissue, painter = run.model.tissue, Painter(run.model)
    picture = painter.take(painter.first_view())
    image = sent(picture, "cells")
    ny, nx = picture.layer.shape
    row = int(np.flatnonzero(tissue.cells.of_type("macrophage"))[0])
    iy, ix = divmod(int(tissue.cells["site"][row]), nx)
    assert image[ny - 1 - iy, ix].tolist() == [0x00, 0x9E, 0x73]
    empty = tissue.cells.occupant.reshape(ny, nx) < 0
    assert np.array_equal(np.isnan(image[::-1, :, 0]), empty)
    assert dict((label, n) for label, _, n in picture.kinds)["hsc"] == tissue.cells.of_type("hsc").sum()
    assert sorted(picture.vessels.tolist()) == np.flatnonzero(tissue.vessel.reshape(-1) > 0).tolist()


def test_distance_to_vessels_is_offered_where_there_are_vessels(run: WatchedRun) -> None:
    assert "vessel distance" in layers_of(run.model)
    assert "vessel distance" not in layers_of(TumorMicroenvironment("spheroid_3d", SOLID))
    run.model.tissue.vessel_distance_um[:] = np.inf  # the last one has collapsed
    assert Painter(run.model).take(View("vessel distance", "")).layer.min() > 200


def test_little_oxygen_is_dark(run: WatchedRun) -> None:
    run.step()  # at the start it is even
    picture = Painter(run.model).take(View("oxygen", ""))
    oxygen = run.model.tissue.field("oxygen")[0]
    light = sent(picture, "layer")[::-1].sum(axis=2)
    assert np.corrcoef(light.ravel(), oxygen.ravel())[0, 1] > 0.98
    assert picture.layer_bar.high >= oxygen.max()


def test_scale_stays_while_values_stay_near_its_end(run: WatchedRun) -> None:
    painter = Painter(run.model)
    top = painter.take(View("oxygen", "")).layer_bar.high
    run.model.tissue.field("oxygen")[:] *= 0.5
    assert painter.take(View("oxygen", "")).layer_bar.high == top
    run.model.tissue.field("oxygen")[:] *= 10.0
    assert painter.take(View("oxygen", "")).layer_bar.high > top


def test_every_layer_and_colouring_can_be_drawn(run: WatchedRun) -> None:
    for _ in range(3):
        run.step()
    painter = Painter(run.model)
    for layer in painter.layers:
        assert painter.take(View(layer, "")).layer.max() <= 255
    for colouring in painter.colourings:
        picture = painter.take(View("oxygen", colouring))
        assert (picture.cells > 0).any()
        assert (picture.cell_bar is None) == (colouring == "type")
        assert png_of(view_figure(picture, "title"), dpi=30).startswith(b"\x89PNG")


def test_kinds_tell_state_from_type(run: WatchedRun) -> None:
    cells, kinds = run.model.tissue.cells, Kinds(run.model.tissue.layout)
    row = np.flatnonzero(cells.of_type("tumour"))[:1]

    def label() -> str:
        return kinds.kinds[int(kinds.codes(cells, row)[0]) - 1].label

    cells["stage"][row] = G1
    assert label() == "tumour"
    cells["stage"][row] = S
    assert label() == "tumour in S, G2/M"
    cells["death"][row] = NECROSIS
    assert label() == "dead: necrosis"
    stellate = np.flatnonzero(cells.of_type("hsc"))[:1]
    cells["variables"][stellate, run.model.tissue.layout.variables.index("activation")] = 0.9
    assert kinds.kinds[int(kinds.codes(cells, stellate)[0]) - 1].label == "hsc, activated"


def test_portrait_agrees_with_the_state_and_the_measures(run: WatchedRun) -> None:
    for _ in range(10):
        run.step()
    model, cells = run.model, run.model.tissue.cells
    row = int(np.flatnonzero(cells.of_type("tumour"))[7])
    cell = int(cells["id"][row])
    _, iy, ix = (int(part[0]) for part in model.tissue.grid.coordinates(cells["site"][[row]]))
    assert cell_at(model, ix, iy, 0) == cell
    portrait = portrait_of(model, cell)
    assert portrait is not None
    facts = {name: value for _, rows in portrait.sections for name, value in rows}
    oxygen = model.tissue.field("oxygen").reshape(-1)[cells["site"][row]]
    assert facts["oxygen"] == f"{oxygen:.3g} mmHg"
    assert facts["type"] == "tumour"
    found = portrait.resistances[0]
    measured = assess(model.assay, model.assay.exposures[0], model.tissue, np.array([row]))
    assert found.ratio == pytest.approx(float(measured.ratio[0]))
    # Small contributions are left out of the list; together they make what the cell is protected by.
    assert sum(cause.share for cause in found.causes) == pytest.approx(1.0 - found.ratio, abs=0.03)
    assert any(document.startswith("Li F.") for cause in found.causes for _, _, document in cause.evidence)
    assert "S0-" in portrait_html(portrait)
    assert portrait_of(model, 10**9) is None


def test_resistance_by_colour_is_kept_by_cell_between_measurements(run: WatchedRun) -> None:
    painter = Painter(run.model)
    first = painter.take(View("oxygen", "resistance SN38"))
    run.model.tissue.cells.permute(np.random.default_rng(1).permutation(run.model.tissue.cells.n))
    painter._kept["resistance SN38"] = painter._kept["resistance SN38"].__class__(
        painter._kept["resistance SN38"].ids, painter._kept["resistance SN38"].values, float("inf")
    )
    assert np.array_equal(painter.take(View("oxygen", "resistance SN38")).cells, first.cells)


def test_charts_hold_what_the_issue_of_a_run_is(run: WatchedRun) -> None:
    for _ in range(20):
        run.step()
    minutes, series = run.course()
    assert minutes.tolist() == [0.0, 60.0, 120.0]
    charts = {chart.title: chart for chart in charts_of(run.model.config, series)}
    assert list(charts) == [
        "Living cells by type", "Tumour cells resistant to SN38", "Hypoxic tumour cells", "Vesicles", "Drug: SN38",
    ]  # fmt: skip
    assert [line.label for line in charts["Vesicles"].lines] == ["free", "taken up since the start"]
    tumour = next(line for line in charts["Living cells by type"].lines if line.label == "tumour")
    assert tumour.values[-1] == run.model.tissue.cells.of_type("tumour").sum()


def test_chart_draws_lines_marks_and_escapes_words() -> None:
    minutes = np.linspace(0.0, 14400.0, 1000)
    line = Line("a < b", "#000000", np.linspace(0.0, 0.5, 1000))
    text = draw(Chart("share", (line,), "%"), minutes, [Mark(7200.0, "drug & more")])
    points = text.partition('points="')[2].partition('"')[0].split()
    assert len(points) == 300
    assert "a &lt; b" in text
    assert "drug &amp; more" in text
    assert "50 %" in text
    middle = float(text.partition('<g class="tme-mark">')[2].partition('x1="')[2].partition('"')[0])
    assert middle == pytest.approx((52 + 430) / 2, abs=0.2)


def test_marks_that_stand_close_share_a_badge_off_the_axis() -> None:
    line = Line("a", "#000000", np.array([0.0, 0.5]))
    marks = [Mark(0.0, "a"), Mark(12.0, "b"), Mark(7200.0, "c"), Mark(14400.0, "d")]
    text = draw(Chart("share", (line,), "%"), np.array([0.0, 14400.0]), marks)
    badges = re.findall(
        r'<rect x="([\d.]+)" y="25" width="([\d.]+)" height="14" rx="7"/><text [^>]*>([^<]+)<', text
    )
    assert [number for _, _, number in badges] == ["1-2", "3", "4"]
    assert all(float(x) >= 52 and float(x) + float(width) <= 430 for x, width, _ in badges)


def test_cells_without_a_value_are_told_in_the_legend(run: WatchedRun) -> None:
    picture = Painter(run.model).take(View("oxygen", "resistance SN38"))
    (label, colour, count), cells = picture.kinds[0], run.model.tissue.cells
    assert count == (cells["type"] != run.model.tissue.layout.cell_types.index("tumour")).sum()
    shown = picture.cell_colours[1]
    assert (label, colour) == ("cells without a value", "#{:02X}{:02X}{:02X}".format(*shown))


def test_drug_from_no_vessel_has_no_line_for_vessels() -> None:
    run = WatchedRun(load_scenario("spheroid_3d", SOLID))
    run.step()
    drug = next(chart for chart in charts_of(run.model.config, run.course()[1]) if "Drug" in chart.title)
    assert [line.label for line in drug.lines] == ["free, at tumour cells", "held by tumour cells"]


def test_chart_of_nothing_says_so() -> None:
    text = draw(Chart("none", (Line("x", "#000000", np.array([np.nan])),), note="not yet"), np.array([0.0]))
    assert "not yet" in text
    assert "polyline" not in text


def test_powers_of_ten_fit_beside_the_axis() -> None:
    line = Line("free", "#000000", np.array([10.0, 3e7]))
    text = draw(Chart("Vesicles", (line,), logarithmic=True), np.array([0.0, 60.0]))
    assert ">100,000<" in text
    assert ">10⁷<" in text
    assert "1,000,000" not in text
