"""Kernels of the seven-point operator on one level: apply and relax.

Arrays follow the layout of `tme_sim.numerics.levels`: a colour is one stretch of memory, and so is every colour of
neighbours. Places without a site hold zeros, and their inverse diagonal is zero, so that relaxing leaves them zero;
what `apply_red` writes there has no meaning and meets that inverse next. In two dimensions the z terms are skipped.
The operator is ``(A u)_i = full_i u_i - k sum_faces link u_neighbour`` with ``full = d + k L`` and L the sum of links.
On levels where every link is 1 (column UNIT) links are not read: half of what a sweep would load. The same kernels
serve double precision (the solution) and single precision (corrections), so literals have no type of their own.
"""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import kernel
from tme_sim.numerics.lanes import largest_lane, sum_lanes

ZERO, ONE, TWO = np.uint64(0), np.uint64(1), np.uint64(2)
LANES = np.uint64(512)  # places taken together: their sums over neighbours stay in the nearest cache


@kernel
def couple(level, links, u, colour, begin, n, out_sum):
    """Sum link times neighbour for ``n`` places of one colour (0 red, 1 black) from place ``begin`` on.

    Additions have the precision of ``out_sum`` (>= n,).
    """
    first, span, row, plane, deep = level[0], level[1], level[3], level[4], level[5] > ONE
    own = first + colour * span + begin
    east = first + (ONE - colour) * span + begin + colour
    west = east - ONE
    south, north = west - row, east + row
    under, over = west - plane, east + plane
    precision = out_sum.dtype.type
    if level[8] != ZERO:
        for i in range(n):
            out_sum[i] = (precision(u[west + i]) + u[east + i]) + (precision(u[south + i]) + u[north + i])
        if deep:
            for i in range(n):
                out_sum[i] += precision(u[under + i]) + u[over + i]
        return
    x, y, z = links[0], links[1], links[2]
    for i in range(n):
        out_sum[i] = x[west + i] * u[west + i] + x[own + i] * u[east + i]
    for i in range(n):
        out_sum[i] += y[south + i] * u[south + i] + y[own + i] * u[north + i]
    if deep:
        for i in range(n):
            out_sum[i] += z[under + i] * u[under + i] + z[own + i] * u[over + i]


@kernel
def neighbours(level, u, colour, begin, n):
    """Return the four neighbours in a plane of ``n`` places of one colour from place ``begin`` on."""
    row, right = level[3], level[0] + (ONE - colour) * level[1] + begin + colour
    left = right - ONE
    west, east = u[left : left + n], u[right : right + n]
    return west, east, u[left - row : left - row + n], u[right + row : right + row + n]


@kernel
def relax(level, colour, k, links, inverse, rhs, t, io_u):
    """Solve the equation of every site of one colour for its own value."""
    first, span, count = level[0], level[1], level[2]
    if level[8] != ZERO and level[5] == ONE:
        relax_plane(level, colour, k, inverse, rhs, io_u)
        return
    for begin in range(ZERO, count, LANES):
        n = min(LANES, count - begin)
        here = first + colour * span + begin
        couple(level, links, io_u, colour, begin, n, t)
        source, share, u = rhs[here : here + n], inverse[here : here + n], io_u[here : here + n]
        for i in range(n):
            u[i] = (source[i] + k * t[i]) * share[i]


@kernel
def relax_plane(level, colour, k, inverse, rhs, io_u):
    """Do what `relax` does on a plane whose links are 1, in one loop."""
    first, span, n = level[0], level[1], level[2]
    here = first + colour * span
    west, east, south, north = neighbours(level, io_u, colour, ZERO, n)
    source, share, u = rhs[here : here + n], inverse[here : here + n], io_u[here : here + n]
    for i in range(n):
        u[i] = (source[i] + k * ((west[i] + east[i]) + (south[i] + north[i]))) * share[i]


@kernel
def ask_black(level, k, links, inverse, u, begin, n, t, out_u):
    """Write what ``n`` black places from ``begin`` on ask for, given the red ones in ``u`` and no source."""
    here = level[0] + level[1] + begin
    if level[8] != ZERO and level[5] == ONE:
        west, east, south, north = neighbours(level, u, ONE, begin, n)
        share, out = inverse[here : here + n], out_u[here : here + n]
        for i in range(n):
            out[i] = k * ((np.float64(west[i]) + east[i]) + (np.float64(south[i]) + north[i])) * share[i]
        return
    couple(level, links, u, ONE, begin, n, t)
    share, out = inverse[here : here + n], out_u[here : here + n]
    for i in range(n):
        out[i] = k * t[i] * share[i]


@kernel
def apply_red(level, k, links, full, inverse, u, scratch, io_black, out_au):
    """Write A u at red sites, black ones having the values that red ones ask for; return the sum of u A u.

    Red values alone are read from ``u``, and summed in double precision whatever their own. Black values go to
    ``io_black``, as far ahead of the red ones in hand as these need.
    """
    t, products = scratch[0], scratch[1]
    first, count = level[0], level[2]
    reach = max(level[3], level[4]) + ONE
    for i in range(LANES):
        products[i] = 0.0
    done = ZERO
    for begin in range(ZERO, count, LANES):
        n = min(LANES, count - begin)
        while done < min(count, begin + n + reach):
            ahead = min(LANES, count - done)
            ask_black(level, k, links, inverse, u, done, ahead, t, io_black)
            done += ahead
        here = first + begin
        couple(level, links, io_black, ZERO, begin, n, t)
        whole, value, out = full[here : here + n], u[here : here + n], out_au[here : here + n]
        for i in range(n):
            au = whole[i] * value[i] - k * t[i]
            out[i] = au
            products[i] += au * value[i]
    return sum_lanes(products, LANES)


@kernel
def largest_size(a, start, stop, t):
    """Return max|a| over [start, stop), taken in 512 lanes (``t`` has room for them); blind to nan."""
    for j in range(LANES):
        t[j] = 0.0
    base = start
    while base < stop:
        for j in range(min(LANES, stop - base)):
            size = abs(a[base + j])
            t[j] = size if size > t[j] else t[j]
        base += LANES
    return largest_lane(t, LANES)
