"""Neighbours of flat sites on a (nz, ny, nx) lattice without wrap-around."""

from __future__ import annotations

from functools import cache

import numpy as np

from tme_sim.numerics.jit import kernel

OUTSIDE = -1


def directions(shape: tuple[int, int, int], *, moore: bool) -> np.ndarray:
    """Return the steps to all neighbours of a site.

    Parameters
    ----------
    shape : (nz, ny, nx)
        Shape of the lattice; dimensions of one site get no steps.
    moore : bool
        True for edges and corners too (8 in a plane, 26 in space), False for faces only (4, 6).

    Returns
    -------
    int64 (k, 3)
        Columns dz, dy, dx; faces first, in a fixed order.
    """
    return _directions(shape, moore).copy()


@cache
def _directions(shape: tuple[int, int, int], moore: bool) -> np.ndarray:
    cube = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    reach = np.abs(cube).sum(axis=1)
    flat = np.any((cube != 0) & (np.array(shape) == 1), axis=1)
    wanted = (reach > 0) & ~flat & ((reach == 1) | moore)
    order = np.argsort(reach, kind="stable")
    return np.ascontiguousarray(cube[order][wanted[order]], dtype=np.int64)


@kernel
def neighbour(site, dz, dy, dx, nz, ny, nx):
    """Return the flat site one step (dz, dy, dx) away, -1 outside the lattice."""
    x = site % nx
    row = site // nx
    y = row % ny
    z = row // ny
    z += dz
    y += dy
    x += dx
    if z < 0 or z >= nz or y < 0 or y >= ny or x < 0 or x >= nx:
        return np.int64(OUTSIDE)
    return np.int64((z * ny + y) * nx + x)


@kernel
def neighbours(site, steps, nz, ny, nx, out_sites):
    """Write the neighbours of a site in the order of ``steps``, -1 where outside; return how many are inside.

    Parameters
    ----------
    site : int64
        Flat index.
    steps : int64 (k, 3)
        From `directions`.
    nz, ny, nx : int64
        Shape of the lattice.
    out_sites : int64 (k,)
        Flat indices or -1.
    """
    inside = 0
    for d in range(len(steps)):
        at = neighbour(site, steps[d, 0], steps[d, 1], steps[d, 2], nz, ny, nx)
        out_sites[d] = at
        if at >= 0:
            inside += 1
    return inside
