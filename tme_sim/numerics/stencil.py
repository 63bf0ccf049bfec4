"""Kernels of the seven-point operator on one level: apply and relax.

Arrays follow the split-row layout of `tme_sim.numerics.levels`; in two dimensions the z terms are skipped.
The operator is ``(A u)_i = full_i u_i - k sum_faces link u_neighbour`` with ``full = d + k L`` and L the sum of links.
On levels where every link is 1 (column UNIT) links are not read: half of what a sweep would load. The same kernels
serve double precision (the solution) and single precision (corrections), so literals have no type of their own.
"""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.jit import inline_kernel, kernel

ZERO, ONE, TWO = np.uint64(0), np.uint64(1), np.uint64(2)
LANES = np.uint64(512)


@kernel
def couple_plane(u, first, parity, half, out_sum):
    """Sum the neighbours of the sites of one parity in a row of a plane; rows of zeros lie around the plane."""
    width = half + ONE
    row = width + width
    left = first + (ONE - parity) * width + parity - ONE
    right = left + ONE
    below = first + parity * width - row
    above = first + parity * width + row
    precision = out_sum.dtype.type
    for i in range(half):
        out_sum[i] = (precision(u[left + i]) + u[right + i]) + (precision(u[below + i]) + u[above + i])


@kernel
def couple_stack(u, first, parity, half, iy, ny, out_sum):
    """Sum the neighbours of the sites of one parity in a row of a stack; planes of zeros lie around the stack."""
    width = half + ONE
    row = width + width
    left = first + (ONE - parity) * width + parity - ONE
    right = left + ONE
    here = first + parity * width
    under, over = here - row * ny, here + row * ny
    precision = out_sum.dtype.type
    for i in range(half):
        out_sum[i] = (precision(u[left + i]) + u[right + i]) + (precision(u[under + i]) + u[over + i])
    if iy > ZERO:
        below = here - row
        for i in range(half):
            out_sum[i] += u[below + i]
    if iy + ONE < ny:
        above = here + row
        for i in range(half):
            out_sum[i] += u[above + i]


@kernel
def couple_links(u, x, y, z, first, parity, half, iz, nz, ny, out_sum):
    """Sum link times neighbour for the sites of one parity in a row."""
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


@inline_kernel
def couple(level, links, u, iz, iy, first, parity, out_sum):
    """Sum link times neighbour for the sites of one parity in the row at ``first``, into out_sum (half,).

    Additions have the precision of ``out_sum``. What stands behind the last site has no meaning where links are 1:
    it has a neighbour there, `seal` takes it away. Inlined: a call costs more than half of a row.
    """
    if level[5] == ZERO:
        couple_links(
            u, links[0], links[1], links[2], first, parity, level[4], iz, level[1], level[2], out_sum
        )
    elif level[1] == ONE:
        couple_plane(u, first, parity, level[4], out_sum)
    else:
        couple_stack(u, first, parity, level[4], iy, level[2], out_sum)


@kernel
def seal(nx, half, parity, start, io_values):
    """Write zero behind the last site of one parity in a row that begins at ``start``."""
    last = (nx + ONE - parity) // TWO
    if last < half:
        io_values[start + last] = 0.0


@kernel
def relax_plane_row(first, parity, half, k, inverse, rhs, io_u):
    """Relax one parity of a row of a plane whose links are 1: what `couple_plane` and `relax` do, in one loop."""
    width = half + ONE
    row = width + width
    here = first + parity * width
    left = first + (ONE - parity) * width + parity - ONE
    west, east = io_u[left : left + half], io_u[left + ONE : left + ONE + half]
    south, north = io_u[here - row : here - row + half], io_u[here + row : here + row + half]
    source, share, u = rhs[here : here + half], inverse[here : here + half], io_u[here : here + half]
    for i in range(half):
        u[i] = (source[i] + k * ((west[i] + east[i]) + (south[i] + north[i]))) * share[i]


@kernel
def relax(level, colour, k, links, inverse, rhs, t, io_u):
    """Solve the equation of every site of one colour (0 red, 1 black) for its own value."""
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    for iz in range(nz):
        for iy in range(ny):
            row = first + (iz * ny + iy) * TWO * width + ONE
            parity = (iz + iy + colour) & ONE
            if level[5] != ZERO and nz == ONE:
                relax_plane_row(row, parity, half, k, inverse, rhs, io_u)
                continue
            here = row + parity * width
            couple(level, links, io_u, iz, iy, row, parity, t)
            for i in range(half):
                io_u[here + i] = (rhs[here + i] + k * t[i]) * inverse[here + i]


@kernel
def relax_row(level, row, colour, k, links, inverse, u, t, out_u):
    """Write what the sites of one colour in a row ask for, given the others in ``u`` and no source."""
    first, nz, ny, half = level[0], level[1], level[2], level[4]
    width = half + ONE
    iz, iy = row // ny, row % ny
    start = first + row * TWO * width + ONE
    parity = (iz + iy + colour) & ONE
    here = start + parity * width
    if level[5] != ZERO and nz == ONE:
        left, length = start + (ONE - parity) * width + parity - ONE, width + width
        west, east = u[left : left + half], u[left + ONE : left + ONE + half]
        south, north = u[here - length : here - length + half], u[here + length : here + length + half]
        share, out = inverse[here : here + half], out_u[here : here + half]
        for i in range(half):
            out[i] = k * ((np.float64(west[i]) + east[i]) + (np.float64(south[i]) + north[i])) * share[i]
        return
    couple(level, links, u, iz, iy, start, parity, t)
    for i in range(half):
        out_u[here + i] = k * t[i] * inverse[here + i]


@kernel
def apply_red(level, k, links, full, inverse, u, scratch, io_black, out_au):
    """Write A u at red sites, black ones having the values that red ones ask for; return the sum of u A u.

    Red values alone are read from ``u``, and summed in double precision whatever their own. Black values go to
    ``io_black``, as far ahead of the red row in hand as it needs.
    """
    t, products = scratch[0], scratch[1]
    first, nz, ny, nx, half = level[0], level[1], level[2], level[3], level[4]
    width = half + ONE
    rows = nz * ny
    ahead = ny if nz > ONE else ONE
    for i in range(half):
        products[i] = 0.0
    for row in range(min(ahead, rows)):
        relax_row(level, row, ONE, k, links, inverse, u, t, io_black)
    for row in range(rows):
        if row + ahead < rows:
            relax_row(level, row + ahead, ONE, k, links, inverse, u, t, io_black)
        iz, iy = row // ny, row % ny
        start = first + row * TWO * width + ONE
        parity = (iz + iy) & ONE
        here = start + parity * width
        couple(level, links, io_black, iz, iy, start, parity, t)
        whole, value, out = full[here : here + half], u[here : here + half], out_au[here : here + half]
        for i in range(half):
            au = whole[i] * value[i] - k * t[i]
            out[i] = au
            products[i] += au * value[i]
        seal(nx, half, parity, here, out_au)
    product = 0.0
    for i in range(half):
        product += products[i]
    return product


@kernel
def survey(level, k, total, d, rhs, u, scratch, out_full, out_inverse):
    """Write full = d + k L and its inverse (zero where it is zero), and say what kind of system it is.

    Returns
    -------
    squares, largest_source, smallest_sink, sum_of_sinks, radius
        Sum of the squares of rhs and u (not finite where one of them is not), max|rhs|, smallest and summed d over
        the sites, and ``max(k L / full)``, a bound on the spectral radius of the Jacobi matrix.
    """
    squares, low, sinks, shares, sources = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    first, rows, nx, half = level[0], level[1] * level[2], level[3], level[4]
    for i in range(half):
        squares[i] = 0.0
        low[i] = math.inf
        sinks[i] = 0.0
        shares[i] = 0.0
        sources[i] = 0.0
    for r in range(rows):
        for parity in range(TWO):
            here = first + (TWO * r + parity) * (half + ONE) + ONE
            n = (nx + ONE - parity) // TWO
            # Short loops over few arrays each: the compiler makes vectors of those alone.
            for i in range(n):
                full = d[here + i] + k * total[here + i]
                out_full[here + i] = full
                out_inverse[here + i] = 1.0 / full if full > 0.0 else 0.0
            for i in range(n):
                share = k * total[here + i] * out_inverse[here + i]
                shares[i] = share if share > shares[i] else shares[i]
            for i in range(n):
                sink = d[here + i]
                low[i] = sink if sink < low[i] else low[i]
                sinks[i] += sink
            for i in range(n):
                source = abs(rhs[here + i])
                squares[i] += source * source + u[here + i] * u[here + i]
                sources[i] = source if source > sources[i] else sources[i]
    square, source, smallest, sum_of_sinks, radius = 0.0, 0.0, math.inf, 0.0, 0.0
    for i in range(half):
        square += squares[i]
        smallest = min(smallest, low[i])
        sum_of_sinks += sinks[i]
        radius = max(radius, shares[i])
        source = max(source, sources[i])
    return square, source, smallest, sum_of_sinks, radius


@kernel
def scale_wells(places, factors, io_full, io_inverse, io_rhs, io_u, out_kept):
    """Turn the system to one whose links are all 1, where links are s_i s_j: u' = s u, rhs' = rhs / s.

    ``places`` of the sites with s other than 1 and ``factors`` s; ``out_kept`` gets the old right-hand sides.
    """
    for j in range(len(places)):
        i, s = places[j], factors[j]
        out_kept[j] = io_rhs[i]
        io_full[i] /= s * s
        io_inverse[i] *= s * s
        io_rhs[i] /= s
        io_u[i] *= s


@kernel
def unscale_wells(places, factors, kept, io_rhs, io_u):
    """Turn solution and right-hand side back; the reverse of `scale_wells`."""
    for j in range(len(places)):
        io_rhs[places[j]] = kept[j]
        io_u[places[j]] /= factors[j]


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
