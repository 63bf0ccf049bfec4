import numpy as np
import pytest
from made_tissue import assert_same_after_permutation, made_context, made_tissue

from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.processes.recruitment import Recruitment
from tme_sim.state.codes import APOPTOSIS

COMES = 1  # hsc stand for what comes by blood; vessels are of type 2


def found(tissue, sites, kinds, keys):
    rows = tissue.cells.append(sites, type=kinds, lineage=keys, parent=-1)
    tissue.cells["founder"][rows] = tissue.cells["id"][rows]
    return rows


def bed(shape, sites, perfused=True):
    """Return a tissue of vessel cells that blood flows through."""
    tissue = made_tissue(shape, sites, type_=2)
    tissue.vessel.reshape(-1)[sites] = float(perfused)
    return tissue


def let_in(tissue, rate, minutes=6.0):
    context = made_context(tissue, recruitment_hsc=rate * (tissue.cells["type"] == 2))
    context.dt_min = minutes
    Recruitment(found).step(tissue, context)
    return np.sort(tissue.cells["site"][tissue.cells["type"] == COMES])


def test_share_that_comes_follows_the_rate():
    sites = np.arange(0, 300 * 300, 3).reshape(300, 100)[::3].ravel()  # apart, so that no two want one site
    came = let_in(bed((1, 300, 300), sites), 0.02)
    chance = 1.0 - np.exp(-0.02 * 6.0)
    assert abs(len(came) - chance * len(sites)) < 4 * np.sqrt(len(sites) * chance * (1.0 - chance))


def test_what_comes_stands_beside_its_vessel_evenly_on_all_sides():
    sites = np.arange(0, 300 * 300, 3).reshape(300, 100)[1:-1:3, 1:-1].ravel()
    came = let_in(bed((1, 300, 300), sites), 1e9)
    assert len(came) == len(sites)
    side = np.bincount(((came // 300 + 1) % 3) * 3 + came % 3, minlength=9)
    assert np.count_nonzero(side) == 8
    assert abs(side[side > 0] - len(sites) / 8).max() < 4 * np.sqrt(len(sites) / 8)


def test_a_site_takes_one_and_a_full_place_none():
    tissue = bed((1, 1, 3), [0, 2])
    assert let_in(tissue, 1e9).tolist() == [1]
    assert let_in(tissue, 1e9).tolist() == [1]


@pytest.mark.parametrize("how", ["without blood", "dead", "without a rate"])
def test_nothing_comes(how):
    tissue = bed((1, 5, 5), [12], perfused=how != "without blood")
    if how == "dead":
        tissue.cells["death"][0] = APOPTOSIS
    assert let_in(tissue, 0.0 if how == "without a rate" else 1e9).size == 0


def test_births_are_recorded_without_a_mother_and_keys_differ():
    tissue = bed((1, 9, 9), [20, 60])
    let_in(tissue, 1e9)
    births = tissue.events.table("births")
    assert births["parent"].tolist() == [-1, -1]
    assert births["type"].tolist() == [COMES, COMES]
    assert len(np.unique(tissue.cells["lineage"])) == tissue.cells.n


def test_row_order_changes_no_byte():
    assert_same_after_permutation(
        lambda: bed((1, 20, 20), np.arange(0, 400, 7)), lambda tissue: let_in(tissue, 0.1)
    )


def niche(*overrides, steps=60):
    small = ("grid.size=[300 um, 300 um]", "tissue.tumour.nodules.0.radius=60 um", "resistance=")
    model = TumorMicroenvironment("vesicle_niche", [*small, "tissue.t_cell.density=0 %", *overrides])
    for _ in range(steps):
        model.step()
    return model


def test_t_cells_enter_through_vessels_and_books_close():
    rate = "cells.endothelial.base.recruitment t_cell={} /h"
    more, cut = "rules.attack_infiltration.to=0.3 /h", "rules.attack_infiltration.to=0 /h"
    some, none = niche(rate.format(0.2), more), niche(rate.format(0), cut)
    assert some.tissue.cells.of_type("t_cell").sum() > 0
    assert none.tissue.cells.of_type("t_cell").sum() == 0
    context = some.measure_context.fresh()
    for name, measure in measures_for(some.tissue.layout).items():
        if name.endswith("_imbalance"):
            assert abs(measure.of(some.tissue, context)) < 1e-9, name
