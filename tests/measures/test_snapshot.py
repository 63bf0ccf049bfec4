import numpy as np
import pytest

from tests.record.made_tissue import made_tissue
from tme_sim.measures.measure import Context
from tme_sim.measures.oxygenation import share_below
from tme_sim.measures.snapshot import (
    clone_sizes,
    distance_to_vessel,
    effective_clones,
    flux_matrix,
    hypoxic_fraction,
    resistant_fraction,
)


def test_fractions_leave_out_what_was_not_measured():
    assert resistant_fraction(np.array([0.1, 0.5, 0.9, np.nan])) == pytest.approx(1 / 3)
    assert hypoxic_fraction(np.array([1.0, 10.0, 40.0, np.nan])) == pytest.approx(1 / 3)
    assert np.isnan(resistant_fraction(np.array([np.nan])))
    assert np.isnan(hypoxic_fraction(np.zeros(0)))


def test_hypoxic_fraction_is_that_of_the_recorded_measure():
    tissue = made_tissue()
    alive = tissue.cells.of_type("tumour") & (tissue.cells["death"] == 0)
    oxygen = tissue.field("oxygen").reshape(-1)[tissue.cells["site"][alive]]
    context = Context()
    assert hypoxic_fraction(oxygen) == share_below(10.0, tissue, context)
    assert 0.0 < hypoxic_fraction(oxygen) < 1.0


def test_distance_counts_in_micrometres_in_all_directions():
    perfusion = np.zeros((2, 3, 4))
    perfusion[0, 0, 0] = 0.5
    found = distance_to_vessel(perfusion, 20.0)
    assert found[1, 2, 3] == pytest.approx(20.0 * np.sqrt(1 + 4 + 9))
    assert np.isinf(distance_to_vessel(np.zeros((1, 2, 2)), 20.0)).all()


def test_clones_by_size_and_their_effective_number():
    assert clone_sizes(np.array([7, 3, 7, 7, 3, 1])).tolist() == [3, 2, 1]
    assert effective_clones(np.array([5, 5, 5])) == 3.0
    assert effective_clones(np.array([3, 2, 1])) == pytest.approx(36 / 14)
    assert np.isnan(effective_clones(np.zeros(0)))


def test_flux_matrix_adds_pools_and_drops_empty_types():
    found = flux_matrix(["a", "a", "b", "c"], ["b", "b", "a", "c"], np.array([1.0, 2, 5, 0]))
    assert found.loc["a", "b"] == 3.0
    assert found.loc["b", "a"] == 5.0
    assert found.loc["a", "a"] == 0.0
    assert "c" not in found.index
