"""Kernels of conjugate gradients preconditioned by a multigrid cycle, for one species.

Black sites are eliminated: each is kept at the value its red neighbours ask for, so residuals live on red
sites only and half of the work of an iteration falls away.

The solution is double precision, everything that corrects it single: half the memory, twice the sites to a vector.
The residual, scaled to 1, is followed in single precision until it has fallen by `REFRESH` and is then taken anew
from the solution and scaled again, its direction of search kept, so that the answer is as good as in double precision
throughout. Where diffusion is strong, a local residual of 1 can hide a common one below the seventh digit, which tells
of an error 1/d times as large: a solve that would stop while rounding may hide more than the tolerance takes the
residual anew, and goes on while even that one may hide it.
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
from tme_sim.numerics.lanes import largest_lane, sum_lanes
from tme_sim.numerics.stencil import LANES, ONE, ZERO, apply_red, couple, largest_size, relax

_0 = np.float32(0.0)

# Single precision carries seven digits: four to be won, the rest for rounding in the cycle and in sums.
REFRESH = 1e-4
# A residual that has fallen by this since it was taken is rounding alone, as after a step that hits the solution.
ROUNDING = 1e-6
HALF_DIGIT = 6e-8  # what single precision rounds away of 1

# Rows of the single precision vectors.
D, INVERSE, P, Q, R, CORRECTION = range(6)
N_VECTORS = 6


@kernel
def largest_red(level, u, scratch):
    """Return max|u| over red sites; blind to nan."""
    return largest_size(u, level[0], level[0] + level[2], scratch[0])


@kernel
def residual(level, k, links, full, inverse, rhs, u, scratch, out_r):
    """Write rhs - A u at red sites, from all of u; return the largest size.

    As full times what relaxation would add to u, which is zero where there is no site.
    """
    t = scratch[0]
    first, count = level[0], level[2]
    for begin in range(ZERO, count, LANES):
        n, here = min(LANES, count - begin), first + begin
        couple(level, links, u, ZERO, begin, n, t)
        for i in range(n):
            t[i] = (rhs[here + i] + k * t[i]) * inverse[here + i]
        for i in range(n):
            out_r[here + i] = (t[i] - u[here + i]) * full[here + i]
    return largest_red(level, out_r, scratch)


@kernel
def renew(level, k, links, full, inverse, rhs, scratch, room, io_u, out_r):
    """Relax black sites; write the residual at red ones over its largest size, which is returned."""
    relax(level, ONE, k, links, inverse, rhs, scratch[0], io_u)
    largest = residual(level, k, links, full, inverse, rhs, io_u, scratch, room)
    share = 1.0 / largest if largest > 0.0 else 0.0
    for i in range(level[0], level[0] + level[2]):
        out_r[i] = room[i] * share
    return largest


@kernel
def red_measures(level, r, q, correction, scratch):
    """Return over red sites the sums of r and of q times correction, and max|correction|.

    One partial result per lane, then these in order: the order of additions is fixed. Maxima are
    blind to nan, the sum is not. Red sites suffice: a black correction is a mean of red ones.
    """
    products, others, errors = scratch[0], scratch[1], scratch[2]
    for i in range(LANES):
        products[i] = _0
        others[i] = _0
        errors[i] = _0
    stop = level[0] + level[2]
    for here in range(level[0], stop, LANES):
        n = min(LANES, stop - here)
        for i in range(n):
            products[i] += r[here + i] * correction[here + i]
            others[i] += q[here + i] * correction[here + i]
            error = abs(correction[here + i])
            errors[i] = error if error > errors[i] else errors[i]
    return (
        float(sum_lanes(products, LANES)),
        float(sum_lanes(others, LANES)),
        float(largest_lane(errors, LANES)),
    )


@kernel
def red_step(level, along, alpha, p, q, scratch, io_u, io_r):
    """Go along p at red sites: u += along p, r -= alpha q, where q = A p; return max|u|."""
    sizes = scratch[0]
    for i in range(LANES):
        sizes[i] = 0.0
    stop = level[0] + level[2]
    for here in range(level[0], stop, LANES):
        n = min(LANES, stop - here)
        for i in range(n):
            value = io_u[here + i] + along * p[here + i]
            io_u[here + i] = value
            size = abs(value)
            sizes[i] = size if size > sizes[i] else sizes[i]
        for i in range(n):
            io_r[here + i] -= alpha * q[here + i]
    return largest_lane(sizes, LANES)


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
def turn(level, beta, correction, r, scratch, io_p):
    """Write the next direction of search at red sites, p = correction + beta p; return the sum of r p."""
    products = scratch[0]
    for i in range(LANES):
        products[i] = _0
    stop = level[0] + level[2]
    for here in range(level[0], stop, LANES):
        n = min(LANES, stop - here)
        for i in range(n):
            p = correction[here + i] + beta * io_p[here + i]
            io_p[here + i] = p
            products[i] += r[here + i] * p
    return float(sum_lanes(products, LANES))


@kernel
def largest_lone(level, total, u):
    """Return max|u| over black sites without any open face, whose values no red one shows."""
    begin, largest = level[0] + level[1], 0.0
    for i in range(begin, begin + level[2]):
        if total[i] == 0.0:
            largest = max(largest, abs(u[i]))
    return largest


@kernel
def level_parts(level, parts, shares, r, out_sums, io_correction):
    """Add to the correction, all over a part of the lattice, what its sinks need to take up its residual.

    What a closed face cuts off has a level of its own, which no coarse site stands for. Symmetric and positive.
    """
    out_sums[:] = 0.0
    stop = level[0] + level[2]
    for i in range(level[0], stop):
        out_sums[parts[i]] += r[i]
    for part in range(len(shares)):
        out_sums[part] *= shares[part]
    for i in range(level[0], stop):
        io_correction[i] += np.float32(out_sums[parts[i]])


@kernel
def conjugate_gradients(
    table, levels, k, links, links_single, parts, shares, hidden, tolerance, reduction, max_iterations, rhs, full,
    inverse, scratch, scratch_single, rows, vectors, room, io_u,
):  # fmt: skip
    """Solve A u = rhs from the u given, with d and its inverse on all levels in ``vectors``.

    ``full`` and ``inverse`` are those of the finest level in double precision, ``room`` is a vector to work in.
    ``parts`` is empty where the lattice hangs together; else ``shares`` is 1 over the sinks of each. ``hidden`` is the
    error that a residual of 1 may hide. Stops when the estimated error is within ``tolerance`` of max|u|, or
    ``reduction`` of the first estimate.

    Returns
    -------
    iterations, last, status
        Cycles done, last estimate of the error relative to max|u|, CONVERGED, SLOW or why it failed.
    """
    single = np.float32(k)
    inverse_single, p, q, r, correction = (
        vectors[INVERSE],
        vectors[P],
        vectors[Q],
        vectors[R],
        vectors[CORRECTION],
    )
    level = table[ZERO]
    scale, change = renew(level, k, links, full, inverse, rhs, scratch, room, io_u, r), 1.0
    sums = np.empty(len(shares))
    alphas, betas = np.empty(max_iterations), np.empty(max_iterations)
    alpha, slope, first, last, fresh, anew, status = 0.0, 1.0, math.inf, math.inf, math.inf, True, SLOW
    lone = largest_lone(level, links[3], io_u) if len(parts) > 0 else 0.0
    size = max(lone, largest_red(level, io_u, scratch))
    iteration, steps = 0, 0
    while iteration < max_iterations:
        cycle(table, levels, single, links_single, inverse_single, scratch_single, rows, r, correction)
        if len(parts) > 0:
            level_parts(level, parts, shares, r, sums, correction)
        iteration += 1
        new_slope, turned, error = red_measures(level, r, q, correction, scratch_single)
        if not math.isfinite(new_slope) or not math.isfinite(scale):
            return iteration, math.nan, NOT_FINITE
        error *= scale
        largest = size if size > 0.0 else error
        last = error / largest if largest > 0.0 else 0.0
        if iteration == 1:
            first = last
        goal = max(tolerance, reduction * first)
        doubtful = last <= goal and hidden * scale > goal * largest
        if not anew and (error < ROUNDING * fresh or doubtful):
            scale = renew(level, k, links, full, inverse, rhs, scratch, room, io_u, r)
            anew, alpha, change = True, 0.0, 1.0
            continue
        if anew:
            fresh, anew = error, False
        if last <= goal and steps > 0:
            last /= smallest_ritz(alphas, betas, steps)
        if last <= goal and not doubtful:
            red_step(level, scale, _0, correction, r, scratch, io_u, r)
            status = CONVERGED
            break
        # Against the last direction alone, from what was done: the cycle is rounded and no exact operator.
        beta = max(-alpha * turned / slope, 0.0)
        slope = new_slope
        along = turn(level, np.float32(beta), correction, r, scratch_single, p)
        if along <= 0.0:
            beta, along = 0.0, turn(level, _0, correction, r, scratch_single, p)
        curvature = apply_red(level, k, links, full, inverse, p, scratch, room, q)
        if curvature <= 0.0:
            return iteration, math.nan, SINGULAR
        # To the least energy along p. With the slope for r p, as where arithmetic is exact, rounding can diverge.
        alpha = along / curvature
        alphas[steps], betas[steps] = alpha, beta * change
        steps += 1
        size = max(lone, red_step(level, alpha * scale, np.float32(alpha), p, q, scratch, io_u, r))
        change = 1.0
        if error < REFRESH * fresh:
            change = 1.0 / scale
            scale = renew(level, k, links, full, inverse, rhs, scratch, room, io_u, r)
            change *= scale
            fresh = error
    relax(level, ONE, k, links, inverse, rhs, scratch[0], io_u)
    return iteration, last, status
