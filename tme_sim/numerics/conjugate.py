"""Kernels of conjugate gradients preconditioned by a multigrid cycle, for one species.

Black sites are eliminated: each is kept at the value its red neighbours ask for, so residuals live on red sites
only and half of the work of an iteration falls away.

The stopping rule estimates the error itself. One cycle B maps the residual r to a correction B r that leaves 0.1
to 0.4 of the error: ``max|B r|`` is the largest error to within that. A solve stops once it is within
tolerance of the largest value, and takes that last correction too. A norm of r says less: r relative to the
right-hand side is loose by 1e4 beside a vessel (a huge entry there) and, where diffusion is strong, demands
digits that the answer has long had.
"""

from __future__ import annotations

import math

from tme_sim.numerics.cycle import cycle
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.stencil import ONE, TWO, ZERO, apply_red, relax

CONVERGED, SLOW, NOT_FINITE, NEGATIVE_SINK, SINGULAR = 0, 1, 2, 3, 4


@kernel
def red_residual(level, rhs, au, out_r):
    """Write rhs - A u at red sites and zero at black ones."""
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for iz in range(nz):
        for iy in range(ny):
            row = first + (iz * ny + iy) * TWO * width + ONE
            red = row + ((iz + iy) & ONE) * width
            black = row + ((iz + iy + ONE) & ONE) * width
            for i in range(half):
                out_r[red + i] = rhs[red + i] - au[red + i]
            for i in range(half):
                out_r[black + i] = 0.0


@kernel
def red_dot(level, a, b, t):
    """Return the sum of a b over red sites: one partial sum per place in the row, then these in order."""
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for i in range(half):
        t[i] = 0.0
    for iz in range(nz):
        for iy in range(ny):
            red = first + (iz * ny + iy) * TWO * width + ONE + ((iz + iy) & ONE) * width
            for i in range(half):
                t[i] += a[red + i] * b[red + i]
    total = 0.0
    for i in range(half):
        total += t[i]
    return total


@kernel
def red_largest(level, a, t):
    """Return max|a| over red sites; blind to nan. A black correction is a mean of red ones, hence no larger."""
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for i in range(half):
        t[i] = 0.0
    for iz in range(nz):
        for iy in range(ny):
            red = first + (iz * ny + iy) * TWO * width + ONE + ((iz + iy) & ONE) * width
            for i in range(half):
                size = abs(a[red + i])
                t[i] = size if size > t[i] else t[i]
    largest = 0.0
    for i in range(half):
        largest = max(largest, t[i])
    return largest


@kernel
def red_add(level, factor, a, io_values):
    """Add ``factor`` times a at red sites."""
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for iz in range(nz):
        for iy in range(ny):
            red = first + (iz * ny + iy) * TWO * width + ONE + ((iz + iy) & ONE) * width
            for i in range(half):
                io_values[red + i] += factor * a[red + i]


@kernel
def conjugate_gradients(
    table, levels, k, tolerance, reduction, max_iterations, total, x, y, z, rhs, inverse, d, t, natural, row,
    p, q, r, correction, io_u,
):
    """Solve A u = rhs from the u given.

    Stops when the estimated error is within ``tolerance`` of max|u|, or ``reduction`` times the first estimate.

    Returns
    -------
    iterations, last, status
        Cycles done, last estimate of the error relative to max|u|, CONVERGED, SLOW or why it failed.
    """
    level = table[ZERO]
    start = level[0]
    stop = start + level[1] * level[2] * TWO * (level[4] + ONE)
    relax(level, ONE, k, rhs, inverse, x, y, z, t, io_u)
    apply_red(level, k, d, total, x, y, z, io_u, t, q)
    red_residual(level, rhs, q, r)
    slope, first, last, status = 1.0, math.inf, math.inf, SLOW
    iteration = 0
    while iteration < max_iterations:
        cycle(table, levels, k, inverse, x, y, z, t, natural, row, r, correction)
        iteration += 1
        new_slope = red_dot(level, r, correction, t)
        if not math.isfinite(new_slope):
            return iteration, math.nan, NOT_FINITE
        error = red_largest(level, correction, t)
        size = red_largest(level, io_u, t)
        if size == 0.0:
            size = error
        last = error / size if size > 0.0 else 0.0
        if iteration == 1:
            first = last
        if last <= tolerance or (iteration > 1 and last <= reduction * first):
            red_add(level, 1.0, correction, io_u)
            status = CONVERGED
            break
        beta = new_slope / slope if iteration > 1 else 0.0
        slope = new_slope
        for i in range(start, stop):
            p[i] = correction[i] + beta * p[i]
        apply_red(level, k, d, total, x, y, z, p, t, q)
        curvature = red_dot(level, p, q, t)
        if curvature <= 0.0:
            return iteration, math.nan, SINGULAR
        alpha = slope / curvature
        red_add(level, alpha, p, io_u)
        red_add(level, -alpha, q, r)
    relax(level, ONE, k, rhs, inverse, x, y, z, t, io_u)
    return iteration, last, status
