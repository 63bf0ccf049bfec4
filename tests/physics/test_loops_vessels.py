"""Loops through the vessels (L2, L3, L6): each works in its direction, and is silent when a link is cut."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment

SMALL = (
    "grid.size=[560 um, 560 um]", "tissue.tumour.nodules.0.radius=120 um", "time.step=20 min",
    "record.measures=every 1 d", "vessels.spacing=120 um", "stop=[extinct]",
)  # fmt: skip
FAST = (
    "variables.maturity.time=8 h",
    "variables.PDGFR.time=8 h",
    "cells.endothelial.base.regression=0.06 /h",
)
NO_NICHE = ("rules.niche_contact.half_max=1e12", "rules.niche_vesicles.half_max=1e12")
NO_CSC_VEGF = ("rules.csc_vegf.to=0 molecules/s", "rules.csc_vesicles.to=0 /h")
NO_CALL = ("rules.vegf_of_hypoxia.to=0 molecules/s", "rules.vesicles_of_hypoxia.to=0 /h")
DRUG = ("interventions.sorafenib.active=true", "interventions.sorafenib.from=0 d")
DEAF = ("rules.sorafenib_vegfr.half_max=1e15 nM", "rules.sorafenib_pdgfr.half_max=1e15 nM")


@cache
def run(days: float, *overrides: str, seed: int = 1) -> dict[str, float]:
    """Return measures at the end, and means over time of tips and of the drug in the last fifth."""
    model = TumorMicroenvironment("vessel_growth", [*SMALL, *overrides], rng=seed)
    tissue, measures = model.tissue, measures_for(model.tissue.layout)
    steps = round(days * 1440.0 / model.clock.dt_min)
    tips, drug = np.zeros(steps), np.zeros(steps)
    for step in range(steps):
        model.step()
        tips[step] = measures["vessel_tips"].of(tissue)
        drug[step] = tissue.field("sorafenib").mean()
    tumour = tissue.cells.of_type("tumour")
    out = {
        name: measures[name].of(tissue)
        for name in ("vessel_density", "vessel_cells", "perfused_fraction", "hypoxic_share_10")
    }
    for name in ("HIF", "CSC"):
        values = tissue.cells.column(name)
        assert values is not None
        out[name] = float(values[tumour].mean())
    return {
        **out,
        "tips": tips.max(),
        "first_drug": drug[steps // 5],
        "last_drug": drug[-steps // 5 :].mean(),
    }


def test_hypoxia_calls_vessels_and_these_relieve_it():
    """L2: hypoxia → VEGF and vesicles → vessels → oxygen."""
    for seed in (1, 2):
        called = run(4.0, *NO_CSC_VEGF, seed=seed)
        silent = run(4.0, *NO_CSC_VEGF, *NO_CALL, seed=seed)
        assert called["vessel_density"] > 1.3 * silent["vessel_density"]
        assert called["hypoxic_share_10"] < silent["hypoxic_share_10"] - 0.1
        assert called["HIF"] < silent["HIF"]


def test_vesicles_of_the_tumour_raise_vessel_density():
    """S2-11: with VEGF as it is, vesicles that endothelium takes up make the bed denser, and that brings oxygen."""
    deaf = (*NO_CSC_VEGF, "vesicles.tumour_hypoxic_vesicle.taken_up_by.endothelial=0 /h")
    pairs = [(run(4.0, *NO_CSC_VEGF, seed=seed), run(4.0, *deaf, seed=seed)) for seed in (1, 2, 3)]
    hearing, silent = (
        {name: np.mean([one[name] for one in arm]) for name in arm[0]} for arm in zip(*pairs, strict=True)
    )
    assert hearing["vessel_density"] > 1.3 * silent["vessel_density"]
    assert all(one["vessel_density"] > other["vessel_density"] for one, other in pairs)
    assert hearing["hypoxic_share_10"] < silent["hypoxic_share_10"] - 0.1
    assert hearing["HIF"] < silent["HIF"]


def test_vessels_are_silent_without_a_call():
    """L2 and L6 cut at their first link: not one sprout."""
    assert run(4.0, *NO_CSC_VEGF, *NO_CALL)["tips"] == 0.0


def test_more_hypoxia_calls_more_vessels():
    poor = run(2.0, *NO_CSC_VEGF, "fields.oxygen.vessel.value=20 mmHg")
    rich = run(2.0, *NO_CSC_VEGF, "fields.oxygen.vessel.value=100 mmHg")
    assert poor["vessel_cells"] > 1.3 * rich["vessel_cells"]


def test_sorafenib_cuts_the_answer_at_the_endothelium():
    """L2 cut by the drug, S3-R25: fewer vessels, less oxygen; a deaf endothelium grows as without drug."""
    drug = (*DRUG, "interventions.sorafenib.level=2000 nM")
    free, treated = run(4.0, *NO_CSC_VEGF), run(4.0, *NO_CSC_VEGF, *drug)
    assert treated["vessel_density"] < 0.8 * free["vessel_density"]
    assert treated["HIF"] > free["HIF"]
    assert run(4.0, *NO_CSC_VEGF, *drug, *DEAF)["vessel_density"] == free["vessel_density"]


THERAPY = (*FAST, *NO_NICHE, *NO_CSC_VEGF, "vessels.spacing=80 um")
EATEN = ("fields.sorafenib.background_uptake=20 /h", "cells.tumour.base.uptake sorafenib=20 /h")


def test_losing_vessels_deepens_hypoxia_and_stemness_and_starves_the_drug():
    """L3, S3-45: drug → vessel loss → hypoxia → CSC, and less drug in a tissue that takes it up."""
    control, treated = run(3.0, *THERAPY), run(3.0, *THERAPY, *DRUG)
    assert treated["vessel_density"] < 0.6 * control["vessel_density"]
    assert treated["HIF"] > control["HIF"] + 0.1
    assert treated["CSC"] > control["CSC"] + 0.05
    eaten = run(3.0, *THERAPY, *DRUG, *EATEN)
    assert eaten["last_drug"] < 0.6 * eaten["first_drug"]
    assert run(3.0, *THERAPY, *DRUG, *EATEN, *DEAF)["last_drug"] > 0.95 * eaten["first_drug"]


def test_drug_that_tissue_leaves_alone_is_not_starved_by_vessel_loss():
    """A finding: blood brings a drug that nothing takes up to its own level, however few vessels are left."""
    treated = run(3.0, *THERAPY, *DRUG)
    assert treated["last_drug"] == pytest.approx(treated["first_drug"], rel=0.02)


@pytest.mark.parametrize("cut", [DEAF, ("rules.csc_of_hypoxia.to=0",)])
def test_therapy_induced_stemness_is_silent_when_a_link_is_cut(cut):
    treated, control = run(3.0, *THERAPY, *DRUG, *cut), run(3.0, *THERAPY, *cut)
    assert treated["CSC"] == pytest.approx(control["CSC"], abs=1e-9)


def stem_like(share: float) -> tuple[str, ...]:
    """Return overrides that keep tumour cells at a share of stemness but for the niche, with no call by hypoxia."""
    return (*NO_CALL, f"rules.csc_of_hypoxia.to={share}", f"cells.tumour.base.CSC={share}")


def test_stem_like_cells_and_vessels_keep_each_other():
    """L6, S3-R12: CSC → VEGF → vessels → contact and vesicles → CSC."""
    raised = run(4.0, *stem_like(0.6))
    no_vegf, no_niche = run(4.0, *stem_like(0.6), *NO_CSC_VEGF), run(4.0, *stem_like(0.6), *NO_NICHE)
    assert raised["vessel_cells"] > 1.3 * no_vegf["vessel_cells"]
    assert raised["CSC"] > no_vegf["CSC"] > no_niche["CSC"]
    assert no_vegf["tips"] == 0.0
    assert no_niche["CSC"] == pytest.approx(0.6)


def test_niche_is_silent_without_vessel_signals_or_stem_like_cells():
    silent = run(4.0, *stem_like(0.0), *NO_NICHE)
    assert silent["CSC"] == pytest.approx(0.0, abs=1e-9)
    assert silent["tips"] == 0.0
    assert run(4.0, *stem_like(0.0))["CSC"] > 0.01


def test_vesicles_that_fall_apart_set_vegf_free():
    """S3-R26: with a molecule or none in each, all else alike."""

    def vegf(molecules):
        scene = (
            "grid.size=[300 um, 300 um]",
            "tissue.tumour.nodules=[{centre: middle, radius: 60 um, filling: 90 %}]",
            "vesicles.csc_vesicle.start=1000",
            f"vesicles.csc_vesicle.frees.vegf.value={molecules}",
            "vesicles.csc_vesicle.frees.vegf.range=[0, 100]",
        )
        model = TumorMicroenvironment("vessel_growth", scene)
        for _ in range(5):
            model.step()
        return float(model.tissue.field("vegf").mean())

    assert vegf(10) > 1.5 * vegf(0)
