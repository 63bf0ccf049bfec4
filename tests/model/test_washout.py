"""Pure selection, transient and stable induction, made; the tests must tell which is which."""

import numpy as np
import pytest

from tme_sim import TumorMicroenvironment
from tme_sim.measures.lineage import ancestors
from tme_sim.measures.origin import (
    INDUCED_STABLE,
    INDUCED_TRANSIENT,
    SELECTED,
    fluctuation,
    mutation_rate,
    origin,
    sister_pairs,
    sisters,
)
from tme_sim.model.washout import classify, washout
from tme_sim.record.reader import open_run
from tme_sim.record.recorder import Recorder
from tme_sim.record.writer import write_run
from tme_sim.scenario.load import read_scenario
from tme_sim.state.codes import LOST, PRE_EXISTING, SENSITIVE, STABLE, TRANSIENT

MUTATION = 0.02
FOUNDERS = [[x, y] for x in range(130, 1600, 260) for y in range(130, 1600, 260)]
PLACES = ", ".join(f"[{x} um, {y} um]" for x, y in FOUNDERS)
BASE = f"""\
scenario: origin
grid: {{size: [1600 um, 1600 um], spacing: 20 um}}
time: {{step: 30 min, duration: 20 d}}
variables: {{A: {{time: 4 h}}}}
fields: {{D: {{unit: nM, diffusion: 1000 um^2/s}}}}
drugs: {{D: {{field: D, half_max: 8 nM, reference: {{dose: 100 nM, for: 24 h}}}}}}
resistance: {{washout: 2 d}}
cells:
  tumour:
    base: {{cycle entry: 0.2 /h, influx D: 4 /h, efflux D: 4 /h, damage by D: 1 /h, repair of D: 0.1 /h, death from D: 0.3 /h}}
    cycle: {{S: 3 h, G2M: 2 h}}
    clearance: 1 h
    heredity: {{HEREDITY}}
tissue: {{tumour: {{at: [{PLACES}]}}}}
rules:
  - {{cell: tumour, signal: A, effect: decreases, behaviour: damage by D, to: 0 /h, half_max: 0.5, hill: 4}}
"""  # noqa: E501 - a block is one line
INDUCED = (
    "  - {cell: tumour, signal: drug D, effect: increases, behaviour: A, to: 1, half_max: 1 nM, hill: 2}\n"
)
KEPT = "  - {cell: tumour, signal: A, effect: increases, behaviour: A, to: 1, half_max: 0.3, hill: 4}\n"
MUTANTS = f"""{{traits: {{tolerance: {{multiplies: [damage by D]}}}}, clones: {{s: {{}}, r: {{share: 0 %, traits: {{tolerance: 0.01}}}}}},
                switching: [{{from: s, to: r, probability: {MUTATION}}}]}}"""  # noqa: E501 - as above
CASES = {
    SELECTED: (MUTANTS, ""),
    INDUCED_TRANSIENT: ("{}", INDUCED),
    INDUCED_STABLE: ("{}", INDUCED + KEPT),
}


def advance(model, hours):
    end = model.clock.minutes + 60 * hours
    while model.clock.minutes < end:
        model.step()


@pytest.fixture(scope="module", params=CASES)
def treated(request):
    """Return the truth, the model after growth and a day of drug, clones before, sister survival."""
    heredity, rules = CASES[request.param]
    model = TumorMicroenvironment(read_scenario(BASE.replace("{HEREDITY}", heredity) + rules))
    advance(model, 60)
    cells, tissue = model.tissue.cells, model.tissue
    before = {name: cells[name].copy() for name in ("id", "parent", "generation", "founder", "clone")}
    births = len(tissue.events.table("births"))
    tissue.field("D")[:] = 100.0
    advance(model, 24)
    cells = tissue.cells
    alive = cells["id"][cells.alive()]
    survived = np.isin(before["id"], ancestors(tissue, alive, births))
    return request.param, model, before, survived


def test_origin_is_recovered(treated):
    truth, model, before, survived = treated
    _, clone = np.unique(before["founder"], return_inverse=True)
    cells, k = np.bincount(clone), np.bincount(clone, weights=survived)
    assert cells.mean() > 30
    assert 0.02 < survived.mean() < 0.8
    pairs = sister_pairs(before["id"], before["parent"], before["generation"])
    counted, paired = fluctuation(k, cells), sisters(survived[pairs[:, 0]], survived[pairs[:, 1]])
    code = classify(model, 2880.0)["D"]["code"]
    assert origin(counted, paired, code) == truth, (counted, paired, np.bincount(code))


def test_classes_are_those_of_the_mechanism(treated):
    truth, model, _, _ = treated
    code = classify(model, 2880.0)["D"]["code"]
    expected = {SELECTED: PRE_EXISTING, INDUCED_TRANSIENT: TRANSIENT, INDUCED_STABLE: STABLE}[truth]
    # Some die in the washout of the damage they have; nobody is taken for another class.
    assert set(code) <= {expected, SENSITIVE, LOST}
    assert np.mean(code == expected) > 0.4
    assert truth != SELECTED or LOST not in code


def test_mutation_rate_is_recovered_from_the_survivors(treated):
    truth, _, before, _ = treated
    if truth != SELECTED:
        pytest.skip("only mutants have a rate")
    _, clone = np.unique(before["founder"], return_inverse=True)
    k = np.bincount(clone, weights=before["clone"] == 2)
    assert mutation_rate(k, np.bincount(clone)) == pytest.approx(MUTATION, rel=0.5)


def test_washout_leaves_the_model_as_it_was(treated):
    _, model, _, _ = treated
    before = [model.clock.step, model.tissue.fields.tobytes(), model.tissue.cells["id"].tobytes()]
    branch = washout(model, 600.0)
    assert branch.clock.minutes == model.clock.minutes + 600.0
    assert branch.tissue.fields.max() < model.tissue.fields.max()
    assert before == [model.clock.step, model.tissue.fields.tobytes(), model.tissue.cells["id"].tobytes()]


def test_classes_are_in_the_run_file(treated, tmp_path):
    truth, model, _, _ = treated
    if truth != SELECTED:
        pytest.skip("one case is enough")
    recorder = Recorder(context=model.measure_context)
    recorder.start(model)
    write_run(recorder.finish(), tmp_path / "run.h5")
    with open_run(tmp_path / "run.h5") as run:
        table = run.classes
    assert set(table["drug"]) == {"D"}
    assert set(table["id"]) == set(model.tissue.cells["id"][model.tissue.cells.alive()])
    assert (table["class"] == "pre-existing").mean() > 0.9


def test_branch_without_drug_holds_none_in_vesicles_either():
    small = [
        "grid.size=[300 um, 300 um]",
        "tissue.tumour.nodules.0.radius=60 um",
        "drugs.SN38.schedule.0.from=0 d",
    ]
    model = TumorMicroenvironment("vesicle_niche", small)
    for _ in range(20):
        model.step()
    assert model.tissue.loads.sum() > 0.0
    branch = washout(model, 6.0)
    assert (
        branch.tissue.loads.sum()
        == branch.tissue.cells["load"].sum()
        == branch.tissue.cells["drug"].sum()
        == 0.0
    )
    assert model.tissue.loads.sum() > 0.0
