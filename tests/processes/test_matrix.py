import numpy as np
import pytest
from made_matter import field_account, made_context, made_layout, made_matter, pool_spec, vesicles_of

from tme_sim.processes.matrix import Digestion, Hindrance, Matrix

LAYOUT = made_layout(fields=("ecm", "mmp"), pools=("exo",))


def test_matrix_falls_exponentially_at_half_rate_where_enzyme_is_half_saturating():
    tissue = made_matter(LAYOUT, (1, 1, 3))
    tissue.field("ecm")[:] = 8.0
    tissue.field("mmp")[0, 0] = [0.0, 5.0, 1e12]
    matrix = Matrix([Digestion(field=0, enzyme=1, rate_per_min=0.02, half_max=5.0)])
    for _ in range(10):
        matrix.step(tissue, made_context(tissue, {}))
    left = tissue.field("ecm")[0, 0]
    assert left == pytest.approx(8.0 * np.exp([0.0, -0.6, -1.2]), rel=1e-9)
    assert field_account(tissue, "ecm", "decayed") == pytest.approx(24.0 - left.sum(), rel=1e-12)


def spread(density):
    """Return the variance of the position of vesicles after an hour in a strip with matrix of this density."""
    tissue = made_matter(LAYOUT, (1, 1, 201))
    tissue.field("ecm")[:] = density
    tissue.pool("exo")[0, 0, 100] = 1000.0
    process = vesicles_of(tissue, [pool_spec("exo", diffusion_um2_min=300.0)], {"uptake exo": 1.0})
    hindrance = Hindrance([process.solver], field=0, half=4.0)
    for _ in range(10):
        context = made_context(tissue, {"uptake exo": 1.0})
        hindrance.step(tissue, context)
        process.step(tissue, context)
    place = (np.arange(201) - 100) * 20.0
    share = tissue.pool("exo")[0, 0] / tissue.pool("exo").sum()
    return float(np.sum(share * place**2)), tissue.pool("exo").sum()


@pytest.mark.parametrize(("density", "factor"), [(0.0, 1.0), (4.0, 0.5), (12.0, 0.25)])
def test_vesicles_spread_as_slowly_as_matrix_says_and_none_is_lost(density, factor):
    variance, total = spread(density)
    assert variance == pytest.approx(2 * 300.0 * 60.0 * factor, rel=1e-3)
    assert total == pytest.approx(1000.0, rel=1e-9)
