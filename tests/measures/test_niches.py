"""Resistance by niche: made numbers on a made tissue."""

import numpy as np
import pytest

from tests.measures.made_assay import EXPOSURE, assay_of, tumour
from tests.rules.made_physiology import LAYOUT, acts, made_physiology
from tme_sim.measures.measure import Context
from tme_sim.measures.registry import measures_for
from tme_sim.measures.resistance import EXTRA

PROTECTED = acts("il6", "death from D", 0.0, up=False, half_max=1e-3)


def values(**state):
    tissue = tumour(4, oxygen=[1.0, 4.0, 8.0, 40.0], il6=[1.0, 0.0, 1.0, 0.0])
    tissue.vessel_distance_um.reshape(-1)[tissue.cells["site"]] = [10.0, 60.0, 60.0, 500.0]
    context = Context(extras={EXTRA: assay_of(made_physiology(PROTECTED))})
    return lambda name: measures_for(LAYOUT)[name].of(tissue, context)


@pytest.mark.parametrize(
    ("niche", "expected"),
    [
        ("vessel_0_40", 1.0),
        ("vessel_40_80", 0.5),
        ("vessel_80_120", np.nan),
        ("vessel_120_up", 0.0),
        ("oxygen_0_2p5", 1.0),
        ("oxygen_2p5_5", 0.0),
        ("oxygen_5_10", 1.0),
        ("oxygen_10_up", 0.0),
    ],
)
def test_resistant_share_of_a_niche_counts_its_cells_alone(niche, expected):
    assert values()(f"resistant_fraction_{niche}_D") == pytest.approx(expected, nan_ok=True)


def test_variance_of_two_halves_is_that_of_a_coin():
    assert values()("variance_of_resistance_D") == pytest.approx(0.25, abs=1e-3)


def test_drug_without_a_reference_is_not_measured():
    tissue = tumour(1, oxygen=40.0)
    assay = assay_of(made_physiology())
    context = Context(extras={EXTRA: assay.__class__(**{**vars(assay), "exposures": ()})})
    assert np.isnan(measures_for(LAYOUT)["resistant_fraction_D"].of(tissue, context))
    assert EXPOSURE.drug == "D"
