"""Closes the books of a solve: clip at zero, then scale each species to an exact balance."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.errors import SolveError
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.lanes import sum_lanes

# Sums run in this many lanes side by side, which are added in order at the end.
LANES = 256


@kernel
def balance(diag, rhs, io_u):
    """Clip u of one species at zero and scale it so that sum(diag u) is sum(rhs).

    Returns
    -------
    supplied, removed
        The two sums before scaling; u is left unscaled where nothing is removed.
    """
    gains, losses = np.zeros(LANES), np.zeros(LANES)
    for begin in range(0, len(io_u), LANES):
        d, r, u = diag[begin : begin + LANES], rhs[begin : begin + LANES], io_u[begin : begin + LANES]
        for i in range(len(u)):
            u[i] = u[i] if u[i] > 0.0 else 0.0
            gains[i] += r[i]
            losses[i] += d[i] * u[i]
    supplied, removed = sum_lanes(gains, LANES), sum_lanes(losses, LANES)
    if removed > 0.0:
        factor = supplied / removed
        for i in range(len(io_u)):
            io_u[i] *= factor
    return supplied, removed


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
    if not io_u.flags.c_contiguous:
        raise ValueError("io_u: expected a C-contiguous array, since it is changed in place")
    sinks, sources, u = (np.ascontiguousarray(a).reshape(-1, n_species) for a in (diag, rhs, io_u))
    factor = np.ones(n_species)
    for species in range(n_species):
        supplied, removed = balance(sinks[:, species], sources[:, species], u[:, species])
        if removed <= 0.0 and supplied != 0.0:
            raise SolveError("a source but no value to balance it", species, float("inf"), 0)
        factor[species] = supplied / removed if removed > 0.0 else 1.0
    return factor
