"""Kernels that carry residuals to the next coarser level and corrections back.

Prolongation is linear between site centres (3/4 and 1/4 in every halved dimension, clamped at the edge);
restriction is its transpose divided by 2 per halved dimension, which keeps the cycle symmetric. All in single
precision: what they carry are corrections. Both pass through rows in natural order, coarse along x. Loops over such
rows go on to a multiple of `WHOLE`, for which rows have room: vectors then are whole, and short rows are no loop over
single places. What stands behind a row's end has no meaning.
"""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import kernel
from tme_sim.numerics.stencil import ONE, TWO, ZERO, couple

# A literal would be double precision, and every loop with it.
_0, _1, _1_2 = (np.float32(value) for value in (0.0, 1.0, 0.5))
_1_4, _3_4, _1_8, _3_8 = (np.float32(value) for value in (0.25, 0.75, 0.125, 0.375))
THREE = np.uint64(3)
WHOLE = np.uint64(64)


@kernel
def whole(n):
    """Return the next multiple of `WHOLE`."""
    return (n + WHOLE - ONE) // WHOLE * WHOLE


@kernel
def row_halves(level, iz, iy):
    """Return where a row's sites with even x lie, and those with odd x."""
    first, span, row, plane = level[0], level[1], level[3], level[4]
    start, askew = first + iz * plane + iy * row, iz + iy
    if (askew & ONE) == ZERO:
        return start + askew // TWO, start + span + askew // TWO
    return start + span + askew // TWO, start + (askew + ONE) // TWO


@kernel
def write_row(level, iz, iy, natural, out):
    """Write a row given in natural order, with a zero behind its end."""
    start_even, start_odd = row_halves(level, iz, iy)
    half = (level[7] + ONE) // TWO
    even, odd = out[start_even : start_even + half], out[start_odd : start_odd + half]
    for i in range(half):
        even[i], odd[i] = natural[TWO * i], natural[TWO * i + ONE]


@kernel
def share_of(c, which, n, near, far):
    """Return the fine index and the weight of one of the four (0 to 3) that coarse index ``c`` is made of.

    ``n`` fine indices; those past the edge are clamped to it, as in interpolation; an index alone keeps its value.
    """
    if n == ONE:
        return ZERO, _1 if which == ONE else _0
    if which == ZERO:
        return (TWO * c - ONE if c > ZERO else ZERO), far
    fine = TWO * c + which - ONE
    if which == THREE:
        if fine == n:
            return n - ONE, far
        return (fine, far) if fine < n else (ZERO, _0)
    return (fine, near) if fine < n else (ZERO, _0)


@kernel
def coarsen_rows(rows, fine, coarse, near, far, natural, out):
    """Write every coarse row as the weighted sum of the fine rows around it, which are coarse along x already.

    ``rows`` (>= nz ny, >= whole(coarse nx)); weights along y and z as in `share_of`.
    """
    nz, ny = fine[5], fine[6]
    c_nz, c_ny, c_nx = coarse[5], coarse[6], coarse[7]
    wide = whole(c_nx)
    for cz in range(c_nz):
        for cy in range(c_ny):
            y0, w0 = share_of(cy, ZERO, ny, near, far)
            y1, w1 = share_of(cy, ONE, ny, near, far)
            y2, w2 = share_of(cy, TWO, ny, near, far)
            y3, w3 = share_of(cy, THREE, ny, near, far)
            z1, weight = share_of(cz, ONE, nz, near, far)
            a, b, c, d = rows[z1 * ny + y0], rows[z1 * ny + y1], rows[z1 * ny + y2], rows[z1 * ny + y3]
            for i in range(wide):
                natural[i] = weight * ((w0 * a[i] + w1 * b[i]) + (w2 * c[i] + w3 * d[i]))
            for other in range(ZERO, THREE if nz > ONE else ZERO):
                iz, weight = share_of(cz, (other + TWO) & THREE, nz, near, far)
                a, b, c, d = rows[iz * ny + y0], rows[iz * ny + y1], rows[iz * ny + y2], rows[iz * ny + y3]
                for i in range(wide):
                    natural[i] += weight * ((w0 * a[i] + w1 * b[i]) + (w2 * c[i] + w3 * d[i]))
            natural[c_nx] = _0
            write_row(coarse, cz, cy, natural, out)


@kernel
def gather_x(k, sums, begin, parity, nx, out_natural):
    """Restrict k times the values of one parity of a fine row along x, the other parity being zero.

    The values stand in ``sums`` from ``begin`` on, with a zero before and behind.
    """
    last = (nx + ONE) // TWO - ONE
    near, far = _3_8 * k, _1_8 * k
    if nx == ONE:
        out_natural[ZERO] = k * sums[begin] if parity == ZERO else _0
    elif parity == ZERO:
        for i in range(whole(last + ONE)):
            out_natural[i] = near * sums[begin + i] + far * sums[begin + ONE + i]
        out_natural[ZERO] += far * sums[begin]
    else:
        for i in range(whole(last + ONE)):
            out_natural[i] = near * sums[begin + i] + far * sums[begin - ONE + i]
        if (nx & ONE) == ZERO:
            out_natural[last] += far * sums[begin + last]


@kernel
def restrict_residual(fine, coarse, k, links, u, scratch, rows, out_rhs):
    """Write the restricted residual, given that red sites were relaxed last and black ones from zero before.

    Red sites then have no residual, and a black one has k times its sum of link times neighbour.
    """
    sums, natural = scratch[2], scratch[1]
    first, span, nz, ny, nx = fine[0], fine[1], fine[5], fine[6], fine[7]
    couple(fine, links, u, ONE, ZERO, fine[2], sums[ONE:])
    sums[ZERO] = _0
    for iz in range(nz):
        for iy in range(ny):
            parity = (iz + iy + ONE) & ONE
            even, odd = row_halves(fine, iz, iy)
            begin = (odd if parity == ONE else even) - first - span + ONE
            sums[begin - ONE] = _0
            sums[begin + (nx + ONE - parity) // TWO] = _0
            gather_x(k, sums, begin, parity, nx, rows[iz * ny + iy])
    coarsen_rows(rows, fine, coarse, _3_8, _1_8, natural, out_rhs)


@kernel
def restrict_diagonal(fine, coarse, cap, scratch, rows, io_d):
    """Write the mean of min(d, cap) over the fine sites of each coarse site; missing ones count as zero.

    A sink much stronger than the exchange with its neighbours (a vessel) acts through that exchange; without
    the cap its mean would clamp a whole coarse site and spoil the correction around it.
    """
    nz, ny, nx = fine[5], fine[6], fine[7]
    weight = _1_2 if nx > ONE else _1
    for iz in range(nz):
        for iy in range(ny):
            even, odd = row_halves(fine, iz, iy)
            row = rows[iz * ny + iy]
            for i in range((nx + ONE) // TWO):
                row[i] = weight * min(io_d[even + i], cap)
            for i in range(nx // TWO):
                row[i] += weight * min(io_d[odd + i], cap)
    coarsen_rows(rows, fine, coarse, _1_2, _0, scratch[1], io_d)


@kernel
def partner(i, n):
    """Return the other coarse index that fine index ``i`` takes part in, of ``n`` coarse ones (clamped)."""
    c = i // TWO
    if (i & ONE) == ZERO:
        return c - ONE if c > ZERO else c
    return c + ONE if c + ONE < n else c


@kernel
def order_rows(level, u, out_rows):
    """Write the rows of a level in natural order from index 1 on, their ends repeated before and behind."""
    nz, ny, nx = level[5], level[6], level[7]
    for iz in range(nz):
        for iy in range(ny):
            start_even, start_odd = row_halves(level, iz, iy)
            row, half = out_rows[iz * ny + iy], whole((nx + ONE) // TWO)
            even, odd = u[start_even : start_even + half], u[start_odd : start_odd + half]
            for i in range(half):
                row[ONE + TWO * i], row[TWO + TWO * i] = even[i], odd[i]
            row[ZERO] = row[ONE]
            row[nx + ONE] = row[nx]


@kernel
def blend_rows(rows, c_nz, c_ny, c_nx, iz, iy, nz, ny, out_row):
    """Interpolate the coarse rows around fine row (iz, iy) along y and z."""
    near_y, far_y = (_3_4, _1_4) if ny > ONE else (_1, _0)
    z0, z1 = iz // TWO, partner(iz, c_nz)
    y0, y1 = iy // TWO, partner(iy, c_ny)
    a, b, wide = rows[z0 * c_ny + y0], rows[z0 * c_ny + y1], whole(c_nx + TWO)
    for i in range(wide):
        out_row[i] = near_y * a[i] + far_y * b[i]
    if nz > ONE:
        a, b = rows[z1 * c_ny + y0], rows[z1 * c_ny + y1]
        for i in range(wide):
            out_row[i] = _3_4 * out_row[i] + _1_4 * (near_y * a[i] + far_y * b[i])


@kernel
def add_correction(fine, coarse, to_what_is, scratch, rows, io_u):
    """Write the interpolated coarse correction to black sites, or add it ``to_what_is`` there.

    Red ones are relaxed next and need none.
    """
    blended = scratch[1]
    nz, ny, nx = fine[5], fine[6], fine[7]
    order_rows(coarse, io_u, rows)
    for iz in range(nz):
        for iy in range(ny):
            blend_rows(rows, coarse[5], coarse[6], coarse[7], iz, iy, nz, ny, blended)
            even, odd = row_halves(fine, iz, iy)
            if (iz + iy) & ONE == ZERO:
                for i in range(nx // TWO):
                    found = _3_4 * blended[i + ONE] + _1_4 * blended[i + TWO]
                    io_u[odd + i] = io_u[odd + i] + found if to_what_is else found
            elif nx == ONE:
                io_u[even] = io_u[even] + blended[ONE] if to_what_is else blended[ONE]
            else:
                for i in range((nx + ONE) // TWO):
                    found = _3_4 * blended[i + ONE] + _1_4 * blended[i]
                    io_u[even + i] = io_u[even + i] + found if to_what_is else found
