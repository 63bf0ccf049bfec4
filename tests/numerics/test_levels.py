import numpy as np
import pytest

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
