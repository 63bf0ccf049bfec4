"""Closes the books of a solve: clip at zero, then scale each species to an exact balance."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.errors import SolveError
from tme_sim.numerics.jit import kernel

# Sites that are summed together, one species after the other: few enough to stay in cache.
SITES = 256


@kernel
def balance_sums(diag, rhs, io_u, out_sums):
    """Clip u at zero and sum rhs and diag u per block of sites; out_sums is (n_blocks, 2, n_species)."""
    n_sites, n_species = io_u.shape
    for block in range(out_sums.shape[0]):
        for s in range(n_species):
            supplied, removed = 0.0, 0.0
            for site in range(block * SITES, min((block + 1) * SITES, n_sites)):
                value = io_u[site, s] if io_u[site, s] > 0.0 else 0.0
                io_u[site, s] = value
                supplied += rhs[site, s]
                removed += diag[site, s] * value
            out_sums[block, 0, s] = supplied
            out_sums[block, 1, s] = removed


@kernel
def scale(factor, io_u):
    """Multiply every species by its factor."""
    for site in range(io_u.shape[0]):
        for s in range(io_u.shape[1]):
            io_u[site, s] *= factor[s]


def conserve(diag: np.ndarray, rhs: np.ndarray, io_u: np.ndarray) -> np.ndarray:
    """Clip at zero and scale each species so that what comes in equals what goes out, to rounding.

    Diffusion moves matter without making any, so the exact solution has ``sum(rhs) = sum(diag * u)``; a solve
    to a finite residual misses it by about that residual. A sink's share of the books is then its part of
    ``diag`` times u (uptake, decay, 1/dt for what stays).

    Parameters
    ----------
    diag, rhs : float64 (nz, ny, nx, n_species)
        As given to the solve.
    io_u : float64 (nz, ny, nx, n_species), C-contiguous
        Its solution, changed in place.

    Returns
    -------
    factor : float64 (n_species,)
        What each species was multiplied by; 1 to about the tolerance of the solve.

    Raises
    ------
    SolveError
        When a species has a source and no value anywhere, so that no factor balances it.
    """
    n_species = io_u.shape[-1]
    flat = [np.ascontiguousarray(a).reshape(-1, n_species) for a in (diag, rhs)]
    if not io_u.flags.c_contiguous:
        raise ValueError("io_u: expected a C-contiguous array, since it is changed in place")
    u = io_u.reshape(-1, n_species)
    sums = np.empty((-(-len(u) // SITES), 2, n_species))
    balance_sums(flat[0], flat[1], u, sums)
    supplied, removed = sums.sum(axis=0)
    for species in np.flatnonzero((removed <= 0.0) & (supplied != 0.0)):
        raise SolveError("a source but no value to balance it", int(species), float("inf"), 0)
    factor = np.divide(supplied, removed, out=np.ones(n_species), where=removed > 0.0)
    scale(factor, u)
    return factor
