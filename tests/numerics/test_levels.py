import itertools

import numpy as np
import pytest

from tme_sim.numerics.levels import COUNT, FIRST, PLANE, ROW, SPAN
from tme_sim.numerics.multigrid import Multigrid
from tme_sim.numerics.planes import pack


@pytest.mark.parametrize("shape", [(1, 7, 10), (1, 5, 9), (3, 4, 5), (1, 1, 13), (4, 1, 1)])
def test_places_are_where_packing_puts_sites(shape):
    solver = Multigrid(shape, np.ones(1))
    inside, places, gaps = solver.places()
    n_sites = int(np.prod(shape))
    levels = solver._levels
    planes = np.zeros((1, levels.fine_size))
    pack(np.arange(1.0, n_sites + 1.0), 0, 1, levels.table[0], 1, planes)
    assert np.array_equal(planes[0, inside][places], np.arange(1.0, n_sites + 1.0))
    assert np.array_equal(np.sort(np.concatenate([places, gaps])), np.arange(inside.stop - inside.start))


@pytest.mark.parametrize(
    "shape", [(1, 7, 10), (1, 5, 9), (3, 4, 5), (4, 3, 6), (1, 1, 13), (2, 2, 2), (4, 1, 1), (2, 9, 1)]
)
def test_neighbours_lie_at_the_same_distances_and_nothing_else_does(shape):
    levels = Multigrid(shape, np.ones(1))._levels
    first, span, count, row, plane = (int(levels.table[0, k]) for k in (FIRST, SPAN, COUNT, ROW, PLANE))
    places, _ = levels.places()
    place = dict(zip(itertools.product(*map(range, shape)), places + int(levels.start), strict=True))
    site = {at: where for where, at in place.items()}
    assert len(site) == np.prod(shape)
    for (z, y, x), at in place.items():
        colour = (x + y + z) % 2
        other = at - colour * span + (1 - colour) * span + colour
        assert first + colour * span <= at < first + colour * span + count
        distances = [((0, 0, 1), 0), ((0, 1, 0), row), ((1, 0, 0), plane)]
        for (dz, dy, dx), far in distances[: 3 if shape[0] > 1 else 2]:
            for found, sign in ((other + far, 1), (other - 1 - far, -1)):
                wanted = (z + sign * dz, y + sign * dy, x + sign * dx)
                assert 0 <= found < levels.size
                assert site.get(found) == (wanted if wanted in place else None)


class Written:
    """One species at a time: u = rhs / diag where nothing diffuses."""

    chunk, saturable = 1, False

    def __init__(self, solver):
        self.inside, self.places, _ = solver.places()
        self.found = {}

    def load(self, first, count, out_planes):
        for plane, value in zip(out_planes[:3, 0, self.inside], (2.0, 3.0 * (first + 1), 1.0), strict=True):
            plane[self.places] = value

    def store(self, first, count, planes):
        self.found[first] = planes[2, 0, self.inside][self.places]


def test_systems_are_loaded_solved_and_stored_species_by_species():
    solver = Multigrid((1, 4, 5), np.array([10.0, 0.0, 2.0]))
    systems = Written(solver)
    solver.solve_systems(systems, np.zeros(3), 1e-10)
    for species, u in systems.found.items():
        np.testing.assert_allclose(u, 1.5 * (species + 1), rtol=1e-9)
    assert set(systems.found) == {0, 1, 2}
