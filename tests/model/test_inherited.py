"""Heredity in whole models: growth, asymmetric division, label, run files, equality of results."""

import pickle

import numpy as np
import pytest
from made_models import unequal

from tme_sim import TumorMicroenvironment
from tme_sim.measures.clones import label
from tme_sim.measures.registry import measures_for
from tme_sim.numerics.jit import set_threads
from tme_sim.record.reader import open_run
from tme_sim.record.recorder import Recorder
from tme_sim.record.schedule import Every
from tme_sim.record.writer import write_run
from tme_sim.scenario.load import read_scenario

DISH = """\
scenario: dish_of_clones
grid: {{size: [1200 um, 1200 um], spacing: 20 um}}
time: {{step: 30 min, duration: 10 d}}
variables:
  A: {{time: 2 h}}
fields:
  D: {{unit: nM, diffusion: 1000 um^2/s, start: {start} nM}}
drugs:
  D: {{field: D, acts_in: [S], half_max: 8 nM, reference: {{dose: 8 nM, for: 24 h}}}}
resistance: {{}}
cells:
  tumour:
    base: {{cycle entry: 0.1 /h, influx D: 4 /h, efflux D: 4 /h, damage by D: 0.2 /h, repair of D: 0.03 /h,
           death from D: 0.1 /h}}
    cycle: {{S: 4 h, G2M: 2 h}}
    heredity: {heredity}
tissue: {{tumour: {{nodules: [{{radius: {radius} um}}]}}}}
"""
MIXED = """{traits: {pump: {multiplies: [efflux D], spread: {kind: lognormal, sigma: 0.4}, heritability: 0.7},
      stemness: {shifts: [A], spread: {kind: beta, a: 2, b: 4}}},
      clones: {s: {}, r: {share: 30 %, traits: {pump: 10}, fitness: 0.5}},
      switching: [{from: s, to: r, probability: 0.05}, {from: r, to: s, probability: 0.05}], barcodes: 50}"""
STEM = """{clones: {stem: {share: 20 %, fitness: 0.2}, committed: {}},
      switching: [{from: stem, to: committed, probability: 1}]}"""


def dish(heredity, *, start=0, radius=100, rng=1):
    return TumorMicroenvironment(
        read_scenario(DISH.format(heredity=heredity, start=start, radius=radius)), rng=rng
    )


def grown(model, days):
    while model.clock.days < days:
        model.step()
    return model


@pytest.fixture(scope="module")
def reference():
    return grown(dish(MIXED), 2.0)


def test_cost_of_a_clone_slows_its_growth():
    cells = grown(
        dish("{clones: {s: {share: 50 %}, r: {share: 50 %, fitness: 0.5}}}", radius=160), 3.0
    ).tissue.cells
    size = np.bincount(cells["clone"], minlength=3)[1:]
    generation = [cells["generation"][cells["clone"] == code].mean() for code in (1, 2)]
    assert size[1] < 0.75 * size[0]
    assert generation[1] < 0.8 * generation[0]


def test_stem_cells_divide_asymmetrically():
    """S3-27: stem cells keep their number and make the others, which make no stem cells."""
    model = dish(STEM)
    before = np.bincount(model.tissue.cells["clone"], minlength=3)
    cells = grown(model, 4.0).tissue.cells
    after = np.bincount(cells["clone"], minlength=3)
    assert after[1] == before[1] > 0
    assert after[2] > 2 * before[2]
    committed = cells["clone"] == 2
    mothers = cells.rows_of(cells["parent"][committed & (cells["parent"] > 0)])
    assert {1, 2} == set(cells["clone"][mothers[mothers >= 0]])


def test_label_halves_at_each_division():
    model = dish("{barcodes: 5}")
    founders = model.tissue.cells.n
    cells = grown(model, 2.0).tissue.cells
    assert label(cells["generation"]).sum() == pytest.approx(founders, rel=1e-12)


def test_survivors_of_a_drug_keep_their_label():
    """S3-28: slow cells keep label and survive a drug that acts in S; with equal cycling nothing is enriched."""

    def retained(fitness, start):
        clones = f"{{clones: {{fast: {{share: 80 %}}, slow: {{share: 20 %, fitness: {fitness}}}}}}}"
        model = grown(dish(clones, start=start, radius=200), 6.0)
        return measures_for(model.tissue.layout)["label_retaining_share"].of(model.tissue)

    survivors = retained(0.1, 100)
    assert survivors > 2.0 * retained(0.1, 0)
    assert survivors > 5.0 * retained(1, 100)


def test_shifted_variables_of_founders_are_settled():
    cells = dish(MIXED).tissue.cells
    assert np.allclose(cells.column("A"), cells.column("stemness"))
    assert cells.column("A").std() > 0.05


def test_results_do_not_depend_on_threads_rows_or_a_pickle(reference):
    model = dish(MIXED)
    set_threads(2)
    rng = np.random.default_rng(3)
    while model.clock.days < 2.0:
        if model.clock.step == 40:
            model = pickle.loads(pickle.dumps(model))
        model.tissue.cells.permute(rng.permutation(model.tissue.cells.n))
        model.step()
    assert unequal(reference, model) == []
    assert np.array_equal(reference.tissue.events.table("switches"), model.tissue.events.table("switches"))


def test_run_file_holds_clones_traits_and_switches(tmp_path):
    model = dish(MIXED)
    recorder = Recorder(Every(720.0), Every(1440.0), context=model.measure_context)
    recorder.start(model)
    for _ in range(60):
        model.step()
    write_run(recorder.finish(), tmp_path / "run.h5")
    with open_run(tmp_path / "run.h5") as run:
        cells, switches, series = run.cells(), run.events("switches"), run.timeseries
        assert run.layout == model.tissue.layout
    assert set(cells["clone"]) == {"s", "r"}
    assert cells["barcode"].between(0, 49).all()
    assert cells["trait_pump"].gt(0).all()
    assert len(switches) > 0
    assert (switches["from_clone"] != switches["to_clone"]).all()
    assert series["share_of_clone_r"].iloc[0] == pytest.approx(0.3, abs=0.15)
    assert series["resistant_fraction_clone_r_D"].iloc[-1] > series["resistant_fraction_clone_s_D"].iloc[-1]
    assert series["attribution_inherited_traits_D"].iloc[-1] > 0.5


def test_scenario_without_heredity_has_neither_process_nor_columns(tmp_path):
    model = TumorMicroenvironment("krogh")
    assert "heredity" not in [process.name for process in model.processes]
    recorder = Recorder(context=model.measure_context)
    recorder.start(model)
    names = {column.name for column in recorder.finish().cell_columns}
    assert not {"clone", "barcode"} & names


MIX = """\
scenario: subclones
grid: {size: [400 um, 400 um], spacing: 20 um}
time: {step: 30 min, duration: 10 d}
variables: {B: {time: 2 h}}
cargo: {X: {half_life: 4 h}}
fields: {D: {unit: nM, diffusion: 1000 um^2/s}}
drugs: {D: {field: D, half_max: 8 nM, reference: {dose: 8 nM, for: 24 h}}}
resistance: {}
cells:
  tumour:
    base: {influx D: 4 /h, efflux D: 4 /h, damage by D: 0.2 /h, repair of D: 0.03 /h, death from D: 0.1 /h, release exo: 60 /h}
    heredity:
      traits: {strength: {shifts: [B]}}
      clones: {weak: {}, strong: {share: 50 %, traits: {strength: 1}}}
vesicles:
  exo: {donor: tumour, diameter: 100 nm, half_life: 4 h, cargo: {X: 1}, taken_up_by: {tumour: 1 /h}, internalise: 4 /h}
rules:
  - {cell: tumour, signal: held X, effect: increases, behaviour: B, to: 1, half_max: 20, hill: 2}
  - {cell: tumour, signal: B, effect: decreases, behaviour: death from D, to: 0 /h, half_max: 0.3, hill: 4}
tissue: {tumour: {nodules: [{radius: 120 um}]}}
"""  # noqa: E501 - a block is one line


def test_exchange_of_vesicles_makes_subclones_alike():
    """S1-07: with cargo passing between subclones the variance of resistance falls, without it stays."""

    def variance(*overrides):
        model = grown(TumorMicroenvironment(read_scenario(MIX, overrides)), 2.0)
        return measures_for(model.tissue.layout)["variance_of_resistance_D"].of(
            model.tissue, model.measure_context
        )

    apart = variance("cells.tumour.base.release exo=0 /h")
    assert apart > 0.2
    assert variance() < 0.2 * apart
    assert variance("rules.0.half_max=1e9") == pytest.approx(apart, rel=1e-9)
