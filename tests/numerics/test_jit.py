import numpy as np
import pytest

from tme_sim.numerics.jit import BLOCK, MAX_THREADS, block_kernel, set_threads, side_by_side, threads


@block_kernel
def mark(first, last, out_block):
    for block in range(first, last):
        for i in range(block * BLOCK, min(len(out_block), (block + 1) * BLOCK)):
            out_block[i] += block + 1


@pytest.fixture
def count():
    before = threads()
    yield set_threads
    set_threads(before)


@pytest.mark.parametrize("n", [0, 1, BLOCK, BLOCK + 1, 5 * BLOCK + 3])
@pytest.mark.parametrize("used", [1, 2, 4, 16])
def test_every_block_is_done_once_for_any_number_of_threads(count, n, used):
    count(used)
    out = np.zeros(n)
    mark(n, out)
    assert np.array_equal(out, np.arange(n) // BLOCK + 1)


def test_shares_cover_everything_without_overlap():
    found = []
    side_by_side(lambda share, begin, end: found.append((share, begin, end)), 10, 3)
    assert sorted(found) == [(0, 0, 3), (1, 3, 6), (2, 6, 10)]


@pytest.mark.parametrize("used", [0, -1, MAX_THREADS + 1])
def test_number_of_threads_out_of_range_is_refused(used):
    with pytest.raises(ValueError, match=f"threads: {used}; expected 1 to {MAX_THREADS}"):
        set_threads(used)


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_error_of_any_share_is_raised_when_all_have_ended(failing):
    ended = []

    def work(share, begin, end):
        if share >= failing:
            raise ValueError(f"share {share}")
        ended.append(share)

    with pytest.raises(ValueError, match=f"share {failing}"):
        side_by_side(work, 9, 3)
    assert sorted(ended) == list(range(failing))
