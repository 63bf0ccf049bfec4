"""Cells under the medium of a dish, against closed forms: the column of medium dilutes what they take and give."""

import math
from pathlib import Path

import numpy as np
import pytest

from tests.scenario.made import faults
from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.scenario.load import read_scenario
from tme_sim.state.grid import MOLECULES_PER_UM3_IN_1_NM

HEIGHT_UM, SPACING_UM, N_CELLS, N_SITES = 2000.0, 20.0, 25, 100
COLUMN_UM3 = SPACING_UM**2 * HEIGHT_UM

DISH = """\
scenario: made_dish
grid: {size: [200 um, 200 um], spacing: 20 um, interstitial_fraction: 1,
       medium: {height: 2 mm, mixing: 100000 um^2/s}}
time: {step: 6 min, duration: 1 d}
cargo:
  x: {half_life: 1 d}
fields:
  oxygen: {unit: mmHg, diffusion: 3000 um^2/s, solve: steady, half_saturation: 0.001 mmHg, start: 140 mmHg,
           boundary: {z_high: 140 mmHg}}
  glucose: {unit: mM, diffusion: 600 um^2/s, half_saturation: 0.0001 mM, start: 5 mM}
  il6: {unit: nM, diffusion: 100 um^2/s, half_life: 5 h, interstitial: true}
  toxin: {unit: nM, diffusion: 300 um^2/s, start: 10 nM}
cells:
  tumour:
    base: {uptake oxygen: 15 mmHg/s, uptake glucose: 0.5 mM/min, secretion il6: 5 molecules/s,
           release exosome: 60 /h, influx toxin: 4 /h, efflux toxin: 1 /h, metabolism toxin: 0.5 /h}
vesicles:
  exosome: {donor: tumour, diameter: 100 nm, half_life: 10 h, cargo: {x: 1}, taken_up_by: {tumour: 0.3 /h},
            internalise: 0 /h, start: 400}
drugs:
  toxin: {field: toxin, half_max: 8 nM}
tissue:
  tumour: {density: 25 %}
"""


def measured(model, name):
    """Return a measure of a model at the present moment."""
    tissue = model.tissue
    return measures_for(tissue.layout)[name].of(tissue, model.measure_context.fresh())


@pytest.fixture(scope="module")
def after_a_day():
    model = TumorMicroenvironment(read_scenario(DISH, folder=Path()))
    for _ in range(240):
        model.step()
    return model


def test_oxygen_under_the_medium_is_that_of_a_diffusion_layer(after_a_day):
    """Zero-order uptake V per site volume: the drop over the column is V h H/D, on average over the sites."""
    drop = 15.0 * N_CELLS / N_SITES * SPACING_UM * HEIGHT_UM / (3000.0 + 1e5)
    assert 140.0 - after_a_day.tissue.field("oxygen").mean() == pytest.approx(drop, rel=1e-4)


def test_glucose_of_a_well_falls_by_what_the_cells_use(after_a_day):
    used_mm = 0.5 * 1440.0 * (N_CELLS / N_SITES) * SPACING_UM / HEIGHT_UM
    left_mm = after_a_day.tissue.field("glucose").mean() / 1e6
    assert 5.0 - left_mm == pytest.approx(used_mm, rel=3e-3)  # saturable uptake is first order in the step


def test_secreted_factor_rises_to_secretion_over_decay_in_the_column(after_a_day):
    decay = math.log(2) / 300.0
    per_site = 5.0 * 60.0 * N_CELLS / N_SITES / (MOLECULES_PER_UM3_IN_1_NM * COLUMN_UM3)
    step = 1.0 / (1.0 + decay * 6.0)  # backward Euler, step by step
    expected = per_site / decay * (1.0 - step**240)
    assert after_a_day.tissue.field("il6").mean() == pytest.approx(expected, rel=1e-4)


def test_vesicles_dock_from_the_volume_of_a_site_not_of_the_column(after_a_day):
    """d(free)/dt = release − (decay + docking/100 · share of cells) free, from conditioned medium of 400 per site."""
    loss = math.log(2) / 600.0 + 0.3 / 60.0 * SPACING_UM / HEIGHT_UM * N_CELLS / N_SITES
    release = N_CELLS / N_SITES  # 60 /h
    free = 400.0
    for _ in range(240):
        free = (free + 6.0 * release) / (1.0 + 6.0 * loss)
    assert after_a_day.tissue.pools.mean() == pytest.approx(free, rel=1e-3)


@pytest.mark.parametrize("book", ["exosome_imbalance", "toxin_imbalance"])
def test_books_of_a_dish_close(after_a_day, book):
    assert abs(measured(after_a_day, book)) < 1e-9


def test_cells_deplete_a_drug_slowly_in_a_large_volume(after_a_day):
    """Held drug settles at influx/(efflux + metabolism) times the medium; the medium loses what is broken down."""
    tissue = after_a_day.tissue
    outside, held = tissue.field("toxin").mean(), tissue.cells["drug"][:, 0].mean()
    assert held == pytest.approx(outside * 4.0 / 1.5, rel=0.01)
    lost = 4.0 * (0.5 / 1.5) / 60.0 * N_CELLS / N_SITES * SPACING_UM / HEIGHT_UM  # per min
    assert outside == pytest.approx(10.0 * math.exp(-lost * 1440.0), rel=0.02)


def test_dying_cells_give_their_drug_back_to_the_column():
    model = TumorMicroenvironment(read_scenario(DISH, ["cells.tumour.base.apoptosis=10 /h"], folder=Path()))
    for _ in range(10):
        model.step()
    assert not model.tissue.cells.alive().any()
    assert abs(measured(model, "toxin_imbalance")) < 1e-12
    assert model.tissue.field("toxin").mean() == pytest.approx(10.0, rel=0.01)


def test_a_tissue_is_a_dish_without_medium():
    assert np.isclose(read_scenario(DISH, folder=Path()).lattice().fluid_sites, 100.0)
    assert faults(DISH.replace("interstitial_fraction: 1,", "")) == [
        "<text>:2:7: grid: a dish has no interstitium: medium needs interstitial_fraction: 1"
    ]
    assert "expected" not in "".join(faults(DISH))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("size: [200 um, 200 um]", "size: [200 um, 200 um, 40 um]", "medium lies over one layer"),
        ("height: 2 mm", "height: 10 um", "is lower than a site"),
        ("z_high: 140", "z_low: 140", "this face of it is always no_flux"),
    ],
)
def test_faults_of_a_medium_are_named(old, new, words):
    assert words in faults(DISH.replace(old, new))[0]
