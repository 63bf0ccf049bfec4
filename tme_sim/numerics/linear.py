"""Solves one linear system of one species: says what kind it is, scales its wells, chooses the method."""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.conjugate import HALF_DIGIT, INVERSE, D, conjugate_gradients
from tme_sim.numerics.cycle import count_levels, prepare_levels
from tme_sim.numerics.errors import NEGATIVE_SINK, NOT_FINITE, SINGULAR
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.lanes import largest_lane, sum_lanes
from tme_sim.numerics.relaxation import relax_alone
from tme_sim.numerics.stencil import LANES

WEAK = 0.95  # largest Jacobi radius at which sweeps alone beat multigrid (measured; k of 5 sinks)
FULL, INVERSE_WHOLE, ROOM = range(3)  # rows of the double precision vectors


@kernel
def survey(level, k, total, d, rhs, u, scratch, out_full, out_inverse, out_single):
    """Write full = d + k L and its inverse (zero where it is zero), and say what kind of system it is.

    ``out_single`` gets d and the inverse in the rows that `conjugate_gradients` expects.

    Returns
    -------
    squares, largest_source, smallest_sink, sum_of_sinks, radius
        Sum of the squares of rhs and u (not finite where one of them is not), max|rhs|, smallest and summed d over
        the sites, and ``max(k L / full)``, a bound on the spectral radius of the Jacobi matrix.
    """
    squares, low, sinks, shares, sources = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    for i in range(LANES):
        squares[i] = 0.0
        low[i] = -math.inf
        sinks[i] = 0.0
        shares[i] = 0.0
        sources[i] = 0.0
    stop = level[0] + level[1] + level[2]
    for here in range(level[0], stop, LANES):
        n = min(LANES, stop - here)
        # Short loops over few arrays each: the compiler makes vectors of those alone.
        for i in range(n):
            full = d[here + i] + k * total[here + i]
            out_full[here + i] = full
            out_inverse[here + i] = 1.0 / full if full > 0.0 else 0.0
        for i in range(n):
            out_single[D, here + i] = d[here + i]
            out_single[INVERSE, here + i] = out_inverse[here + i]
        for i in range(n):
            share = k * total[here + i] * out_inverse[here + i]
            shares[i] = share if share > shares[i] else shares[i]
        for i in range(n):
            sink = d[here + i]
            sinks[i] += sink
            # No site, or one without any sink or neighbour.
            negative = -math.inf if sink == 0.0 and total[here + i] == 0.0 else -sink
            low[i] = negative if negative > low[i] else low[i]
        for i in range(n):
            source = abs(rhs[here + i])
            squares[i] += source * source + u[here + i] * u[here + i]
            sources[i] = source if source > sources[i] else sources[i]
    return (
        sum_lanes(squares, LANES),
        largest_lane(sources, LANES),
        -largest_lane(low, LANES),
        sum_lanes(sinks, LANES),
        largest_lane(shares, LANES),
    )


@kernel
def scale_wells(places, factors, io_full, io_inverse, io_single, io_rhs, io_u, out_kept):
    """Turn the system to one whose links are all 1, where links are s_i s_j: u' = s u, rhs' = rhs / s.

    ``places`` of the sites with s other than 1 and ``factors`` s; ``out_kept`` gets the old right-hand sides.
    """
    for j in range(len(places)):
        i, s = places[j], factors[j]
        out_kept[j] = io_rhs[i]
        io_full[i] /= s * s
        io_inverse[i] *= s * s
        io_single[INVERSE, i] = io_inverse[i]
        io_rhs[i] /= s
        io_u[i] *= s


@kernel
def unscale_wells(places, factors, kept, io_rhs, io_u):
    """Turn solution and right-hand side back; the reverse of `scale_wells`."""
    for j in range(len(places)):
        io_rhs[places[j]] = kept[j]
        io_u[places[j]] /= factors[j]


@kernel
def shares_of_parts(level, k, leaks, parts, d, out_shares):
    """Write 1 over the sinks of every part of the lattice, ways to other parts among them; zero where there are none.

    ``parts`` and ``leaks`` are those of `levels.Levels`. Returns the largest error that a residual of 1 can hide below
    the last digit of single precision: rounding of as many sites as a part has, over its sinks.
    """
    sizes = np.zeros(len(out_shares))
    out_shares[:] = k * leaks
    for i in range(level[0], level[0] + level[1] + level[2]):
        out_shares[parts[i]] += d[i]
        sizes[parts[i]] += 1.0
    hidden = 0.0
    out_shares[len(out_shares) - 1] = 0.0  # of places without a site
    for part in range(len(out_shares)):
        sinks = out_shares[part]
        out_shares[part] = 1.0 / sinks if sinks > 0.0 else 0.0
        hidden = max(hidden, HALF_DIGIT * math.sqrt(sizes[part]) * out_shares[part])
    return hidden


@kernel
def solve_linear(
    table, k, links, links_single, well_places, well_factors, parts, leaks, tolerance, reduction, max_iterations, d,
    rhs, vectors, single, scratch, scratch_single, rows, kept, io_u,
):  # fmt: skip
    """Solve A u = rhs with sinks ``d`` from the u given, in at most so many iterations.

    Stops when the estimated error is within ``tolerance`` of max|u|, or ``reduction`` of the first estimate.
    ``vectors``, ``single``, scratches, ``rows`` and ``kept`` are those of `system.Work`.

    Returns
    -------
    iterations, error, status
        Cycles or sweeps done, last estimate of the error relative to max|u|, and how it ended.
    """
    full, inverse = vectors[FULL], vectors[INVERSE_WHOLE]
    squares, largest_source, smallest, sinks, radius = survey(
        table[0], k, links[3], d, rhs, io_u, scratch, full, inverse, single
    )
    if not math.isfinite(squares + sinks):
        return 0, math.nan, NOT_FINITE
    if smallest < 0.0:
        return 0, math.nan, NEGATIVE_SINK
    if largest_source == 0.0:
        io_u[:] = 0.0
    elif sinks == 0.0:
        return 0, math.nan, SINGULAR
    scale_wells(well_places, well_factors, full, inverse, single, rhs, io_u, kept)
    if radius <= WEAK:
        found = relax_alone(
            table, k, radius, links, inverse, tolerance, reduction, max_iterations, rhs, scratch, io_u
        )
    else:
        levels, shares = count_levels(len(table), k, smallest), np.empty(len(leaks))
        if len(parts) > 0:
            hidden = shares_of_parts(table[0], k, leaks, parts, d, shares)
        else:
            level = table[0]
            hidden = (
                HALF_DIGIT * math.sqrt(float(level[5] * level[6] * level[7])) / sinks if sinks > 0.0 else 0.0
            )
        prepare_levels(table, levels, k, links_single[3], scratch_single, rows, single[D], single[INVERSE])
        found = conjugate_gradients(
            table, levels, k, links, links_single, parts, shares, hidden, tolerance, reduction, max_iterations, rhs,
            full, inverse, scratch, scratch_single, rows, single, vectors[ROOM], io_u,
        )  # fmt: skip
    unscale_wells(well_places, well_factors, kept, rhs, io_u)
    return found
