import numpy as np
import pytest

from tme_sim.numerics.jit import set_threads
from tme_sim.numerics.sums import block_sum


@pytest.mark.parametrize("shape", [(0,), (1,), (5000,), (0, 3), (5000, 3), (1024, 1)])
def test_block_sum_equals_numpy(shape):
    values = np.random.default_rng(0).standard_normal(shape)
    total = block_sum(values)
    assert total.shape == shape[1:]
    np.testing.assert_allclose(total, values.sum(axis=0), rtol=1e-12, atol=1e-11)


def test_block_sum_is_the_same_bytes_for_every_thread_count():
    values = np.random.default_rng(1).standard_normal((50_001, 3)) * 10.0 ** np.arange(3)
    sums = []
    for threads in (1, 2, 4):
        set_threads(threads)
        sums.append(block_sum(values).tobytes())
    set_threads(1)
    assert len(set(sums)) == 1
