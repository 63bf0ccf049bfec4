import numpy as np
import pytest

from tme_sim.rules.signals import count_around


def counted_one_by_one(occupant, cell_type, death, n_types, shape):
    counts = np.zeros((2 + n_types, *shape), int)
    grid = occupant.reshape(shape)
    for z, y, x in np.ndindex(shape):
        near = grid[max(z - 1, 0) : z + 2, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        for cell in near.ravel():
            kind = 0 if cell < 0 else 1 if death[cell] != 0 else 2 + cell_type[cell]
            counts[kind, z, y, x] += 1
    return counts.reshape(2 + n_types, -1)


@pytest.mark.parametrize("shape", [(1, 9, 11), (4, 5, 6), (1, 1, 30), (1, 1, 1)])
@pytest.mark.parametrize("n_types", [1, 6, 7, 15])
def test_packed_counts_are_those_of_a_plain_walk(shape, n_types):
    rng = np.random.default_rng(n_types)
    n_sites = int(np.prod(shape))
    full = np.flatnonzero(rng.random(n_sites) < 0.7)
    occupant = np.full(n_sites, -1, np.int32)
    occupant[full] = rng.permutation(len(full))
    cell_type = rng.integers(0, n_types, len(full)).astype(np.int16)
    death = (rng.random(len(full)) < 0.2).astype(np.int8)
    packed = count_around(occupant, cell_type, death, n_types, shape)
    expected = counted_one_by_one(occupant, cell_type, death, n_types, shape)
    for kind, wanted in enumerate(expected):
        word, byte = divmod(kind, 8)
        assert np.array_equal((packed[word] >> np.uint64(8 * byte)) & np.uint64(255), wanted)
