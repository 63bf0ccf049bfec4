import numpy as np
import pytest
from made_matter import made_context, made_layout, made_matter

from tme_sim.processes.pathways import Pathways
from tme_sim.state.codes import APOPTOSIS

LAYOUT = made_layout(variables=("A", "B"))


def relaxed(dt_min, minutes, targets, **start):
    tissue = made_matter(LAYOUT, (1, 1, 3), [0, 1, 2], dt_min=dt_min)
    tissue.cells["variables"][:] = start.get("variables", 0.0)
    tissue.cells["death"][:] = start.get("death", 0)
    process = Pathways(np.array([60.0, 600.0]), np.array([1, 0]))
    behaviours = {"B": targets[1], "A": targets[0]}
    for _ in range(round(minutes / dt_min)):
        process.step(tissue, made_context(tissue, behaviours))
    return tissue.cells["variables"]


@pytest.mark.parametrize("dt_min", [1.0, 60.0])
def test_variable_approaches_its_target_with_its_time_constant_for_every_step(dt_min):
    found = relaxed(dt_min, 120.0, (1.0, 0.5))
    assert found[:, 0] == pytest.approx(1 - np.exp(-2.0), rel=1e-9)
    assert found[:, 1] == pytest.approx(0.5 * (1 - np.exp(-0.2)), rel=1e-9)


def test_targets_are_clipped_to_zero_and_one():
    assert relaxed(60.0, 60000.0, (3.0, 0.4))[0, 0] == pytest.approx(1.0)


def test_the_dead_keep_their_variables():
    found = relaxed(6.0, 60.0, (1.0, 1.0), variables=0.25, death=[0, APOPTOSIS, 0])
    assert np.array_equal(found[1], [0.25, 0.25])
    assert (found[[0, 2]] > 0.25).all()
