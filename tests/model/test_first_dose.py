"""What a drug found and what it made, with made truth: mutants, a niche, a state that follows the drug."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from tme_sim import TumorMicroenvironment
from tme_sim.model.first_dose import resisted_before
from tme_sim.model.washout import classify
from tme_sim.record.reader import open_run
from tme_sim.record.session import recorder_of
from tme_sim.record.writer import write_run
from tme_sim.scenario.load import read_scenario
from tme_sim.state.codes import LOST, PRE_EXISTING, PROTECTED, SENSITIVE, STABLE, TRANSIENT

PLACES = ", ".join(f"[{x} um, {y} um]" for x in range(50, 600, 100) for y in range(50, 600, 100))
HALF = 300.0  # um: the niche lies left of it
SCENARIO = f"""\
scenario: found_and_made
grid: {{size: [600 um, 600 um], spacing: 20 um}}
time: {{step: 30 min, duration: 3 d}}
variables: {{A: {{time: 4 h}}, B: {{time: 4 h}}}}
fields:
  niche: {{unit: nM, diffusion: 1e-6 um^2/s}}
  D: {{unit: nM, diffusion: 1000 um^2/s}}
  E: {{unit: nM, diffusion: 1000 um^2/s}}
drugs:
  D: {{field: D, half_max: 8 nM, reference: {{dose: 100 nM, for: 24 h}}}}
  E: {{field: E, half_max: 8 nM, reference: {{dose: 100 nM, for: 24 h}}}}
resistance: {{washout: 2 d}}
cells:
  tumour:
    base: {{cycle entry: 0.1 /h, influx D: 4 /h, efflux D: 4 /h, damage by D: 1 /h, repair of D: 0.1 /h, death from D: 0.03 /h,
           influx E: 4 /h, efflux E: 4 /h, damage by E: 1 /h, repair of E: 0.1 /h, death from E: 0.03 /h}}
    cycle: {{S: 3 h, G2M: 2 h}}
    clearance: 1 h
    heredity:
      traits: {{tolerance: {{multiplies: [damage by D]}}}}
      clones: {{s: {{}}, r: {{share: 20 %, traits: {{tolerance: 0.01}}}}}}
tissue: {{tumour: {{at: [{PLACES}]}}}}
interventions:
  give_D: {{kind: exchange_medium, from: 24 h, fraction: 100 %, medium: {{D: 100 nM, niche: 0 nM}}, active: false}}
  graft: {{kind: transplant, target: tumour, at: [110 um, 110 um], radius: 60 um, from: 30 h, active: false}}
rules:
  - {{cell: tumour, signal: niche, effect: decreases, behaviour: damage by D, to: 0 /h, half_max: 0.1 nM, hill: 2}}
  - {{cell: tumour, signal: drug D, effect: increases, behaviour: A, to: 1, half_max: 1 nM, hill: 2}}
  - {{cell: tumour, signal: A, effect: decreases, behaviour: damage by D, to: 0 /h, half_max: 0.3, hill: 4}}
  - {{cell: tumour, signal: A, effect: decreases, behaviour: damage by E, to: 0 /h, half_max: 0.3, hill: 4}}
  - {{cell: tumour, signal: drug E, effect: increases, behaviour: B, to: 1, half_max: 1 nM, hill: 2}}
  - {{cell: tumour, signal: B, effect: decreases, behaviour: damage by E, to: 0 /h, half_max: 0.3, hill: 4}}
"""  # noqa: E501 - a block is one line
INDUCED = (TRANSIENT, STABLE, LOST)
DOSES = {"D": 24.0, "E": 36.0}  # hours


def dish(*, niche=True):
    """Return the dish at its start, its left half protective or not."""
    model = TumorMicroenvironment(read_scenario(SCENARIO))
    if niche:
        model.tissue.field("niche")[..., :15] = 10.0
    return model


def go(model, hours, doses=DOSES):
    """Step to a time, giving drugs to the whole dish at theirs."""
    while model.clock.minutes < 60.0 * hours - 1e-9:
        for drug, at in doses.items():
            if model.clock.minutes == 60.0 * at:
                model.tissue.field(drug)[:] = 100.0
        model.step()
    return model


def told(model, drug):
    """Return the class of each tumour cell, whether it lies in the niche, and whether it is a mutant."""
    table, cells = classify(model, 2880.0)[drug], model.tissue.cells
    row = dict(zip(cells["id"].tolist(), range(cells.n), strict=True))
    rows = np.array([row[i] for i in table["id"].tolist()])
    left = model.tissue.grid.positions_um(cells["site"][rows])[:, 0] < HALF
    return table["code"], left, cells["clone"][rows] == 2


def resisted(model, drug):
    """Return the ids of the cells that resisted just before the first dose."""
    before = model.before_drug[drug]
    return before.ids[before.ratio < 0.5]


@pytest.fixture(scope="module")
def treated():
    return go(dish(), 40.0)


def test_mutants_the_niche_and_the_drug_are_told_apart(treated):
    # At the border cells are pushed into the niche and out of it.
    code, left, mutant = told(treated, "D")
    assert set(code[mutant]) == {PRE_EXISTING}
    assert np.mean(code[left & ~mutant] == PROTECTED) > 0.9
    assert np.mean(np.isin(code[~left & ~mutant], INDUCED)) > 0.9
    assert np.mean(code[~left & ~mutant] == TRANSIENT) > 0.7
    assert min((code == kind).sum() for kind in (PRE_EXISTING, PROTECTED, TRANSIENT)) > 10


def test_each_drug_has_its_own_first_dose(treated):
    assert {drug: before.minutes for drug, before in treated.before_drug.items()} == {
        "D": 1440.0,
        "E": 2160.0,
    }
    # By then D had switched A on, which protects from E as well: E found that, and did not make it.
    code, left, mutant = told(treated, "E")
    assert np.mean(code == PROTECTED) > 0.95
    only_e = go(dish(), 40.0, {"E": 24.0})
    assert set(only_e.before_drug) == {"E"}
    code, _, _ = told(only_e, "E")
    assert PROTECTED not in code
    assert np.mean(np.isin(code, INDUCED)) > 0.9


def test_without_a_dose_nothing_is_induced():
    model = go(dish(), 30.0, {})
    code, left, mutant = told(model, "D")
    assert model.before_drug == {}
    assert set(code) == {SENSITIVE, PRE_EXISTING, PROTECTED}
    assert np.array_equal(code == PRE_EXISTING, mutant)
    assert np.mean(code[left & ~mutant] == PROTECTED) > 0.95


def test_a_moment_can_stand_for_the_first_dose_where_none_comes():
    """The control of an arm with drug: what resists later there, without any drug, no drug has made."""
    model = TumorMicroenvironment(read_scenario(SCENARIO, ["resistance.before=24 h"]))
    go(model, 30.0, {})
    model.tissue.field("niche")[..., :15] = 10.0  # a niche that has come since
    table = classify(go(model, 36.0, {}), 60.0)["D"]
    assert set(table["code"]) <= {SENSITIVE, PRE_EXISTING, *INDUCED}
    assert np.isin(table["code"], INDUCED).sum() > 10
    assert np.isnan(table["first_dose_min"])
    assert table["before_min"] == 1440.0
    earlier = go(
        TumorMicroenvironment(read_scenario(SCENARIO, ["resistance.before=24 h"])), 25.0, {"D": 12.0}
    )
    assert earlier.before_drug["D"].minutes == 720.0
    assert np.isnan(earlier.before_drug["E"].came_min)


def test_a_dose_after_the_moment_that_stands_for_it_is_still_told():
    model = TumorMicroenvironment(read_scenario(SCENARIO, ["resistance.before=12 h"]))
    table = classify(go(model, 25.0, {"D": 24.0}), 60.0)["D"]
    assert (table["before_min"], table["first_dose_min"]) == (720.0, 1440.0)


def test_what_was_before_is_judged_by_the_threshold_of_now(treated):
    before = replace(
        treated.before_drug["D"], ids=np.array([1, 2, 3]), ratio=np.array([0.2, 0.6, 0.9]), births=10**6
    )
    for threshold, expected in ((0.5, [1]), (0.8, [1, 2])):
        found = resisted_before(treated.tissue, np.arange(1, 5), before, threshold)
        assert np.flatnonzero(found).tolist() == [i - 1 for i in expected]


@pytest.mark.parametrize("other", ["drugs.D.reference.dose=50 nM", "resistance.normoxia=20 mmHg"])
def test_a_branch_that_judges_by_another_reference_cannot_tell_what_was_before(treated, other):
    branch = pickle.loads(pickle.dumps(treated))
    with pytest.raises(ValueError, match=r"resistance.washout: classes ask who resisted before .*D at 1 d"):
        branch.go_on(read_scenario(SCENARIO, [other]))
    branch.go_on(read_scenario(SCENARIO, [other, "resistance.washout=null"]))


def test_a_branch_that_first_asks_for_resistance_cannot_either(treated):
    without = TumorMicroenvironment(read_scenario(SCENARIO, ["resistance=null"]))
    go(without, 26.0)
    with pytest.raises(ValueError, match="not at all"):
        without.go_on(read_scenario(SCENARIO))
    early = go(TumorMicroenvironment(read_scenario(SCENARIO, ["resistance=null"])), 20.0)
    early.go_on(read_scenario(SCENARIO))
    assert go(early, 26.0).before_drug["D"].minutes == 1440.0


def test_cells_that_came_after_the_first_dose_are_not_protected_before():
    words = SCENARIO.replace("from: 30 h, active: false", "from: 30 h")
    model = TumorMicroenvironment(read_scenario(words))
    model.tissue.field("niche")[..., :15] = 10.0
    go(model, 30.0, {"D": 24.0})
    there = model.tissue.cells["id"].copy()
    go(model, 30.5, {})
    grafted = np.setdiff1d(model.tissue.cells["id"][model.tissue.cells["parent"] < 0], there)
    table = classify(go(model, 36.0, {}), 60.0)["D"]
    code = table["code"][np.isin(table["id"], grafted)]
    assert len(code) > 5
    assert set(code) <= {PRE_EXISTING, *INDUCED}
    assert PROTECTED in table["code"]


def test_drug_is_seen_before_any_cell_feels_it():
    # Medium that takes the niche's factor away brings the drug: what it finds are cells without that protection.
    words = SCENARIO.replace("niche: 0 nM}, active: false", "niche: 0 nM}")
    model = TumorMicroenvironment(read_scenario(words))
    go(model, 25.0, {})
    assert model.before_drug["D"].minutes == 1440.0
    cells = model.tissue.cells
    assert set(cells["clone"][np.isin(cells["id"], resisted(model, "D"))]) == {2}
    assert model.tissue.cells.column("A").max() > 0.05


def test_what_cells_would_answer_at_once_to_the_drug_is_not_found_before_it():
    effect = "effect: decreases, behaviour: damage by D, to: 0 /h, half_max: 1 nM, hill: 2"
    at_once = f"  - {{cell: tumour, signal: D, {effect}}}\n"
    model = go(TumorMicroenvironment(read_scenario(SCENARIO + at_once)), 25.0, {"D": 24.0})
    cells = model.tissue.cells
    assert set(cells["clone"][np.isin(cells["id"], resisted(model, "D"))]) == {2}


SMALL = ("grid.size=[300 um, 300 um]", "tissue.tumour.nodules.0.radius=60 um")


def test_drug_in_plasma_is_a_first_dose():
    model = TumorMicroenvironment("s0_relay", [*SMALL, "drugs.SN38.schedule.0.from=1 h"])
    for _ in range(12):
        model.step()
    assert model.before_drug["SN38"].minutes == 60.0


def test_drug_in_vesicles_is_a_first_dose():
    model = TumorMicroenvironment("vesicle_niche", [*SMALL])
    model.step()
    assert model.before_drug == {}
    loads = model.tissue.layout.loads
    model.tissue.loads[0, 2, 2, next(i for i, name in enumerate(loads) if name.startswith("SN38 in "))] = 1e-9
    model.step()
    assert set(model.before_drug) == {"SN38"}


def test_noting_changes_nothing_in_the_tissue(monkeypatch):
    with_notes = go(dish(), 30.0)
    monkeypatch.setattr("tme_sim.model.tumor.note_first_doses", lambda *_: None)
    without = go(dish(), 30.0)
    assert with_notes.before_drug
    assert not without.before_drug
    for name in ("fields", "plasma"):
        assert getattr(with_notes.tissue, name).tobytes() == getattr(without.tissue, name).tobytes()
    for name in ("id", "site", "variables", "damage"):
        assert with_notes.tissue.cells[name].tobytes() == without.tissue.cells[name].tobytes()


@pytest.mark.parametrize("broken_off_at", [20.0, 30.0])
def test_run_that_is_resumed_has_the_same_classes(tmp_path, broken_off_at):
    files = []
    for resumed in (False, True):
        model = dish()
        recorder = recorder_of(model)
        recorder.start(model)
        go(model, broken_off_at)
        if resumed:
            model, recorder = pickle.loads(pickle.dumps((model, recorder)))
            recorder.attach(model)
        go(model, 36.0)
        files.append(tmp_path / f"{resumed}.h5")
        write_run(recorder.finish(), files[-1])
    assert files[0].read_bytes() == files[1].read_bytes()
    with open_run(files[1]) as run:
        assert {"protected before", "pre-existing"} <= set(run.classes.query("drug == 'D'")["class"])
        assert run.classes.attrs["first_dose_min"]["D"] == 1440.0
        assert np.isnan(run.classes.attrs["first_dose_min"]["E"])
