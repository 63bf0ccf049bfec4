import numpy as np
import pytest

from tme_sim.numerics.lattice import directions, neighbours


@pytest.mark.parametrize(
    ("shape", "moore", "count"),
    [
        ((1, 5, 5), True, 8),
        ((1, 5, 5), False, 4),
        ((4, 5, 6), True, 26),
        ((4, 5, 6), False, 6),
        ((1, 1, 9), True, 2),
    ],
)
def test_directions_count_matches_dimension(shape, moore, count):
    assert len(directions(shape, moore=moore)) == count


@pytest.mark.parametrize("shape", [(1, 4, 5), (3, 4, 5), (1, 1, 6)])
@pytest.mark.parametrize("moore", [True, False])
def test_neighbours_match_coordinates_without_wrap(shape, moore):
    steps = directions(shape, moore=moore)
    out = np.empty(len(steps), np.int64)
    for site in range(np.prod(shape)):
        here = np.array(np.unravel_index(site, shape))
        inside = neighbours(site, steps, *shape, out)
        there = here + steps
        fits = np.all((there >= 0) & (there < shape), axis=1)
        expected = [np.ravel_multi_index(t, shape) if ok else -1 for t, ok in zip(there, fits, strict=True)]
        assert out.tolist() == expected
        assert inside == sum(e >= 0 for e in expected)
