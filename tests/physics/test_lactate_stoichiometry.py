"""Oxygen and lactate that the fields really lose, against the energy that cells book for them."""

import numpy as np
import pytest

from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.state.ledger import FIELD_ACCOUNTS

_CONSUMED, _SECRETED = FIELD_ACCOUNTS.index("consumed"), FIELD_ACCOUNTS.index("secreted")
HYPOXIC_MMHG = 3.0


@pytest.fixture(scope="module")
def settled():
    """Return the flagship's cells on a small grid when oxygen and lactate have come to rest."""
    model = TumorMicroenvironment(
        "s0_relay",
        [
            "grid.size=[400 um, 400 um]",
            "tissue.tumour.nodules=[{centre: middle, radius: 120 um, filling: 90 %}]",
            "cells.tumour.base.apoptosis=0 /h",
            "cells.tumour.base.necrosis=0 /h",
            "cells.tumour.cycle.S=1000 d",
            "cells.macrophage.base.migration=0 um/min",
        ],
    )
    for _ in range(300):
        model.step()
    return model


def taken(model, steps=1):
    """Return what each field lost to cells and gained from them per minute over some steps."""
    before = model.tissue.ledger.fields.copy()
    for _ in range(steps):
        model.step()
    book = (model.tissue.ledger.fields - before) / (steps * model.clock.dt_min)
    return {
        name: (row[_CONSUMED], row[_SECRETED])
        for name, row in zip(model.tissue.layout.fields, book, strict=True)
    }


def flux_now(model):
    tissue = model.tissue
    rows = np.flatnonzero(tissue.cells.of_type("tumour"))
    at = tissue.fields.reshape(tissue.grid.n_sites, -1)[tissue.cells["site"][rows]]
    names = tissue.layout.fields
    flux = model.physiology.read(tissue)[1][rows]
    return flux, {name: at[:, names.index(name)] for name in names}


def test_lactate_taken_from_the_field_is_the_lactate_burnt(settled):
    flux, at = flux_now(settled)
    burnt = (flux[:, 3] * at["lactate"] / (4.5e6 + at["lactate"])).sum()
    assert taken(settled)["lactate"][0] == pytest.approx(burnt, rel=0.005)


def test_oxygen_taken_by_tumour_cells_is_respiration_plus_three_per_lactate(settled):
    flux, at = flux_now(settled)
    oxygen_share = at["oxygen"] / (1.0 + at["oxygen"])
    burnt_nm = (flux[:, 3] * at["lactate"] / (4.5e6 + at["lactate"])).sum()
    uptake_mmhg = (flux[:, 1] * oxygen_share).sum()
    assert 1300.0 * (uptake_mmhg - (900.0 * oxygen_share).sum()) == pytest.approx(3.0 * burnt_nm, rel=1e-9)
    # All the oxygen the field loses: tumour cells, and half as much per site elsewhere.
    tissue = settled.tissue
    oxygen = tissue.field("oxygen").reshape(-1)
    saturation = oxygen / (1.0 + oxygen)
    others = np.ones(tissue.grid.n_sites, bool)
    others[tissue.cells["site"][tissue.cells.of_type("tumour")]] = False
    others[tissue.cells["site"][tissue.cells.of_type("endothelial")]] = False
    rest = 450.0 * saturation[others].sum()
    assert taken(settled)["oxygen"][0] == pytest.approx(uptake_mmhg + rest, rel=0.005)


def test_lactate_secreted_is_what_glycolysis_leaves_over(settled):
    flux, _ = flux_now(settled)
    assert taken(settled)["lactate"][1] == pytest.approx(flux[:, 4].sum(), rel=0.005)


def test_glucose_taken_by_cells_is_glycolysis_at_michaelis_menten(settled):
    tissue = settled.tissue
    flux, at = flux_now(settled)
    empty = tissue.cells.occupant < 0
    free = tissue.field("glucose").reshape(-1)[empty]
    expected = (flux[:, 2] * at["glucose"] / (1e6 + at["glucose"])).sum() + (5e4 * free / (1e6 + free)).sum()
    assert taken(settled)["glucose"][0] == pytest.approx(expected, rel=0.005)
