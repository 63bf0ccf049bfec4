"""Whole runs at the borders of what a scenario can be: how they end, and that their state stays whole."""

import numpy as np
import pytest
from made_models import PLAIN, small
from PIL import Image

from tme_sim import TumorMicroenvironment
from tme_sim.state.codes import ALIVE


@pytest.fixture
def plain(tmp_path):
    """Return a function that builds the plain scenario, with overrides and replaced lines."""

    def build(*overrides, replace=(), rng=None):
        text = PLAIN
        for old, new in replace:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "plain.yaml"
        path.write_text(text)
        return TumorMicroenvironment(path, list(overrides), rng=rng)

    return build


def run(model, steps=None):
    """Step to the end, or some steps, and check the state."""
    while model.running and (steps is None or model.clock.step < steps):
        model.step()
    model.tissue.check()
    return model


def test_run_ends_with_its_duration():
    model = run(small("time.duration=2 h"))
    assert (model.stop_reason, model.clock.hours) == ("duration reached", 2.0)


def test_run_ends_with_extinction(plain):
    model = run(plain("cells.tumour.base.apoptosis=20 /h", "stop=[extinct]"))
    assert model.stop_reason == "extinct"
    assert not np.any(model.tissue.cells.of_type("tumour"))
    assert model.clock.hours < 5


def test_run_ends_at_a_number_of_cells(plain):
    model = run(plain("stop=['tumour_cells > 40']"))
    assert model.stop_reason == "tumour_cells > 40"
    assert int(model.tissue.cells.of_type("tumour").sum()) > 40


def test_run_ends_at_a_measure(plain):
    model = run(plain("stop=['births >= 5']"))
    assert model.stop_reason == "births >= 5"
    assert len(model.tissue.events.table("births")) >= 5


def test_run_ends_at_the_edge_after_one_warning(plain):
    model = run(plain("stop=[edge reached]", "grid.size=[200 um, 200 um]"))
    assert model.stop_reason == "edge reached"
    assert len(model.warnings) == 1
    assert "edge" in model.warnings[0]


def test_run_that_goes_on_at_the_edge_warns_once(plain):
    model = run(plain("grid.size=[160 um, 160 um]"))
    assert model.stop_reason == "duration reached"
    assert len(model.warnings) == 1


def test_three_dimensional_run_grows():
    model = small(
        "grid.size=[160 um, 160 um, 160 um]",
        "tissue.tumour.nodules=[{centre: middle, radius: 50 um, filling: 100 %}]",
    )
    run(model, 10)
    z, _, _ = model.tissue.grid.coordinates(model.tissue.cells["site"])
    assert len(np.unique(z)) > 2
    assert model.tissue.fields.shape[:3] == (8, 8, 8)


def test_one_cell_becomes_a_colony(plain):
    model = run(plain("tissue={tumour: {at: [[200 um, 200 um]]}}", "time.duration=2 d"))
    cells = model.tissue.cells
    assert cells.n > 4
    assert set(cells["founder"].tolist()) == {1}


def test_tissue_without_cells_runs(plain):
    model = run(plain("tissue={}"), 5)
    assert model.tissue.cells.n == 0
    assert np.isfinite(model.tissue.fields).all()
    assert len(model.agents) == 0


def test_flagship_without_vessels_starves():
    model = small("vessels=null", "adjustable=[]", "time.duration=6 h")
    run(model)
    assert np.isinf(model.tissue.vessel_distance_um).all()
    assert model.tissue.field("oxygen").max() < 1e-3


def test_scenario_without_fields_runs(plain):
    start = PLAIN.index("fields:")
    block = PLAIN[start : PLAIN.index("cells:")]
    model = run(plain("time.duration=6 h", replace=[(block, ""), (", uptake oxygen: 10 mmHg/s", "")]))
    assert model.tissue.fields.shape[-1] == 0
    assert len(model.tissue.events.table("births")) > 0


def test_single_row_of_sites_runs(plain):
    model = run(
        plain("grid.size=[20 um, 400 um]", "tissue={tumour: {at: [[10 um, 200 um]]}}", "time.duration=3 d")
    )
    assert model.tissue.grid.shape == (1, 20, 1)
    assert len(model.tissue.events.table("births")) > 0


def test_tissue_from_table_and_image(plain, tmp_path):
    (tmp_path / "cells.csv").write_text("x_um,y_um,type,id\n10,10,tumour,7\n30,10,tumour,3\n")
    labels = np.zeros((20, 20), np.uint8)
    labels[12, 3:6] = 1
    Image.fromarray(labels).save(tmp_path / "labels.png")
    image = f"{{file: {tmp_path}/labels.png, types: {{1: tumour}}}}"
    tissue = f"tissue={{from_file: {tmp_path}/cells.csv, label_image: {image}}}"
    model = plain(tissue)
    cells = model.tissue.cells
    assert cells.n == 5
    assert {7, 3} <= set(cells["id"].tolist())
    assert cells["site"][cells.rows_of(np.array([7, 3]))].tolist() == [0, 1]
    run(model, 10)


def test_scenario_without_drugs_or_resistance_runs(plain):
    model = run(plain())
    assert model.tissue.layout.drugs == ()
    assert np.any(model.tissue.cells["death"] == ALIVE)
