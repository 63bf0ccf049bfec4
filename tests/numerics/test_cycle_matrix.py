import numpy as np
import operator_twin as twin
import pytest

from tme_sim.numerics.conjugate import INVERSE, D
from tme_sim.numerics.cycle import count_levels, cycle, prepare_levels
from tme_sim.numerics.linear import survey
from tme_sim.numerics.links import Links
from tme_sim.numerics.multigrid import Multigrid
from tme_sim.numerics.system import Work

SHAPES = [(1, 7, 9), (1, 8, 8), (3, 4, 5), (1, 1, 13), (4, 1, 1), (2, 2, 2), (5, 1, 6), (1, 9, 1)]


def columns_of_cycle(shape, k, diag, links):
    """Return one cycle as a matrix over red sites, where they are, and whatever it wrote where no site is."""
    levels = Multigrid(shape, np.ones(1), links)._levels
    work = Work.empty(levels, 1)
    of_site = levels._places[0].ravel()
    (d, rhs, u, _), table = work.planes[:, 0], levels.table
    d[of_site] = diag.ravel()
    survey(table[0], k, levels.links[3], d, rhs, u, work.scratch, *work.vectors[:2], work.single)
    n, inverse = count_levels(len(table), k, diag.min()), work.single[INVERSE]
    prepare_levels(table, n, k, levels.single[3], work.scratch_single, work.rows, work.single[D], inverse)
    red = (sum(np.indices(shape)) % 2 == 0).ravel()
    gaps = np.ones(levels.size, bool)
    gaps[np.concatenate([places.ravel() for places in levels._places])] = False
    columns, leaked = [], 0.0
    for place in of_site[red]:
        r, out = np.zeros((2, levels.size), np.float32)
        r[place] = 1.0
        cycle(table, n, np.float32(k), levels.single, inverse, work.scratch_single, work.rows, r, out)
        columns.append(out[of_site[red]])
        leaked = max(leaked, float(np.abs(out[gaps]).max()))
    return np.array(columns, np.float64).T, red, leaked


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("closed", [None, 0.0, 0.2])
def test_cycle_is_symmetric_positive_and_near_the_inverse(shape, closed):
    rng, k = np.random.default_rng(0), 50.0
    links = Links.uniform(shape) if closed is None else twin.random_links(shape, rng, closed)
    diag = rng.uniform(0.01, 1.0, shape)
    b, red, leaked = columns_of_cycle(shape, k, diag, links)
    assert leaked == 0.0
    assert np.abs(b - b.T).max() <= 1e-6 * np.abs(b).max()
    assert np.linalg.eigvalsh(0.5 * (b + b.T)).min() > 0.0
    a = twin.matrix(shape, k, diag, links).toarray()
    mixed = a[np.ix_(red, ~red)]
    reduced = a[np.ix_(red, red)] - mixed @ np.linalg.solve(a[np.ix_(~red, ~red)], mixed.T)
    found = np.linalg.eigvals(b @ reduced).real
    assert found.max() < 1.15
    assert found.min() > (0.6 if closed is None else 0.05)
