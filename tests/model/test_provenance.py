"""Shares of sources, against twins in which the source is silent."""

import numpy as np
import pytest

from tme_sim import TumorMicroenvironment
from tme_sim.model.provenance import provenance, silenced
from tme_sim.scenario.load import read_scenario

SCENE = """\
scenario: sources
grid: {size: [600 um, 400 um], spacing: 20 um}
time: {step: 1 h, duration: 20 d}
cargo: {X: {half_life: 1 h}}
fields:
  il6: {unit: nM, diffusion: 30 um^2/s, half_life: 2 h, vessel: {value: 0.01 nM, exchange: 0.1 /min}}
  D: {unit: nM, diffusion: 100 um^2/s, vessel: {exchange: 1 /min}}
drugs: {D: {field: D, half_max: 1 nM}}
cells:
  tumour:
    base: {release exo: 30 /h, uptake il6: 0.3 /h}
    heredity:
      traits: {sender: {multiplies: [release exo]}}
      clones: {quiet: {}, loud: {share: 30 %, traits: {sender: 4}}}
  hsc: {base: {secretion il6: 3 molecules/s}}
  macrophage: {base: {secretion il6: 1 molecules/s}}
  wall: {}
vesicles:
  exo: {donor: tumour, diameter: 100 nm, half_life: 4 h, hindrance: 0.3, cargo: {X: 1}, vessel: 0.1 /h,
        taken_up_by: {hsc: 0.3 /h, tumour: 0.02 /h}}
vessels: {layout: regular, spacing: 200 um, cell: wall}
tissue:
  tumour: {nodules: [{radius: 80 um, filling: 80 %}]}
  hsc: {density: 8 %, where: outside}
  macrophage: {density: 4 %, where: outside}
"""


@pytest.fixture(scope="module")
def settled():
    model = TumorMicroenvironment(read_scenario(SCENE))
    for _ in range(60):
        model.step()
    return model


def rows_of(model, kind):
    return np.flatnonzero(model.tissue.cells.of_type(kind))


@pytest.mark.parametrize("name", ["il6", "exo"])
def test_shares_add_up_to_one_and_explain_what_is_there(settled, name):
    found = provenance(settled, name, rows_of(settled, "hsc"))
    assert found.share.sum() + found.vessels + found.freed + found.boundary == pytest.approx(1.0, abs=1e-9)
    assert (found.share > 0.0).all()
    assert found.explained == pytest.approx(1.0, abs=1e-3)


def test_il6_of_the_tumour_comes_from_stellate_cells_macrophages_and_vessels(settled):
    found = provenance(settled, "il6", rows_of(settled, "tumour")).by(settled.tissue, "type")
    assert list(found) == ["hsc", "macrophage", "vessels"]


def test_twin_without_a_source_lacks_its_share(settled):
    """Silencing half of the stellate cells takes away what the adjoint solve says is theirs."""
    target, tissue = rows_of(settled, "tumour"), settled.tissue
    found = provenance(settled, "il6", target)
    mine = (tissue.cells["type"][found.rows] == tissue.layout.cell_types.index("hsc")) & (found.ids % 2 == 0)
    twin = silenced(settled, found.ids[mine], "secretion il6")
    for _ in range(60):
        twin.step()
    ids = tissue.cells["id"][target]
    before = tissue.field("il6").reshape(-1)[tissue.cells["site"][target]].sum()
    cells = twin.tissue.cells
    after = twin.tissue.field("il6").reshape(-1)[cells["site"][cells.rows_of(ids)]].sum()
    assert 0.1 < found.share[mine].sum() < 0.8
    assert 1.0 - after / before == pytest.approx(found.share[mine].sum(), abs=1e-4)


def test_clone_that_sends_more_educates_more(settled):
    """The vesicles that stellate cells take up, by clone of the donor, against a twin in which that clone is silent."""
    cells = settled.tissue.cells
    hsc = rows_of(settled, "hsc")
    found = provenance(settled, "exo", hsc)
    by_clone = found.by(settled.tissue, "clone")
    assert set(by_clone) == {"quiet", "loud"}
    loud = cells["id"][(cells["clone"] == 2) & cells.alive()]
    quiet = cells["id"][(cells["clone"] == 1) & cells.alive()]
    per_cell = [by_clone["loud"] / len(loud), by_clone["quiet"] / len(quiet)]
    assert per_cell[0] / per_cell[1] == pytest.approx(4.0, rel=0.5)
    twin = silenced(settled, loud, "release exo")
    before, start = settled.tissue.ledger.flux[0].sum(axis=0), twin.tissue.ledger.flux[0].sum(axis=0)
    for _ in range(120):
        twin.step()
    free = [
        model.tissue.pool("exo").reshape(-1)[model.tissue.cells["site"][rows_of(model, "hsc")]].sum()
        for model in (twin, settled)
    ]
    assert np.array_equal(before, start)
    assert 1.0 - free[0] / free[1] == pytest.approx(by_clone["loud"], abs=1e-3)


def test_chain_leads_from_a_cell_to_the_clone_behind_it(settled):
    first = provenance(settled, "il6", rows_of(settled, "tumour"))
    hsc = settled.tissue.cells["type"][first.rows] == settled.tissue.layout.cell_types.index("hsc")
    second = provenance(settled, "exo", first.rows[hsc], first.share[hsc])
    assert sum(second.by(settled.tissue, "clone").values()) == pytest.approx(1.0, abs=1e-9)
    assert second.by(settled.tissue, "clone")["loud"] > 0.3


def test_what_decaying_vesicles_free_is_a_source_of_its_own():
    scene = SCENE.replace("cargo: {X: 1}", "cargo: {X: 1}, frees: {il6: 2000}").replace(
        "step: 1 h", "step: 6 min"
    )
    model = TumorMicroenvironment(read_scenario(scene))
    for _ in range(250):
        model.step()
    found = provenance(model, "il6", rows_of(model, "tumour"))
    assert 0.05 < found.freed < 0.95
    # What is freed in a step enters behind its solve: first order in the step.
    assert found.explained == pytest.approx(1.0, abs=0.1)


def test_asking_changes_nothing(settled):
    tissue = settled.tissue
    before = [
        tissue.fields.tobytes(),
        tissue.pools.tobytes(),
        tissue.ledger.pools.tobytes(),
        tissue.clock.step,
    ]
    provenance(settled, "exo", rows_of(settled, "hsc"))
    assert before == [
        tissue.fields.tobytes(),
        tissue.pools.tobytes(),
        tissue.ledger.pools.tobytes(),
        tissue.clock.step,
    ]


@pytest.mark.parametrize(
    ("name", "rows", "fault"),
    [
        ("il7", [0], "expected a field or pool: il6, D, exo"),
        ("D", [0], "D: a drug"),
        ("il6", [], "expected rows"),
    ],
)
def test_what_cannot_be_traced_is_refused(settled, name, rows, fault):
    with pytest.raises(ValueError, match=fault):
        provenance(settled, name, np.array(rows))
