"""Kernels of conjugate gradients preconditioned by a multigrid cycle, for one species.

Black sites are eliminated: each is kept at the value its red neighbours ask for, so residuals live on red
sites only and half of the work of an iteration falls away.

The stopping rule estimates the error itself. One cycle B maps the residual r to a correction B r = B A e, so
the error e is at most about ``max|B r|`` over the smallest eigenvalue of B A, for which the iteration's own
smallest Ritz value stands (0.5 to 1 as a rule, far less where many sites are cut off). A solve stops once this is
within tolerance of the largest value, and takes that last correction too. A norm of r says less: r relative to
the right-hand side is loose by 1e4 where a vessel makes one entry huge and, where diffusion is strong, demands
digits that the answer has long had.
"""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.cycle import cycle
from tme_sim.numerics.errors import CONVERGED, NOT_FINITE, SINGULAR, SLOW
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.stencil import ONE, TWO, ZERO, apply_red, relax

# Rows of the work vectors; the last two are for Newton's method.
D, INVERSE, P, Q, R, CORRECTION, TANGENT, BEFORE = range(8)
N_VECTORS = 8


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
def red_measures(level, r, correction, u, scratch):
    """Return sum of r times correction, max|correction| and max|u| over red sites.

    One partial result per place in the row, then these in order: the order of additions is fixed. Maxima are
    blind to nan, the sum is not. Red sites suffice: a black correction is a mean of red ones.
    """
    products, errors, sizes = scratch[0], scratch[1], scratch[2]
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for i in range(half):
        products[i] = 0.0
        errors[i] = 0.0
        sizes[i] = 0.0
    for iz in range(nz):
        for iy in range(ny):
            red = first + (iz * ny + iy) * TWO * width + ONE + ((iz + iy) & ONE) * width
            for i in range(half):
                products[i] += r[red + i] * correction[red + i]
                error, size = abs(correction[red + i]), abs(u[red + i])
                errors[i] = error if error > errors[i] else errors[i]
                sizes[i] = size if size > sizes[i] else sizes[i]
    product, error, size = 0.0, 0.0, 0.0
    for i in range(half):
        product += products[i]
        error = max(error, errors[i])
        size = max(size, sizes[i])
    return product, error, size


@kernel
def red_step(level, alpha, p, q, io_u, io_r):
    """Go along p: u += alpha p and r -= alpha q at red sites, where q = A p."""
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for iz in range(nz):
        for iy in range(ny):
            red = first + (iz * ny + iy) * TWO * width + ONE + ((iz + iy) & ONE) * width
            for i in range(half):
                io_u[red + i] += alpha * p[red + i]
                io_r[red + i] -= alpha * q[red + i]


@kernel
def smallest_ritz(alphas, betas, n):
    """Return the smallest eigenvalue, at most 1, of the Lanczos matrix of n iterations, by bisection.

    Source: Golub & Van Loan (2013), Matrix Computations, ISBN 978-1-4214-0794-4, chapters 8 and 11.
    """
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        pivot = 1.0 / alphas[0] - middle
        below = pivot < 0.0
        for j in range(1, n):
            if below:
                break
            squared = betas[j] / (alphas[j - 1] * alphas[j - 1])
            pivot = 1.0 / alphas[j] + betas[j] / alphas[j - 1] - middle - squared / max(pivot, 1e-300)
            below = pivot < 0.0
        if below:
            high = middle
        else:
            low = middle
    return high


@kernel
def conjugate_gradients(
    table, levels, k, links, tolerance, reduction, max_iterations, rhs, scratch, io_vectors, io_u
):
    """Solve A u = rhs from the u given, with d and its inverse on all levels in ``io_vectors``.

    Stops when the estimated error is within ``tolerance`` of max|u|, or ``reduction`` of the first estimate.

    Returns
    -------
    iterations, last, status
        Cycles done, last estimate of the error relative to max|u|, CONVERGED, SLOW or why it failed.
    """
    d, inverse, p, q = io_vectors[D], io_vectors[INVERSE], io_vectors[P], io_vectors[Q]
    r, correction, t = io_vectors[R], io_vectors[CORRECTION], scratch[0]
    level = table[ZERO]
    start = level[0]
    stop = start + level[1] * level[2] * TWO * (level[4] + ONE)
    relax(level, ONE, k, links, inverse, rhs, t, io_u)
    apply_red(level, k, links, d, io_u, scratch, q)
    red_residual(level, rhs, q, r)
    alphas, betas = np.empty(max_iterations), np.empty(max_iterations)
    slope, first, last, status = 1.0, math.inf, math.inf, SLOW
    iteration = 0
    while iteration < max_iterations:
        cycle(table, levels, k, links, inverse, scratch, r, correction)
        iteration += 1
        new_slope, error, size = red_measures(level, r, correction, io_u, scratch)
        if not math.isfinite(new_slope):
            return iteration, math.nan, NOT_FINITE
        if size == 0.0:
            size = error
        last = error / size if size > 0.0 else 0.0
        if iteration == 1:
            first = last
        goal = max(tolerance, reduction * first)
        if last <= goal and iteration > 1:
            last /= smallest_ritz(alphas, betas, iteration - 1)
        if last <= goal:
            red_step(level, 1.0, correction, r, io_u, r)
            status = CONVERGED
            break
        beta = new_slope / slope if iteration > 1 else 0.0
        slope = new_slope
        for i in range(start, stop):
            p[i] = correction[i] + beta * p[i]
        curvature = apply_red(level, k, links, d, p, scratch, q)
        if curvature <= 0.0:
            return iteration, math.nan, SINGULAR
        alpha = slope / curvature
        alphas[iteration - 1], betas[iteration - 1] = alpha, beta
        red_step(level, alpha, p, q, io_u, r)
    relax(level, ONE, k, links, inverse, rhs, t, io_u)
    return iteration, last, status
