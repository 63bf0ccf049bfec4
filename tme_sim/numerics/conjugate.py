"""Kernels of conjugate gradients preconditioned by a multigrid cycle, for one species.

Black sites are eliminated: each is kept at the value its red neighbours ask for, so residuals live on red
sites only and half of the work of an iteration falls away.

The solution is double precision, everything that corrects it single: half the memory, twice the sites to a vector.
The residual, scaled to 1, is followed in single precision until it has fallen by `REFRESH` and is then taken anew
from the solution, its direction of search kept, so that the answer is as good as in double precision throughout.
A p is summed in double precision: where diffusion is strong it is a small difference of large numbers. So are black
values, from which it is made.

The stopping rule estimates the error itself. One cycle B maps the residual r to a correction B r = B A e, so
the error e is at most about ``max|B r|`` over the smallest eigenvalue of B A, for which the iteration's own
smallest Ritz value stands (0.5 to 1 as a rule, far less where many sites are cut off). A solve stops once this is
within tolerance of the largest value, and takes that last correction too. A norm of r says less: r relative to
the right-hand side is loose by 1e4 where a vessel makes one entry huge and, where diffusion is strong, demands
digits that the answer has long had.

Source: van der Vorst & Ye (2000), Residual replacement strategies, doi:10.1137/S1064827599353865.
"""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.cycle import cycle
from tme_sim.numerics.errors import CONVERGED, NOT_FINITE, SINGULAR, SLOW
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.stencil import ONE, TWO, ZERO, apply_red, couple, relax, seal

_0 = np.float32(0.0)

# Single precision carries seven digits: four to be won, the rest for rounding in the cycle and in sums.
REFRESH = 1e-4

# Rows of the single precision vectors.
D, INVERSE, P, Q, R, CORRECTION = range(6)
N_VECTORS = 6


@kernel
def largest_red(level, u, scratch):
    """Return max|u| over red sites; blind to nan."""
    sizes = scratch[0]
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for i in range(half):
        sizes[i] = 0.0
    for iz in range(nz):
        for iy in range(ny):
            red = first + (iz * ny + iy) * TWO * width + ONE + ((iz + iy) & ONE) * width
            for i in range(half):
                size = abs(u[red + i])
                sizes[i] = size if size > sizes[i] else sizes[i]
    largest = 0.0
    for i in range(half):
        largest = max(largest, sizes[i])
    return largest


@kernel
def residual(level, k, links, full, rhs, u, scratch, out_r):
    """Write rhs - A u at red sites, from all of u; return the largest size."""
    t = scratch[0]
    first, nz, ny, nx, half = level[0], level[1], level[2], level[3], level[4]
    width = half + ONE
    for iz in range(nz):
        for iy in range(ny):
            row = first + (iz * ny + iy) * TWO * width + ONE
            parity = (iz + iy) & ONE
            red = row + parity * width
            couple(level, links, u, iz, iy, row, parity, t)
            for i in range(half):
                out_r[red + i] = rhs[red + i] + k * t[i] - full[red + i] * u[red + i]
            seal(nx, half, parity, red, out_r)
    return largest_red(level, out_r, scratch)


@kernel
def narrow_residual(level, residual, scale, out_r):
    """Write the residual over ``scale`` at red sites and zero at black ones."""
    inverse = 1.0 / scale if scale > 0.0 else 0.0
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for iz in range(nz):
        for iy in range(ny):
            row = first + (iz * ny + iy) * TWO * width + ONE
            red = row + ((iz + iy) & ONE) * width
            black = row + ((iz + iy + ONE) & ONE) * width
            for i in range(half):
                out_r[red + i] = residual[red + i] * inverse
            for i in range(half):
                out_r[black + i] = _0


@kernel
def red_measures(level, r, q, correction, scratch):
    """Return over red sites the sums of r and of q times correction, and max|correction|.

    One partial result per place in the row, then these in order: the order of additions is fixed. Maxima are
    blind to nan, the sum is not. Red sites suffice: a black correction is a mean of red ones.
    """
    products, others, errors = scratch[0], scratch[1], scratch[2]
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for i in range(half):
        products[i] = _0
        others[i] = _0
        errors[i] = _0
    for iz in range(nz):
        for iy in range(ny):
            red = first + (iz * ny + iy) * TWO * width + ONE + ((iz + iy) & ONE) * width
            for i in range(half):
                products[i] += r[red + i] * correction[red + i]
                others[i] += q[red + i] * correction[red + i]
                error = abs(correction[red + i])
                errors[i] = error if error > errors[i] else errors[i]
    product, other, error = 0.0, 0.0, 0.0
    for i in range(half):
        product += products[i]
        other += others[i]
        error = max(error, errors[i])
    return product, other, error


@kernel
def red_step(level, along, alpha, p, q, scratch, io_u, io_r):
    """Go along p at red sites: u += along p, r -= alpha q, where q = A p; return max|u|."""
    sizes = scratch[0]
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for i in range(half):
        sizes[i] = 0.0
    for iz in range(nz):
        for iy in range(ny):
            red = first + (iz * ny + iy) * TWO * width + ONE + ((iz + iy) & ONE) * width
            for i in range(half):
                value = io_u[red + i] + along * p[red + i]
                io_u[red + i] = value
                size = abs(value)
                sizes[i] = size if size > sizes[i] else sizes[i]
            for i in range(half):
                io_r[red + i] -= alpha * q[red + i]
    largest = 0.0
    for i in range(half):
        largest = max(largest, sizes[i])
    return largest


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
def turn(level, beta, correction, io_p):
    """Write the next direction of search at red sites, p = correction + beta p."""
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for iz in range(nz):
        for iy in range(ny):
            red = first + (iz * ny + iy) * TWO * width + ONE + ((iz + iy) & ONE) * width
            for i in range(half):
                io_p[red + i] = correction[red + i] + beta * io_p[red + i]


@kernel
def conjugate_gradients(
    table, levels, k, links, links_single, tolerance, reduction, max_iterations, rhs, full, inverse, scratch,
    scratch_single, vectors, room, io_u,
):  # fmt: skip
    """Solve A u = rhs from the u given, with d and its inverse on all levels in ``vectors``.

    ``full`` and ``inverse`` are those of the finest level in double precision, ``room`` is a vector to work in. Stops
    when the estimated error is within ``tolerance`` of max|u|, or ``reduction`` of the first estimate.

    Returns
    -------
    iterations, last, status
        Cycles done, last estimate of the error relative to max|u|, CONVERGED, SLOW or why it failed.
    """
    single, t = np.float32(k), scratch[0]
    inverse_single, p, q, r, correction = (
        vectors[INVERSE],
        vectors[P],
        vectors[Q],
        vectors[R],
        vectors[CORRECTION],
    )
    level = table[ZERO]
    relax(level, ONE, k, links, inverse, rhs, t, io_u)
    scale = residual(level, k, links, full, rhs, io_u, scratch, room)
    narrow_residual(level, room, scale, r)
    alphas, betas = np.empty(max_iterations), np.empty(max_iterations)
    alpha, slope, first, last, fresh, status = 1.0, 1.0, math.inf, math.inf, math.inf, SLOW
    size = largest_red(level, io_u, scratch)
    iteration = 0
    while iteration < max_iterations:
        cycle(table, levels, single, links_single, inverse_single, scratch_single, r, correction)
        iteration += 1
        new_slope, turned, error = red_measures(level, r, q, correction, scratch_single)
        if not math.isfinite(new_slope) or not math.isfinite(scale):
            return iteration, math.nan, NOT_FINITE
        error *= scale
        largest = size if size > 0.0 else error
        last = error / largest if largest > 0.0 else 0.0
        if iteration == 1:
            first, fresh = last, error
        goal = max(tolerance, reduction * first)
        if last <= goal and iteration > 1:
            last /= smallest_ritz(alphas, betas, iteration - 1)
        if last <= goal:
            red_step(level, scale, _0, correction, r, scratch, io_u, r)
            status = CONVERGED
            break
        # Against the last direction alone, from what was done: the cycle is rounded and no exact operator.
        beta = max(-alpha * turned / slope, 0.0) if iteration > 1 else 0.0
        slope = new_slope
        turn(level, np.float32(beta), correction, p)
        curvature = apply_red(level, k, links, full, inverse, p, scratch, room, q)
        if curvature <= 0.0:
            return iteration, math.nan, SINGULAR
        alpha = slope / curvature
        alphas[iteration - 1], betas[iteration - 1] = alpha, beta
        size = red_step(level, alpha * scale, np.float32(alpha), p, q, scratch, io_u, r)
        if error < REFRESH * fresh:
            relax(level, ONE, k, links, inverse, rhs, t, io_u)
            residual(level, k, links, full, rhs, io_u, scratch, room)
            narrow_residual(level, room, scale, r)
            fresh = error
    relax(level, ONE, k, links, inverse, rhs, t, io_u)
    return iteration, last, status
