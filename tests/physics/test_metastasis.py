"""The complete liver metastasis: everything in it is at work, its legs act, its controls change nothing."""

from functools import cache

import numpy as np
import pytest

from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.state.ledger import FIELD_ACCOUNTS, POOL_ACCOUNTS

SMALL = (
    "grid.size=[400 um, 400 um]", "tissue.tumour.nodules.0.radius=120 um", "resistance.every=every 10 d",
    "tissue.t_cell.density=3 %", "tissue.fibroblast.density=5 %",
)  # fmt: skip
DRUG = "drugs.SN38.schedule.0.from=0 d"
GAIN_0 = ("cargo.pERK.gain.value=0", "cargo.pAKT.gain.value=0")


@cache
def lived(*overrides, hours=36):
    model = TumorMicroenvironment("liver_metastasis", [*SMALL, *overrides])
    while model.clock.hours < hours:
        model.step()
    return model


def mean(model, variable, kind="tumour"):
    cells, column = model.tissue.cells, model.tissue.layout.variables.index(variable)
    return float(cells["variables"][cells.of_type(kind), column].mean())


def held(model, cargo, kind="tumour"):
    cells, column = model.tissue.cells, model.tissue.layout.cargo.index(cargo)
    return float(cells["cargo"][cells.of_type(kind), column].mean())


def state(model):
    cells = model.tissue.cells
    order = np.argsort(cells["id"])
    return [cells[name][order].tobytes() for name in ("id", "site", "death", "variables", "stage", "drug")]


def test_every_pool_is_released_and_every_transient_field_has_a_source():
    tissue = lived(DRUG).tissue
    released = dict(
        zip(tissue.layout.pools, tissue.ledger.pools[:, POOL_ACCOUNTS.index("released")], strict=True)
    )
    assert [name for name, amount in released.items() if amount <= 0.0] == []
    entered = tissue.ledger.fields[:, [FIELD_ACCOUNTS.index(name) for name in ("secreted", "supplied")]].sum(
        axis=1
    )
    steady = {name for name, field in lived(DRUG).config.fields.items() if field.solve == "steady"}
    silent = {name for name, amount in zip(tissue.layout.fields, entered, strict=True) if amount <= 0.0}
    assert silent <= steady


def test_vessels_grow_and_t_cells_come_and_go():
    model = lived(DRUG)
    assert len(model.tissue.vasculature.links) > 0
    births = model.tissue.events.table("births")
    t_cell = model.tissue.layout.cell_types.index("t_cell")
    assert np.count_nonzero((births["type"] == t_cell) & (births["parent"] == -1)) > 0
    deaths = model.tissue.events.table("deaths")
    assert np.count_nonzero(deaths["type"] == t_cell) > 0


def test_relay_raises_what_tumour_cells_make_of_lactate():
    with_, without = lived(DRUG), lived(DRUG, "interventions.block_exosomes.active=true")
    assert mean(without, "STAT3") == 0.0 < mean(with_, "STAT3")
    assert mean(with_, "LDHB") > 1.3 * mean(without, "LDHB")


def test_drug_makes_cells_pass_pumps_on():
    under, blocked = lived(DRUG), lived(DRUG, "interventions.block_drug_vesicles.active=true")
    untreated = lived("drugs.SN38.schedule=[]")
    assert held(untreated, "ABCB1_protein") == held(blocked, "ABCB1_protein") == 0.0
    assert held(under, "ABCB1_protein") > 100.0
    assert mean(under, "ABCB1") > mean(blocked, "ABCB1")


def test_hepatocytes_take_more_of_the_drug_away_than_tumour_cells():
    model = lived(DRUG, hours=12)
    cells = model.tissue.cells
    drug = {kind: cells["drug"][cells.of_type(kind), 0].mean() for kind in ("tumour", "hepatocyte")}
    assert 0.0 < drug["hepatocyte"] < 0.9 * drug["tumour"]


# Negative controls: what carries no signal changes no cell.
EMPTY = "vesicles.tumour_normoxic_exosome.cargo={pERK: 0, pAKT: 0}"
DEAF = "interventions.deaf={kind: block_uptake, target: tumour_normoxic_exosome, cell: hsc, factor: 0}"


@pytest.mark.parametrize("control", [(EMPTY,), (DEAF,)], ids=["without cargo", "deaf stellate cells"])
def test_exosomes_without_signal_equal_gain_0(control):
    assert mean(lived(DRUG, *control, hours=12), "activation", "hsc") == 0.0
    assert state(lived(DRUG, *control, hours=12)) == state(lived(DRUG, *GAIN_0, hours=12))


def test_vesicles_of_hepatocytes_change_no_cell():
    """They bear none of the cargo that is named; with that of tumour vesicles they act as these do."""
    silent = "cells.hepatocyte.base.release hepatocyte_vesicle=0 /h"
    loaded = ("vesicles.hepatocyte_vesicle.cargo={tmv_protein: 1}", "tissue.hepatocyte.density=20 %")
    assert state(lived(DRUG, hours=12)) == state(lived(DRUG, silent, hours=12))
    more = lived(DRUG, *loaded, hours=12)
    assert held(more, "tmv_protein", "macrophage") > held(
        lived(DRUG, loaded[1], hours=12), "tmv_protein", "macrophage"
    )


@pytest.mark.slow
def test_relay_raises_resistance_in_the_rim_beside_everything_else():
    """Three pairs on the grid of experiments/metastasis.yaml."""
    scene = (
        "grid.size=[1 mm, 1 mm]", "time={step: 12 min, duration: 5 d}", "drugs.SN38.schedule=[]", "stop=[extinct]",
        "resistance.every=every 5 d",
    )  # fmt: skip
    for seed in (1, 2, 3):
        rim = []
        for leg in ((), ("interventions.block_exosomes.active=true",)):
            model = TumorMicroenvironment("liver_metastasis", [*scene, *leg], rng=seed)
            while model.running:
                model.step()
            measure = measures_for(model.tissue.layout)["resistant_fraction_rim_SN38"]
            rim.append(measure.of(model.tissue, model.measure_context))
        assert rim[0] > rim[1] + 0.1
