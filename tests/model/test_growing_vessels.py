"""Growing vessels in whole models: determinism, books, one cell per site, faults."""

import os
import pickle

import numpy as np
import pytest
from made_models import unequal

from tme_sim import TumorMicroenvironment
from tme_sim.measures.registry import measures_for
from tme_sim.model.site_table import PlacementError
from tme_sim.numerics.jit import set_threads
from tme_sim.scenario.faults import ScenarioError
from tme_sim.scenario.load import load_scenario

FAST = (
    *(f"rules.{name}.to=0.2 /h" for name in ("start_sprouts", "tumour_vesicles", "mir210")),
    "rules.tip_speed.to=25 um/h",
    "cells.endothelial.base.sprouting=0.2 /h",
    "cells.endothelial.base.extension=20 um/h",
    "cells.endothelial.base.regression=0.05 /h",
)
SMALL = (
    "grid.size=[300 um, 300 um]",
    "tissue.tumour.nodules=[{centre: middle, radius: 60 um, filling: 90 %}]",
    "vessels.spacing=80 um",
    *FAST,
    "interventions.sorafenib={kind: set_supply, target: sorafenib, level: 500 nM, from: 4 h, active: true}",
)


def grown(steps, *overrides):
    model = TumorMicroenvironment("vessel_growth", [*SMALL, *overrides])
    for _ in range(steps):
        model.step()
    return model


@pytest.fixture(scope="module")
def model():
    return grown(120)


def test_vessels_grew_and_the_state_is_whole(model):
    model.tissue.check()
    cells, links = model.tissue.cells, model.tissue.vasculature.links
    assert cells.of_type("endothelial").sum() > 15
    assert len(links) > 0
    ends = cells.rows_of(links.ravel()).reshape(-1, 2)
    living = ends[(ends >= 0).all(axis=1)]
    apart = np.stack(model.tissue.grid.coordinates(cells["site"][living.ravel()]), axis=1).reshape(-1, 2, 3)
    assert np.abs(np.diff(apart, axis=1)).max() == 1


def test_supply_enters_at_perfused_sites_alone(model):
    tissue = model.tissue
    oxygen, level = tissue.field("oxygen"), 40.0
    assert np.allclose(oxygen[tissue.vessel > 0.0], level, atol=0.01)
    assert oxygen[tissue.vessel == 0.0].max() < level


def test_books_close_while_vessels_grow_and_wither(model):
    context = model.measure_context.fresh()
    for name, measure in measures_for(model.tissue.layout).items():
        if name.endswith("_imbalance"):
            assert abs(measure.of(model.tissue, context)) < 1e-9, name


def test_copy_goes_on_as_the_model_does(model):
    copy, other = pickle.loads(pickle.dumps(model)), pickle.loads(pickle.dumps(model))
    other.tissue.cells.permute(np.random.default_rng(0).permutation(other.tissue.cells.n))
    for _ in range(20):
        copy.step()
        other.step()
    assert unequal(copy, other) == []
    assert np.array_equal(copy.tissue.vasculature.links, other.tissue.vasculature.links)


METASTASIS = (
    *FAST,
    "grid.size=[300 um, 300 um]", "tissue.tumour.nodules.0.radius=100 um", "resistance=", "tissue.t_cell.density=4 %",
    "cells.endothelial.base.recruitment t_cell=0.04 /h", "cells.macrophage.base.phagocytosis=2 /h",
    "tissue.macrophage.density=10 %", "drugs.SN38.schedule.0.from=0 d",
)  # fmt: skip


def on_threads(threads, name, overrides, steps):
    set_threads(threads)
    try:
        model = TumorMicroenvironment(name, overrides)
        for _ in range(steps):
            model.step()
    finally:
        set_threads(os.cpu_count() or 1)
    return model


@pytest.mark.parametrize(
    ("name", "overrides", "steps"), [("vessel_growth", SMALL, 80), ("liver_metastasis", METASTASIS, 60)]
)
def test_threads_change_no_byte_of_growing_vessels(name, overrides, steps):
    one, two, four = (on_threads(threads, name, overrides, steps) for threads in (1, 2, 4))
    assert len(one.tissue.vasculature.links) > 0
    for other in (two, four):
        assert unequal(one, other) == []
        assert np.array_equal(one.tissue.vasculature.links, other.tissue.vasculature.links)


def test_vessels_grow_in_three_dimensions():
    model = grown(40, "grid.size=[200 um, 200 um, 160 um]", "vessels.spacing=100 um")
    model.tissue.check()
    assert measures_for(model.tissue.layout)["perfused_fraction"].of(model.tissue) < 1.0
    assert (model.tissue.vessel > 0.0).any(axis=(1, 2)).all()


def test_network_that_meets_no_face_is_refused(tmp_path):
    path = tmp_path / "vessels.csv"
    path.write_text("x_um,y_um,z_um\n90,90,90\n90,90,110\n")
    with pytest.raises(PlacementError, match="none reaches a face"):
        grown(
            0,
            "grid.size=[200 um, 200 um, 200 um]",
            "vessels.layout=file",
            f"vessels.file={path}",
        )


@pytest.mark.parametrize(
    ("name", "override", "fault"),
    [
        ("vessel_growth", "cells.tumour.base.sprouting=1 /h", "tumour is not the type of vessels.cell"),
        ("vessel_growth", "cells.endothelial.base.migration=1 um/min", "write extension"),
        ("first_steps", "cells.endothelial.base.extension=1 um/h", "there is no vessels.sprouting"),
        ("vesicle_niche", "cells.tumour.base.recruitment hsc=1 /h", "tumour is not the type of vessels.cell"),
        ("vessel_growth", "vessels.sprouting.inhibition=-1 um", "expected > 0"),
        ("vessel_growth", "vessels.sprouting.persistance=1", "did you mean"),
    ],
)
def test_what_cannot_grow_is_a_fault(name, override, fault):
    with pytest.raises(ScenarioError, match=fault):
        load_scenario(name, [override])
