"""What single cells do not show of the liver cancer under sorafenib."""

import numpy as np
import pytest

from tests.physics.made_cell import MadeCell
from tests.physics.small_hcc import SMALL, ratio_of, run
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.scenario.load import load_scenario

RNA_UNSELECTED = 0.00825  # copies of one miRNA per vesicle (parameters:EV-25)
# What tumour_drug_vesicle carries.
LOADED_AS_CANCER = (
    "vesicles.hepatocyte_vesicle.cargo={tmv_protein: 1, ABCB1_protein: 10, lincVLDLR: 0.05, "
    "miR25: 0.00825, miR21: 0.00825, lncROR: 0.05}"
)


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("hcc_sorafenib")


def test_scene_holds_cancer_endothelial_immune_and_fibroblast_cells_and_cytokines():
    """S1-01; fat cells have no rule in the document and are left out."""
    tissue = TumorMicroenvironment("hcc_sorafenib", SMALL).tissue
    assert all(
        tissue.cells.of_type(kind).any() for kind in ("tumour", "endothelial", "macrophage", "fibroblast")
    )
    assert {"il6", "hgf"} <= set(tissue.layout.fields)


def test_cancer_cells_express_less_of_the_oxidising_enzyme_than_hepatocytes(scenario):
    """S3-36."""
    tumour, liver = (MadeCell(scenario, cell).variables["CYP3A4"] for cell in ("tumour", "hepatocyte"))
    assert tumour < 0.25 * liver


def test_naive_cancer_cell_runs_ras_and_would_run_stat3(scenario):
    """S3-R22; SHP1 is what holds STAT3 down."""
    cell = MadeCell(scenario, cut=[("SHP1", "STAT3")])
    assert min(cell.variables[name] for name in ("RAS", "ERK", "STAT3")) >= 0.4


def test_one_vesicle_carries_several_mirna_that_act_slowly_and_saturate(scenario):
    """S3-84; and a thousand unselected vesicles a day move no target by a fiftieth."""
    carried = [name for name in scenario.vesicles["tumour_normoxic_exosome"].cargo if name.startswith("miR")]
    assert len(carried) >= 2
    assert all(scenario.cargo[name].half_life >= 24 * 60 for name in carried)

    def pten(copies):
        cell = MadeCell(scenario)
        cell.hold(held_miR494=copies)
        return cell.live(10.0)["PTEN"]

    many, more, unselected = pten(1e5), pten(1e6), pten(1000 * 2 * RNA_UNSELECTED)
    assert many - more < 0.05 * (pten(0.0) - many)
    assert pten(0.0) - unselected < 0.02 * pten(0.0)


def test_vesicles_of_cancer_cells_protect_more_than_those_of_hepatocytes():
    """S3-04: a dose of either, and none.

    Built in: vesicles of hepatocytes carry nothing, so that they do nothing here is no finding; and that what those of
    cancer cells carry protects. Found: how much a dose of that protects, and that the donor makes no other difference,
    since the same cargo in vesicles of hepatocytes protects too.
    """

    def dosed(pool, *more):
        give = f"interventions.dose={{kind: give_vesicles, target: {pool}, amount: 2000}}"
        return ratio_of(run(1.0, "drugs.sorafenib.schedule.0.dose=0 uM", *([give] if pool else []), *more))

    cancer, liver, none = (dosed(pool) for pool in ("tumour_drug_vesicle", "hepatocyte_vesicle", ""))
    assert cancer < 0.97 * none
    assert liver == pytest.approx(none, rel=1e-3)
    assert dosed("hepatocyte_vesicle", LOADED_AS_CANCER) < 0.97 * none
    assert np.isfinite(none)
