"""Kernels that solve all species of a system, each on its own, split over threads by species."""

from __future__ import annotations

import math

from tme_sim.numerics.conjugate import (
    CONVERGED,
    NEGATIVE_SINK,
    NOT_FINITE,
    conjugate_gradients,
)
from tme_sim.numerics.cycle import count_levels, prepare_levels
from tme_sim.numerics.jit import kernel, parallel_kernel, prange
from tme_sim.numerics.stencil import ONE, TWO, ZERO, dot, largest_size

CHUNK = 8  # species copied together: eight float64 are one cache line of the caller's array
NEWTON_REDUCTION = 0.03  # each Newton step solves its linear system to this share of its first error


@kernel
def pack(source, species, count, level, n_species, out_planes):
    """Copy ``count`` species from (site, species) order to one split-row plane each."""
    first, rows, nx, half = level[0], level[1] * level[2], level[3], level[4]
    for r in range(rows):
        for s in range(count):
            plane = out_planes[s]
            for parity in range(TWO):
                here = first + (TWO * r + parity) * (half + ONE) + ONE
                site = (r * nx + parity) * n_species + species + s
                for i in range((nx + ONE - parity) // TWO):
                    plane[here + i] = source[site + TWO * i * n_species]


@kernel
def unpack(planes, species, count, level, n_species, out_target):
    """Copy planes back; the reverse of `pack`."""
    first, rows, nx, half = level[0], level[1] * level[2], level[3], level[4]
    for r in range(rows):
        for s in range(count):
            plane = planes[s]
            for parity in range(TWO):
                here = first + (TWO * r + parity) * (half + ONE) + ONE
                site = (r * nx + parity) * n_species + species + s
                for i in range((nx + ONE - parity) // TWO):
                    out_target[site + TWO * i * n_species] = plane[here + i]


@kernel
def smallest_sink(d, level, t):
    """Return the smallest diagonal entry over the sites of a plane; not a number counts as smallest."""
    first, rows, nx, half = level[0], level[1] * level[2], level[3], level[4]
    for i in range(half):
        t[i] = math.inf
    for r in range(rows):
        for parity in range(TWO):
            here = first + (TWO * r + parity) * (half + ONE) + ONE
            for i in range((nx + ONE - parity) // TWO):
                t[i] = t[i] if t[i] <= d[here + i] else d[here + i]
    smallest = t[ZERO]
    for i in range(half):
        smallest = smallest if smallest <= t[i] else t[i]
    return smallest


@kernel
def linearise(start, stop, sink, rhs, uptake, km, u, out_d, out_rhs):
    """Write diagonal and right-hand side of the tangent to saturable uptake V u/(u + Km) at u."""
    for i in range(start, stop):
        share = 1.0 / (u[i] + km)
        slope = uptake[i] * share
        out_d[i] = sink[i] + slope * km * share
        out_rhs[i] = rhs[i] - slope * u[i] * u[i] * share


@kernel
def solve_plane(
    table, k, km, saturable, tolerance, max_iterations, total, x, y, z,
    sink, rhs, uptake, vectors, scratch, io_u,
):
    """Solve one species; return iterations, estimated relative error and status.

    Saturable uptake: Newton. V u/(u + Km) is concave and the Jacobian an M-matrix, so every Newton iterate
    clipped at zero lies below the solution and, from the first one on, they rise towards it: no line search.
    Stops after a Newton step no larger than the tolerance.
    """
    r, correction, d, inverse, p, q, tangent = (
        vectors[0], vectors[1], vectors[2], vectors[3], vectors[4], vectors[5], vectors[6],
    )  # fmt: skip
    t, natural, row = scratch[0], scratch[1], scratch[2]
    level = table[ZERO]
    start = level[0]
    stop = start + level[1] * level[2] * TWO * (level[4] + ONE)
    iterations = 0
    if not (math.isfinite(dot(rhs, rhs, start, stop, t)) and math.isfinite(dot(io_u, io_u, start, stop, t))):
        return iterations, math.nan, NOT_FINITE
    if largest_size(rhs, start, stop, t) == 0.0:
        for i in range(start, stop):
            io_u[i] = 0.0
    while True:
        if saturable:
            for i in range(start, stop):
                io_u[i] = max(io_u[i], 0.0)
            linearise(start, stop, sink, rhs, uptake, km, io_u, d, tangent)
        else:
            for i in range(start, stop):
                d[i] = sink[i]
        smallest = smallest_sink(d, level, t)
        if not smallest >= 0.0:
            return iterations, math.nan, NEGATIVE_SINK if smallest < 0.0 else NOT_FINITE
        levels = count_levels(len(table), k, smallest)
        prepare_levels(table, levels, k, total, t, row, d, inverse)
        if not saturable:
            done, error, status = conjugate_gradients(
                table, levels, k, tolerance, 0.0, max_iterations, total, x, y, z, rhs,
                inverse, d, t, natural, row, p, q, r, correction, io_u,
            )  # fmt: skip
            return done, error, status
        before = vectors[7]
        for i in range(start, stop):
            before[i] = io_u[i]
        done, error, status = conjugate_gradients(
            table, levels, k, tolerance, NEWTON_REDUCTION, max_iterations - iterations, total, x, y, z, tangent,
            inverse, d, t, natural, row, p, q, r, correction, io_u,
        )  # fmt: skip
        iterations += done
        for i in range(start, stop):
            io_u[i] = max(io_u[i], 0.0)
            before[i] -= io_u[i]
        change = largest_size(before, start, stop, t)
        if status != CONVERGED:
            return iterations, error, status
        if change <= tolerance * largest_size(io_u, start, stop, t):
            return iterations, error, CONVERGED


@kernel
def solve_share(
    begin, end, n_species, table, k, km, saturable, tolerance, max_iterations, total, x, y, z,
    sink, rhs, uptake, planes, vectors, scratch, out_iterations, out_residual, out_status, io_u,
):
    """Solve species begin..end-1, some at a time, in this thread's work arrays."""
    level = table[0]
    species = begin
    while species < end:
        count = min(end - species, planes.shape[1])
        pack(sink, species, count, level, n_species, planes[0])
        pack(rhs, species, count, level, n_species, planes[1])
        pack(io_u, species, count, level, n_species, planes[2])
        if saturable:
            pack(uptake, species, count, level, n_species, planes[3])
        for s in range(count):
            e = species + s
            iterations, residual, status = solve_plane(
                table, k[e], km[e], saturable, tolerance, max_iterations, total, x, y, z,
                planes[0, s], planes[1, s], planes[planes.shape[0] - 1, s], vectors, scratch, planes[2, s],
            )
            out_iterations[e] = iterations
            out_residual[e] = residual
            out_status[e] = status
        unpack(planes[2], species, count, level, n_species, io_u)
        species += count


@parallel_kernel
def solve_species(
    n_species, table, k, km, saturable, tolerance, max_iterations, total, x, y, z,
    sink, rhs, uptake, planes, vectors, scratch, out_iterations, out_residual, out_status, io_u,
):
    """Split the species over threads. Every species is solved by one thread, alike in any thread."""
    shares = planes.shape[0]
    for share in prange(shares):
        solve_share(
            share * n_species // shares, (share + 1) * n_species // shares, n_species, table, k, km, saturable,
            tolerance, max_iterations, total, x, y, z, sink, rhs, uptake, planes[share], vectors[share],
            scratch[share], out_iterations, out_residual, out_status, io_u,
        )
