import numpy as np
from made_matter import made_context, made_layout, made_matter

from tme_sim.processes.vessels import Vessels
from tme_sim.state.codes import APOPTOSIS

LAYOUT = made_layout(cell_types=("tumour", "endothelial"))


def test_living_lining_cells_are_perfused_and_distances_are_euclidean():
    tissue = made_matter(LAYOUT, (1, 5, 7), [0, 16, 20], [0, 1, 1])
    tissue.cells["death"][2] = APOPTOSIS
    Vessels(1).step(tissue, made_context(tissue, {}))
    assert np.array_equal(np.flatnonzero(tissue.vessel), [16])
    y, x = np.indices((5, 7))
    assert np.allclose(tissue.vessel_distance_um[0], 20.0 * np.hypot(y - 2, x - 2))


def test_distances_follow_a_vessel_that_dies():
    tissue = made_matter(LAYOUT, (1, 1, 9), [0, 8], 1)
    process = Vessels(1)
    process.update(tissue)
    assert tissue.vessel_distance_um.reshape(-1)[7] == 20.0
    tissue.cells["death"][1] = APOPTOSIS
    process.update(tissue)
    assert tissue.vessel_distance_um.reshape(-1)[7] == 140.0


def test_without_vessels_every_distance_is_infinite():
    tissue = made_matter(LAYOUT, (1, 1, 3), [1], 1)
    process = Vessels(1)
    process.update(tissue)
    tissue.cells["death"][:] = APOPTOSIS
    process.update(tissue)
    assert np.isinf(tissue.vessel_distance_um).all()
    assert not tissue.vessel.any()
