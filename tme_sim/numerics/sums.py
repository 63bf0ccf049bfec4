"""Sums in fixed blocks: the same bytes for every number of threads."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import BLOCK, parallel_kernel, prange


@parallel_kernel
def _block_sums(values, out_partial):
    n, m = values.shape
    for b in prange(out_partial.shape[0]):
        for i in range(b * BLOCK, min((b + 1) * BLOCK, n)):
            for j in range(m):
                out_partial[b, j] += values[i, j]


def block_sum(values: np.ndarray) -> np.ndarray:
    """Return the sum over the first axis, added in blocks of fixed size.

    Parameters
    ----------
    values : float64 (n,) or (n, m)
        Any finite numbers; n may be 0.

    Returns
    -------
    float64 () or (m,)
    """
    table = np.ascontiguousarray(values, np.float64)
    table = table.reshape(len(table), -1) if len(table) else table.reshape(0, *(table.shape[1:] or (1,)))
    partial = np.zeros((-(-len(table) // BLOCK), table.shape[1]))
    _block_sums(table, partial)
    total = np.zeros(table.shape[1])
    for row in partial:
        total += row
    return total.reshape(np.shape(values)[1:])
