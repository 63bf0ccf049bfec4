"""Copies between sites and planes; sums and maxima over lanes."""

import numpy as np
import pytest

from tme_sim.numerics.lanes import largest_lane, sum_lanes
from tme_sim.numerics.multigrid import Multigrid
from tme_sim.numerics.planes import fold, unfold


@pytest.mark.parametrize("shape", [(1, 5, 8), (1, 4, 7), (3, 2, 5), (1, 1, 6), (4, 1, 1), (2, 3, 1)])
def test_sites_unfold_to_their_places_and_fold_back(shape):
    solver = Multigrid(shape, np.ones(1))
    inside, places, gaps = solver.places()
    values = np.arange(1.0, np.prod(shape) + 1.0)
    plane = np.zeros(inside.stop - inside.start)
    level = solver.level()
    level[0] = 0
    unfold(values, level, plane)
    assert np.array_equal(plane[places], values)
    assert not plane[gaps].any()
    back = np.zeros_like(values)
    fold(plane, level, back)
    assert np.array_equal(back, values)


@pytest.mark.parametrize("n", [1, 2, 64, 512])
def test_lanes_come_together(n):
    lanes = np.random.default_rng(n).normal(size=n + 3)
    assert sum_lanes(lanes.copy(), n) == pytest.approx(lanes[:n].sum(), rel=1e-12)
    assert largest_lane(lanes.copy(), n) == lanes[:n].max()
    lanes[n // 2] = np.nan
    assert np.isnan(sum_lanes(lanes.copy(), n))
