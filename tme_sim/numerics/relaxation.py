"""Kernels that solve weakly diffusing species by red-black relaxation alone, for one species.

Where sinks take a fair share of what diffusion brings, over-relaxed sweeps cost a quarter of a multigrid
cycle and converge fast enough. The factors ω follow the cyclic Chebyshev recurrence: the error of half-sweep
n is the best polynomial in the Jacobi matrix, whose spectral radius is at most ``mu = max(k L / (d + k L))``.

Source: Golub & Varga (1961), Chebyshev semi-iterative methods, doi:10.1007/BF01386013.
"""

from __future__ import annotations

import math

from tme_sim.numerics.errors import CONVERGED, SLOW
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.lanes import largest_lane
from tme_sim.numerics.stencil import LANES, ONE, ZERO, couple


@kernel
def over_relax(level, colour, omega, k, links, inverse, rhs, watch, scratch, io_u):
    """Move sites of one colour ω of the way to their own solution.

    Returns the largest move and max|u| there, where ``watch`` asks for them.
    """
    t, moves, sizes = scratch[0], scratch[1], scratch[2]
    first, span, count = level[0], level[1], level[2]
    for i in range(LANES):
        moves[i] = 0.0
        sizes[i] = 0.0
    for begin in range(ZERO, count, LANES):
        n, here = min(LANES, count - begin), first + colour * span + begin
        couple(level, links, io_u, colour, begin, n, t)
        for i in range(n):
            move = omega * ((rhs[here + i] + k * t[i]) * inverse[here + i] - io_u[here + i])
            io_u[here + i] += move
            t[i] = abs(move)
        if watch:
            for i in range(n):
                moves[i] = t[i] if t[i] > moves[i] else moves[i]
                size = abs(io_u[here + i])
                sizes[i] = size if size > sizes[i] else sizes[i]
    return largest_lane(moves, LANES), largest_lane(sizes, LANES)


@kernel
def relax_alone(table, k, mu, links, inverse, tolerance, reduction, max_iterations, rhs, scratch, io_u):
    """Solve A u = rhs by sweeps from the u given; arguments and results as for `conjugate_gradients`.

    Sweeps converge at the rate ω - 1, so a largest move m leaves an error below m / (2 - ω). Moves are
    watched from two thirds of the sweeps on that this rate foretells.
    """
    level = table[ZERO]
    rate = 2.0 / (1.0 + math.sqrt(1.0 - mu * mu)) - 1.0
    omega, last, goal, due = 1.0, math.inf, tolerance, 0
    for iteration in range(max_iterations):
        watch = iteration >= due or iteration + 1 == max_iterations or iteration == 0
        red_move, red_size = over_relax(level, ZERO, omega, k, links, inverse, rhs, watch, scratch, io_u)
        omega = 1.0 / (1.0 - (0.5 if iteration == 0 else 0.25 * omega) * mu * mu)
        black_move, black_size = over_relax(level, ONE, omega, k, links, inverse, rhs, watch, scratch, io_u)
        omega = 1.0 / (1.0 - 0.25 * omega * mu * mu)
        if not watch:
            continue
        size = max(red_size, black_size)
        last = max(red_move, black_move) / ((1.0 - rate) * size) if size > 0.0 else 0.0
        if last <= goal:
            return iteration + 1, last, CONVERGED
        if iteration == 0:
            goal = max(tolerance, reduction * last)
            due = int(0.67 * math.log(goal / last) / math.log(rate)) if rate > 0.0 else 1
    return max_iterations, last, SLOW
