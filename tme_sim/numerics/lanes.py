"""Kernels that bring the lanes of a sum or of a maximum together: by halves, so at the width of the vector unit.

Sums have one lane per place in a block instead of one for all, since additions may not change places; what the
lanes hold in the end is added in an order of its own, always the same.
"""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import kernel

ZERO, TWO = np.uint64(0), np.uint64(2)  # unsigned indices, since numba wraps signed ones


@kernel
def sum_lanes(io_lanes, n):
    """Return the sum of the first ``n`` lanes, a power of two; they are written over."""
    half = np.uint64(n) // TWO
    while half > ZERO:
        for i in range(half):
            io_lanes[i] += io_lanes[half + i]
        half //= TWO
    return io_lanes[0]


@kernel
def largest_lane(io_lanes, n):
    """Return the largest of the first ``n`` lanes, a power of two; they are written over. Blind to nan."""
    half = np.uint64(n) // TWO
    while half > ZERO:
        for i in range(half):
            other = io_lanes[half + i]
            io_lanes[i] = other if other > io_lanes[i] else io_lanes[i]
        half //= TWO
    return io_lanes[0]
