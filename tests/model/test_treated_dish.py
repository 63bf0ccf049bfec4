"""Two drugs by different routes, vesicles, a medium exchange and a washout in one run: every book closes."""

import pickle

import numpy as np
import pytest

from tests.scenario.made import changed
from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.scenario.load import read_scenario

KINETICS = "kinetics: {volume: 10 L, clearance: 5 L/h, absorption: {half_life: 1 h}}"
TEXT = changed(
    (
        "  SN38: {unit: nM, diffusion",
        "  B: {unit: nM, diffusion: 100 um^2/s, vessel: {exchange: 5 /min}}\n"
        "  SN38: {unit: nM, molar_mass: 400 Da, diffusion",
    ),
    (
        "SN38: {field: SN38, half_max: 8 nM, schedule: [{dose: 8 nM, from: 1 h, for: 1 h}]}",
        f"SN38: {{field: SN38, half_max: 8 nM, {KINETICS}, schedule: [{{route: oral, dose: 1 mg, every: 3 h}}]}}\n"
        "  B: {field: B, half_max: 5 nM, schedule: [{dose: 4 nM, for: 30 min, every: 2 h}]}",
    ),
    (
        "  block: {kind: block_release, target: exosome, factor: 0, active: false}",
        "  dose: {kind: give_vesicles, target: exosome, amount: 50, every: 2 h}\n"
        "  fresh: {kind: exchange_medium, fraction: 60 %, medium: {SN38: 3 nM, B: 0 nM}, from: 1 h, every: 1 h}\n"
        "  thin: {kind: deplete, target: tumour, fraction: 30 %, from: 2 h}\n"
        "  graft: {kind: transplant, target: tumour, at: [150 um, 30 um], radius: 25 um, from: 3 h}\n"
        '  holiday: {kind: change_dose, target: SN38, factor: 0, when: "SN38_plasma > 50", '
        'stop_when: "SN38_plasma < 9"}\n'
        "  wash: {kind: wash_out, target: B, from: 4 h}",
    ),
    (
        "base: {HIF: 0.5,",
        "base: {influx SN38: 4 /h, efflux SN38: 2 /h, metabolism SN38: 1 /h, influx B: 3 /h, efflux B: 1 /h, "
        "release exosome: 60 /h, HIF: 0.5,",
    ),
)


@pytest.fixture(scope="module")
def treated():
    model = TumorMicroenvironment(read_scenario(TEXT))
    for step in range(60):
        model.step()
        model.tissue.check()
        if step == 29:
            copy = pickle.loads(pickle.dumps(model))
    for _ in range(30):
        copy.step()
    return model, copy


@pytest.mark.parametrize(
    "book", ["SN38_imbalance", "B_imbalance", "exosome_imbalance", "SN38_body_imbalance"]
)
def test_books_close(treated, book):
    model, _ = treated
    measure = measures_for(model.tissue.layout)[book]
    assert abs(measure.of(model.tissue, model.measure_context)) < 1e-9


def test_each_drug_follows_its_own_course(treated):
    model, _ = treated
    timeline = model.tissue.timeline
    assert timeline.bodies.keys() == {"SN38"}
    assert timeline.runs["holiday"]
    assert timeline.bodies["SN38"].given_nmol == pytest.approx(
        2500.0
    )  # the second dose falls into the holiday
    assert model.tissue.field("B").max() < model.tissue.field("SN38").max()


def test_copy_goes_on_as_the_model_does(treated):
    model, copy = treated
    assert np.array_equal(model.tissue.fields, copy.tissue.fields)
    assert np.array_equal(
        model.tissue.timeline.bodies["SN38"].amounts, copy.tissue.timeline.bodies["SN38"].amounts
    )
    assert model.tissue.timeline.runs == copy.tissue.timeline.runs
    assert np.array_equal(np.sort(model.tissue.cells["id"]), np.sort(copy.tissue.cells["id"]))
