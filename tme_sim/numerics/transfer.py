"""Kernels that carry residuals to the next coarser level and corrections back.

Prolongation is linear between site centres (3/4 and 1/4 in every halved dimension, clamped at the edge);
restriction is its transpose divided by 2 per halved dimension, which keeps the cycle symmetric. All in single
precision: what they carry are corrections.
"""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import kernel
from tme_sim.numerics.stencil import ONE, TWO, ZERO, couple, seal

# A literal would be double precision, and every loop with it.
_1, _1_2, _1_4, _3_4, _1_8, _3_8 = (np.float32(value) for value in (1.0, 0.5, 0.25, 0.75, 0.125, 0.375))
_0 = np.float32(0.0)


@kernel
def partner(i, n):
    """Return the other coarse index that fine index ``i`` takes part in, of ``n`` coarse ones (clamped)."""
    c = i // TWO
    if (i & ONE) == ZERO:
        return c - ONE if c > ZERO else c
    return c + ONE if c + ONE < n else c


@kernel
def split_row(natural, half, out_row):
    """Write a row in natural order, zero behind its end, as even half and odd half, each behind a guard element."""
    width = half + ONE
    for i in range(half):
        out_row[ONE + i] = natural[TWO * i]
        out_row[width + ONE + i] = natural[TWO * i + ONE]
    out_row[ZERO] = _0
    out_row[width] = _0


@kernel
def add_row(row, weight, start, length, io_values):
    """Add ``weight`` times a row to ``io_values`` from ``start`` on."""
    for i in range(length):
        io_values[start + i] += weight * row[i]


@kernel
def gather_x(k, t, parity, nx, half, c_half, out_natural):
    """Restrict k times the values ``t`` of one parity of a fine row along x, the other parity being zero.

    Writes the coarse row in natural order and zeros behind its end.
    """
    end = (nx + ONE) // TWO
    near, far = _3_8 * k, _1_8 * k
    if nx == ONE:
        out_natural[ZERO] = k * t[ZERO] if parity == ZERO else _0
    elif parity == ZERO:
        t[half] = _0
        for i in range(half):
            out_natural[i] = near * t[i] + far * t[i + ONE]
        out_natural[ZERO] += far * t[ZERO]
    else:
        out_natural[ZERO] = near * t[ZERO]
        for i in range(ONE, half):
            out_natural[i] = near * t[i] + far * t[i - ONE]
        if (nx & ONE) == ZERO:
            out_natural[end - ONE] += far * t[end - ONE]
    for i in range(end, TWO * c_half):
        out_natural[i] = _0


@kernel
def restrict_residual(fine, coarse, k, links, u, scratch, out_rhs):
    """Write the restricted residual, given that red sites were relaxed last and black ones from zero before.

    Red sites then have no residual, and a black one has k times its sum of link times neighbour.
    """
    t, natural, row = scratch[0], scratch[1], scratch[2]
    first, nz, ny, nx, half = fine[0], fine[1], fine[2], fine[3], fine[4]
    c_first, c_nz, c_ny, c_half = coarse[0], coarse[1], coarse[2], coarse[4]
    stride = TWO * (c_half + ONE)
    for i in range(c_first, c_first + c_nz * c_ny * stride):
        out_rhs[i] = 0.0
    near_y, far_y = (_3_8, _1_8) if ny > ONE else (_1, _0)
    near_z, far_z = (_3_8, _1_8) if nz > ONE else (_1, _0)
    for iz in range(nz):
        for iy in range(ny):
            parity = (iz + iy + ONE) & ONE
            start = first + (iz * ny + iy) * TWO * (half + ONE) + ONE
            couple(fine, links, u, iz, iy, start, parity, t)
            seal(nx, half, parity, ZERO, t)
            gather_x(k, t, parity, nx, half, c_half, natural)
            split_row(natural, c_half, row)
            y0, y1 = iy // TWO, partner(iy, c_ny)
            z0, z1 = iz // TWO, partner(iz, c_nz)
            add_row(row, near_z * near_y, c_first + (z0 * c_ny + y0) * stride, stride, out_rhs)
            if ny > ONE:
                add_row(row, near_z * far_y, c_first + (z0 * c_ny + y1) * stride, stride, out_rhs)
            if nz > ONE:
                add_row(row, far_z * near_y, c_first + (z1 * c_ny + y0) * stride, stride, out_rhs)
                if ny > ONE:
                    add_row(row, far_z * far_y, c_first + (z1 * c_ny + y1) * stride, stride, out_rhs)


@kernel
def restrict_diagonal(fine, coarse, cap, scratch, io_d):
    """Write the mean of min(d, cap) over the fine sites of each coarse site; missing ones count as zero.

    A sink much stronger than the exchange with its neighbours (a vessel) acts through that exchange; without
    the cap its mean would clamp a whole coarse site and spoil the correction around it.
    """
    t, row = scratch[0], scratch[1]
    first, nz, ny, nx, half = fine[0], fine[1], fine[2], fine[3], fine[4]
    c_first, c_nz, c_ny, c_half = coarse[0], coarse[1], coarse[2], coarse[4]
    stride = TWO * (c_half + ONE)
    width = half + ONE
    for i in range(c_first, c_first + c_nz * c_ny * stride):
        io_d[i] = 0.0
    weight = (_1_2 if nx > ONE else _1) * (_1_2 if ny > ONE else _1) * (_1_2 if nz > ONE else _1)
    for iz in range(nz):
        for iy in range(ny):
            even = first + (iz * ny + iy) * TWO * width + ONE
            odd = even + width
            for i in range(half):
                t[i] = min(io_d[even + i], cap) + min(io_d[odd + i], cap)
            for i in range(half, TWO * c_half):
                t[i] = _0
            split_row(t, c_half, row)
            add_row(row, weight, c_first + ((iz // TWO) * c_ny + iy // TWO) * stride, stride, io_d)


@kernel
def blend_coarse_row(coarse, u, iz, iy, nz, ny, row, out_natural):
    """Interpolate the coarse rows around fine row (iz, iy): natural order from index 1, ends clamped."""
    c_first, c_nz, c_ny, c_nx, c_half = coarse[0], coarse[1], coarse[2], coarse[3], coarse[4]
    stride = TWO * (c_half + ONE)
    y0, y1 = iy // TWO, partner(iy, c_ny)
    z0, z1 = iz // TWO, partner(iz, c_nz)
    near_y, far_y = (_3_4, _1_4) if ny > ONE else (_1, _0)
    a = c_first + (z0 * c_ny + y0) * stride
    b = c_first + (z0 * c_ny + y1) * stride
    for i in range(stride):
        row[i] = near_y * u[a + i] + far_y * u[b + i]
    if nz > ONE:
        a = c_first + (z1 * c_ny + y0) * stride
        b = c_first + (z1 * c_ny + y1) * stride
        for i in range(stride):
            row[i] = _3_4 * row[i] + _1_4 * (near_y * u[a + i] + far_y * u[b + i])
    for i in range(c_half):
        out_natural[ONE + TWO * i] = row[ONE + i]
        out_natural[TWO + TWO * i] = row[c_half + TWO + i]
    out_natural[ZERO] = out_natural[ONE]
    out_natural[c_nx + ONE] = out_natural[c_nx]


@kernel
def add_correction(fine, coarse, scratch, io_u):
    """Add the interpolated coarse correction to black sites; red ones are relaxed next and need none."""
    natural, row = scratch[0], scratch[1]
    first, nz, ny, nx, half = fine[0], fine[1], fine[2], fine[3], fine[4]
    width = half + ONE
    for iz in range(nz):
        for iy in range(ny):
            blend_coarse_row(coarse, io_u, iz, iy, nz, ny, row, natural)
            parity = (iz + iy + ONE) & ONE
            here = first + (iz * ny + iy) * TWO * width + ONE + parity * width
            if nx == ONE:
                if parity == ZERO:
                    io_u[here] += natural[ONE]
            elif parity == ZERO:
                for i in range(half):
                    io_u[here + i] += _3_4 * natural[ONE + i] + _1_4 * natural[i]
            else:
                for i in range(half):
                    io_u[here + i] += _3_4 * natural[ONE + i] + _1_4 * natural[TWO + i]
            # What was added behind the last site, where the clamped end of the coarse row still reaches.
            end = (nx + ONE - parity) // TWO
            for i in range(end, min(end + TWO, half)):
                io_u[here + i] = _0
