"""Vesicles given as a treatment: how many copies reach a cell, who else gets them, and what stays."""

import numpy as np
import pytest

from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.scenario.load import load_scenario

SMALL = ("grid.size=[300 um, 300 um]", "tissue.tumour.nodules.0.radius=90 um", "time.step=12 min")


def treated(hours, *overrides, pool=""):
    """Return the scenario after some hours, with one dose given at its start."""
    dose = (f"interventions.give_{pool}.active=true", f"interventions.give_{pool}.from=0 d") if pool else ()
    model = TumorMicroenvironment("hcc_vesicle_therapy", [*SMALL, *dose, *overrides])
    for _ in range(int(hours * 5)):
        model.step()
    return model


def copies(model, cargo, kind="tumour"):
    """Return the mean copies of a cargo held by living cells of a type."""
    tissue = model.tissue
    return float(tissue.cells["cargo"][tissue.cells.of_type(kind), tissue.layout.cargo.index(cargo)].mean())


def off_target(model, pool):
    measure = measures_for(model.tissue.layout)[f"{pool}_off_target"]
    return measure.of(model.tissue, model.measure_context)


@pytest.fixture(scope="module")
def plain_dose():
    return treated(12, pool="sigrp78_exosome")


@pytest.fixture(scope="module")
def untargeted(plain_dose):
    return copies(plain_dose, "siGRP78")


def test_a_dose_brings_a_cell_thousands_of_copies(untargeted):
    """Each of 1000 vesicles per site docks or decays: k/(k + λ) of them reach a cell that fills its site."""
    share = 0.1 / (0.1 + np.log(2) / 3.0)
    assert 0.3 * share * 1e4 < untargeted < share * 1e4


def test_vesicles_of_engineered_donors_reach_more_tumour_cells(untargeted):
    """S3-104."""
    assert copies(treated(12, pool="pretargeted_exosome"), "siGRP78") > 1.5 * untargeted


def test_share_of_a_dose_that_misses_the_tumour_is_reported(plain_dose):
    """Fibroblasts and macrophages take some; a binder of tumour cells leaves them less. Before a dose there is none."""
    missed = off_target(plain_dose, "sigrp78_exosome")
    assert 0.0 < missed < 1.0
    assert 0.0 < off_target(treated(12, pool="pretargeted_exosome"), "pretargeted_exosome") < missed
    assert np.isnan(off_target(plain_dose, "mir214_exosome"))


def test_every_vesicle_of_a_therapy_says_whom_it_is_meant_for():
    pools = load_scenario("hcc_vesicle_therapy").vesicles
    doses = [act.target for act in load_scenario("hcc_vesicle_therapy").interventions.values()]
    assert [pools[name].targets for name in doses] == [("tumour",)] * len(doses)


def test_vesicles_with_a_coupled_ligand_reach_more_tumour_cells(untargeted):
    """S3-105."""
    assert copies(treated(12, pool="posttargeted_exosome"), "siGRP78") > 1.3 * untargeted


def test_stem_cells_in_the_tissue_load_tumour_cells():
    """S3-101: engineered donors in place of a dose."""
    model = treated(12, "tissue.msc={density: 10 %}")
    assert copies(model, "miR122") > 10.0


def test_an_edit_outlasts_its_enzyme():
    """S3-106: cells stay edited when the enzyme is gone; fibroblasts that were not meant are cut too (S3-112)."""
    model = treated(36, "cargo.Cas9_IQGAP1.half_life=1 h", pool="crispr_vesicle")
    cut = model.tissue.layout.variables.index("IQGAP1_cut")
    cells = model.tissue.cells
    tumour, fibroblasts = cells.of_type("tumour"), cells.of_type("fibroblast")
    assert copies(model, "Cas9_IQGAP1") < 20.0
    assert np.mean(cells["variables"][tumour, cut] > 0.8) > 0.5
    assert np.mean(cells["variables"][fibroblasts, cut] > 0.8) > 0.5


def test_loaded_exosomes_bring_a_drug_that_is_nowhere_else():
    """S1-11: drug enters tumour cells with its carrier, into nothing else before it, and stays in the books."""
    empty, loaded = (
        treated(12, f"interventions.give_drug_exosome.level={level} nM", pool="drug_exosome")
        for level in (0, 1e7)
    )
    held = [
        model.tissue.cells["drug"][model.tissue.cells.of_type("tumour")].mean() for model in (empty, loaded)
    ]
    assert held[0] == 0.0
    assert held[1] > 1.0
    book = measures_for(loaded.tissue.layout)["sorafenib_imbalance"]
    assert abs(book.of(loaded.tissue, loaded.measure_context)) < 1e-9
