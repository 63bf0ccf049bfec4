"""Kernels of one symmetric V(1,1) multigrid cycle for one species, in single precision."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import kernel
from tme_sim.numerics.stencil import ONE, ZERO, relax
from tme_sim.numerics.transfer import add_correction, restrict_diagonal, restrict_residual

# Coarse levels see at most this many k of a site's sink; 3 to 8 measured alike, no cap 12 % slower.
CAP = np.float32(8.0)
WORTH = 0.5  # no coarser level once k is below this share of the smallest sink: a sweep then converges
_0, _1, _1_4, _4 = np.float32(0.0), np.float32(1.0), np.float32(0.25), np.float32(4.0)


@kernel
def count_levels(n_levels, k, smallest_sink):
    """Return how many levels are worth having: as long as diffusion moves more than sinks take."""
    levels = 1
    while levels < n_levels and k > WORTH * smallest_sink:
        levels += 1
        k *= 0.25
    return levels


@kernel
def prepare_levels(table, levels, k, total, scratch, rows, io_d, out_inverse):
    """Fill the diagonals of coarser levels and their inverses from the finest diagonal in ``io_d``."""
    k = np.float32(k)
    for level in range(1, levels):
        here = table[level]
        restrict_diagonal(table[level - 1], here, CAP * k, scratch, rows, io_d)
        k *= _1_4
        for i in range(here[0], here[0] + here[1] + here[2]):
            full = io_d[i] + k * total[i]
            out_inverse[i] = _1 / full if full > _0 else _0


@kernel
def scale_colour(level, colour, a, b, out_product):
    """Write a times b at the sites of one colour."""
    here, n = level[0] + colour * level[1], level[2]
    left, right, product = a[here : here + n], b[here : here + n], out_product[here : here + n]
    for i in range(n):
        product[i] = left[i] * right[i]


@kernel
def cycle(table, levels, k, links, inverse, scratch, rows, io_rhs, out_u):
    """Approximate A⁻¹ rhs on the finest level by one cycle; a symmetric positive operator.

    Takes rhs to be zero at black sites of the finest level, and gives u at its red ones alone, as if black ones were
    relaxed last. From zero, relaxes black then red on the way down, red then black on the way up; the coarsest level
    gets black-red-black, which is symmetric too, and exact where it has one site. (Black from zero is division by the
    diagonal. On the finest level that leaves zero, so black is not written before its correction comes, and red is
    divided at once.)
    """
    t = scratch[0]
    scale = k
    for level in range(levels):
        here = table[level]
        if level == 0:
            scale_colour(here, ZERO, io_rhs, inverse, out_u)
        else:
            scale_colour(here, ONE, io_rhs, inverse, out_u)
            relax(here, ZERO, scale, links, inverse, io_rhs, t, out_u)
        if level + 1 < levels:
            restrict_residual(here, table[level + 1], scale, links, out_u, scratch, rows, io_rhs)
            scale *= _1_4
    if levels > 1:
        relax(table[levels - 1], ONE, scale, links, inverse, io_rhs, t, out_u)
    for step in range(1, levels):
        level = levels - 1 - step
        here = table[level]
        scale *= _4
        add_correction(here, table[level + 1], level > 0, scratch, rows, out_u)
        relax(here, ZERO, scale, links, inverse, io_rhs, t, out_u)
        if level > 0:
            relax(here, ONE, scale, links, inverse, io_rhs, t, out_u)
