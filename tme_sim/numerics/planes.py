"""Kernels between the caller's arrays, species last, and one plane of the finest level per species."""

from __future__ import annotations

from tme_sim.numerics.jit import kernel
from tme_sim.numerics.stencil import ONE, TWO
from tme_sim.numerics.transfer import row_halves


@kernel
def pack(source, species, count, level, n_species, out_planes):
    """Copy ``count`` species from (site, species) order to one plane each."""
    ny, nx = level[6], level[7]
    for r in range(level[5] * ny):
        halves = row_halves(level, r // ny, r % ny)
        for s in range(count):
            plane = out_planes[s]
            for parity in range(TWO):
                here = halves[0] if parity == 0 else halves[1]
                site = (r * nx + parity) * n_species + species + s
                for i in range((nx + ONE - parity) // TWO):
                    plane[here + i] = source[site + TWO * i * n_species]


@kernel
def unpack(planes, species, count, level, n_species, out_target):
    """Copy planes back; the reverse of `pack`."""
    ny, nx = level[6], level[7]
    for r in range(level[5] * ny):
        halves = row_halves(level, r // ny, r % ny)
        for s in range(count):
            plane = planes[s]
            for parity in range(TWO):
                here = halves[0] if parity == 0 else halves[1]
                site = (r * nx + parity) * n_species + species + s
                for i in range((nx + ONE - parity) // TWO):
                    out_target[site + TWO * i * n_species] = plane[here + i]


@kernel
def unfold(values, level, out_plane):
    """Copy one value per site, (n_sites,), to the places of a plane; `pack` of one species, but in whole vectors."""
    ny, nx = level[6], level[7]
    for r in range(level[5] * ny):
        even, odd = row_halves(level, r // ny, r % ny)
        here = r * nx
        for i in range(nx // TWO):
            out_plane[even + i] = values[here + TWO * i]
            out_plane[odd + i] = values[here + TWO * i + ONE]
        if nx & ONE:
            out_plane[even + nx // TWO] = values[here + nx - ONE]


@kernel
def fold(plane, level, out_values):
    """Copy a plane to one value per site, (n_sites,); the reverse of `unfold`."""
    ny, nx = level[6], level[7]
    for r in range(level[5] * ny):
        even, odd = row_halves(level, r // ny, r % ny)
        here = r * nx
        for i in range(nx // TWO):
            out_values[here + TWO * i] = plane[even + i]
            out_values[here + TWO * i + ONE] = plane[odd + i]
        if nx & ONE:
            out_values[here + nx - ONE] = plane[even + nx // TWO]


@kernel
def linearise(start, stop, sink, rhs, uptake, km, u, out_d, out_rhs):
    """Write diagonal and right-hand side of the tangent to saturable uptake V u/(u + Km) at u."""
    for i in range(start, stop):
        share = 1.0 / (u[i] + km)
        slope = uptake[i] * share
        out_d[i] = sink[i] + slope * km * share
        out_rhs[i] = rhs[i] - slope * u[i] * u[i] * share
