"""Kernels of the seven-point operator on one level: apply and relax.

Arrays follow the split-row layout of `tme_sim.numerics.levels`; in two dimensions the z terms are skipped.
The operator is ``(A u)_i = (d_i + k L_i) u_i - k sum_faces link u_neighbour`` with ``L_i`` the sum of links.
"""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import kernel

ZERO, ONE, TWO = np.uint64(0), np.uint64(1), np.uint64(2)
LANES = np.uint64(512)


@kernel
def couple(u, x, y, z, first, parity, half, iz, nz, ny, out_sum):
    """Sum link times neighbour for the sites of one parity in the row at ``first``, into out_sum (half,)."""
    width = half + ONE
    here = first + parity * width
    other = first + (ONE - parity) * width
    # An even site's left face is odd face i-1, its right one even face i; an odd site's are even i and odd i.
    left_face = first + width - ONE
    right_face = first
    if parity == ONE:
        left_face = first
        right_face = first + width
    left = other + parity - ONE
    right = other + parity
    row = width + width
    below = here - row
    above = here + row
    for i in range(half):
        out_sum[i] = (
            x[left_face + i] * u[left + i]
            + x[right_face + i] * u[right + i]
            + y[below + i] * u[below + i]
            + y[here + i] * u[above + i]
        )
    if nz > ONE:
        plane = row * ny
        if iz > ZERO:
            under = here - plane
            for i in range(half):
                out_sum[i] += z[under + i] * u[under + i]
        if iz + ONE < nz:
            over = here + plane
            for i in range(half):
                out_sum[i] += z[here + i] * u[over + i]


@kernel
def relax(level, colour, k, links, inverse, rhs, t, io_u):
    """Solve the equation of every site of one colour (0 red, 1 black) for its own value."""
    x, y, z = links[0], links[1], links[2]
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for iz in range(nz):
        for iy in range(ny):
            row = first + (iz * ny + iy) * TWO * width + ONE
            parity = (iz + iy + colour) & ONE
            here = row + parity * width
            couple(io_u, x, y, z, row, parity, half, iz, nz, ny, t)
            for i in range(half):
                io_u[here + i] = (rhs[here + i] + k * t[i]) * inverse[here + i]


@kernel
def apply_red(level, k, links, d, u, scratch, out_au):
    """Write A u at red sites and return the sum of u A u over them (summed per place in the row first)."""
    x, y, z, total = links[0], links[1], links[2], links[3]
    t, products = scratch[0], scratch[1]
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for i in range(half):
        products[i] = 0.0
    for iz in range(nz):
        for iy in range(ny):
            row = first + (iz * ny + iy) * TWO * width + ONE
            parity = (iz + iy) & ONE
            here = row + parity * width
            couple(u, x, y, z, row, parity, half, iz, nz, ny, t)
            for i in range(half):
                out_au[here + i] = (d[here + i] + k * total[here + i]) * u[here + i] - k * t[i]
            for i in range(half):
                products[i] += out_au[here + i] * u[here + i]
    product = 0.0
    for i in range(half):
        product += products[i]
    return product


@kernel
def invert_diagonal(start, stop, k, d, total, out_inverse):
    """Write 1 / (d + k L); zero where a site has neither sink nor neighbour (it keeps the value zero)."""
    for i in range(start, stop):
        full = d[i] + k * total[i]
        out_inverse[i] = 1.0 / full if full > 0.0 else 0.0


@kernel
def scale_by(a, b, start, stop, out_product):
    """Write a times b."""
    for i in range(start, stop):
        out_product[i] = a[i] * b[i]


@kernel
def dot(a, b, start, stop, t):
    """Return the sum of a b over [start, stop): 512 partial sums side by side, then these in order.

    The order of additions is fixed by the indices, so the result is too; ``t`` has room for 512.
    """
    for j in range(LANES):
        t[j] = 0.0
    base = start
    while base < stop:
        for j in range(min(LANES, stop - base)):
            t[j] += a[base + j] * b[base + j]
        base += LANES
    total = 0.0
    for j in range(LANES):
        total += t[j]
    return total


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
    largest = 0.0
    for j in range(LANES):
        largest = max(largest, t[j])
    return largest
