"""The flagship scenario as numbers, first tissue and processes."""

import numpy as np
import pytest

from tme_sim.measures.registry import measures_for
from tme_sim.model import specs
from tme_sim.model.assemble import PlanError, check_owners
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.numerics.links import well_factor
from tme_sim.state.codes import G1, NO_CYCLE
from tme_sim.state.grid import MOLECULES_PER_UM3_IN_1_NM
from tme_sim.state.ledger import DRUG_ACCOUNTS

SETTINGS = [
    "grid.size=[400 um, 400 um]", "tissue.tumour.nodules=[{centre: middle, radius: 120 um, filling: 90 %}]",
    "tissue.hsc.density=10 %",
]  # fmt: skip
SITE_UM3 = 20.0**3


def made(*settings, rng=3):
    return TumorMicroenvironment("s0_relay", [*SETTINGS, *settings], rng=rng)


@pytest.fixture(scope="module")
def model():
    return made()


@pytest.fixture(scope="module")
def field(model):
    return {spec.name: spec for spec in specs.field_specs(model._numbers)}


def test_field_numbers_are_in_internal_units(field):
    oxygen, il6 = field["oxygen"], field["il6"]
    assert oxygen.steady
    assert not il6.steady
    assert oxygen.diffusion_um2_min == pytest.approx(2000 * 60)
    assert oxygen.background_uptake == pytest.approx(450.0)
    assert il6.decay_per_min == pytest.approx(np.log(2) / 120)
    assert field["glucose"].half_saturation == pytest.approx(1e6)
    assert oxygen.exchange_per_min >= specs.IMPOSED_PER_MIN
    assert il6.exchange_per_min == pytest.approx(0.02)


def test_secreted_factor_is_dissolved_in_the_interstitial_fifth_alone(field):
    assert field["il6"].per_molecule == pytest.approx(1 / (MOLECULES_PER_UM3_IN_1_NM * SITE_UM3 * 0.2))
    assert field["lactate"].per_molecule == pytest.approx(1 / (MOLECULES_PER_UM3_IN_1_NM * SITE_UM3))


def test_drug_field_is_taken_up_and_let_out_by_the_drug_s_behaviours(field):
    sn38 = field["SN38"]
    assert (sn38.uptake, sn38.efflux, sn38.metabolism) == ("influx SN38", "efflux SN38", "metabolism SN38")
    assert (sn38.drug, field["il6"].drug) == (0, -1)


def test_pool_numbers_follow_stokes_and_einstein(model):
    pool = specs.pool_specs(model._numbers)[0]
    # kT/(3 pi eta d) at 37 C in water is 6.57 um2/s for 100 nm; hindrance 0.076.
    assert pool.diffusion_um2_min == pytest.approx(6.57 * 60 * 0.076, rel=0.005)
    assert pool.docking_per_min[model.tissue.layout.cell_types.index("hsc")] == pytest.approx(0.3 / 60)
    assert pool.docking_per_min[model.tissue.layout.cell_types.index("endothelial")] == 0.0
    assert pool.cargo == (1.0, 1.0)


def test_drug_acts_in_s_phase_alone(model):
    drug = specs.drug_specs(model._numbers)[0]
    assert drug.acts_in == (False, True, False, False)
    assert model.assay.exposures[0].acts_in == drug.acts_in


def test_metabolism_is_per_volume_of_a_site(model):
    row = specs.energy(model._numbers).table[model.tissue.layout.cell_types.index("tumour")]
    # 4 fmol/min in 8 pL is 0.5 mM/min; demand 56 fmol/min is 7 mM/min.
    assert row[4] == pytest.approx(5e5, rel=1e-6)
    assert row[11] == pytest.approx(7e6, rel=1e-6)
    assert row[2] == pytest.approx(900.0)


def test_base_values_are_the_cell_s_or_the_word_s(model):
    numbers = model._numbers
    base, kind = numbers.base(), model.tissue.layout.cell_types.index("tumour")
    assert base[kind, numbers.column["apoptosis"]] == pytest.approx(0.0032 / 60)
    assert (base[:, numbers.column["uptake tumour_normoxic_exosome"]] == 1.0).all()
    assert base[kind, numbers.column["migration"]] == 0.0


def test_well_correction_is_peaceman_s(model):
    assert specs.well(model._numbers) == pytest.approx(well_factor(20.0, 5.0))


def test_naive_cell_lives_at_supply_without_factors_or_drug(model):
    naive = dict(zip(model.tissue.layout.fields, model.assay.naive_fields, strict=True))
    assert naive == pytest.approx({"oxygen": 40.0, "glucose": 5e6, "lactate": 1.5e6, "SN38": 0.0, "il6": 0.0})


def test_processes_run_in_the_order_of_a_step_and_own_apart(model):
    names = [process.name for process in model.processes]
    order = ["interventions", "sense", "vessels", "fields", "vesicles", "drugs", "pathways", "fate", "cycle"]
    assert names == [*order, "division", "migration", "settle"]


def test_two_owners_of_one_variable_are_refused(model):
    with pytest.raises(PlanError, match=r"pools is owned by vesicles and by vesicles"):
        check_owners([*model.processes, model.processes[4]])


def test_first_tissue_holds_its_invariants_and_its_nodule(model):
    fresh = made().tissue
    fresh.check()
    tumour = fresh.cells["site"][fresh.cells.of_type("tumour")]
    centre = fresh.grid.positions_um(tumour)[:, :2] - 200.0
    assert np.hypot(*centre.T).max() <= 120.0
    # Vessels are laid first and take some of the disc; 90 % of the rest is filled.
    assert 0.75 < len(tumour) / (np.pi * 120.0**2 / 400.0) < 0.95


def test_first_cells_are_founders_with_their_own_lineage():
    cells = made().tissue.cells
    assert np.array_equal(cells["founder"], cells["id"])
    assert (cells["parent"] == -1).all()
    assert len(np.unique(cells["lineage"])) == cells.n


def test_first_variables_are_those_of_a_naive_cell():
    fresh = made()
    rows = fresh.tissue.cells.of_type("tumour")
    kind = fresh.tissue.layout.cell_types.index("tumour")
    naive = fresh.assay.naive_behaviours(np.array([kind], np.int16))[0]
    for name in ("HIF", "MCT1", "ATP"):
        expected = naive[fresh._numbers.column[name]]
        assert fresh.tissue.cells.column(name)[rows] == pytest.approx(expected)


def test_start_values_replace_the_naive_ones():
    fresh = made("cells.tumour.start.LDHB=0.7").tissue
    assert (fresh.cells.column("LDHB")[fresh.cells.of_type("tumour")] == 0.7).all()


def test_only_cycling_types_cycle():
    cells = made().tissue.cells
    tumour = cells.of_type("tumour")
    assert (cells["stage"][~tumour] == NO_CYCLE).all()
    assert G1 in cells["stage"][tumour]
    assert NO_CYCLE not in cells["stage"][tumour]


def test_seed_moves_vessels_and_cells_and_the_same_seed_does_not():
    a, b, c = made(rng=3), made(rng=3), made(rng=4)
    assert a.tissue.cells["site"].tobytes() == b.tissue.cells["site"].tobytes()
    assert a.tissue.cells["site"].tobytes() != c.tissue.cells["site"].tobytes()


def test_drug_that_is_there_at_the_start_is_in_the_books():
    fresh = made("fields.SN38.start=2 nM")
    book = fresh.tissue.ledger.drugs[0]
    assert book[DRUG_ACCOUNTS.index("supplied")] == pytest.approx(2.0 * fresh.tissue.grid.n_sites)
    measure = measures_for(fresh.tissue.layout)["SN38_imbalance"]
    for _ in range(3):
        fresh.step()
        assert abs(measure.of(fresh.tissue, fresh.measure_context)) < 1e-9


def test_books_of_the_whole_model_close_during_dosing():
    dosed = made(
        "drugs.SN38.schedule=[{dose: 20 nM, from: 0 d, for: 4 h}]", "cells.tumour.base.apoptosis=0.1 /h"
    )
    measures = measures_for(dosed.tissue.layout)
    for _ in range(80):
        dosed.step()
        for name in ("SN38_imbalance", "tumour_normoxic_exosome_imbalance"):
            assert abs(measures[name].of(dosed.tissue, dosed.measure_context)) < 1e-9
    dosed.tissue.check()
    book = dict(zip(DRUG_ACCOUNTS, dosed.tissue.ledger.drugs[0], strict=True))
    assert book["supplied"] > 0.0
    assert book["left_vessel"] > 0.0
    assert book["metabolised"] > 0.0
    assert len(dosed.tissue.events.table("deaths")) > 10
