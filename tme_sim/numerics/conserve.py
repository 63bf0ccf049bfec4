"""Makes a solved field balance exactly: nothing negative, sources equal sinks to rounding."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import kernel


@kernel
def _balance(diag: np.ndarray, rhs: np.ndarray, io_u: np.ndarray) -> None:
    """Clip at zero and scale each species, (n_sites, n_species); sums run in site order."""
    n_species = io_u.shape[1]
    source, sink = np.zeros(n_species), np.zeros(n_species)
    for site in range(io_u.shape[0]):
        for s in range(n_species):
            io_u[site, s] = max(io_u[site, s], 0.0)
            source[s] += rhs[site, s]
            sink[s] += diag[site, s] * io_u[site, s]
    scale = np.ones(n_species)
    for s in range(n_species):
        if sink[s] > 0.0:
            scale[s] = source[s] / sink[s]
    for site in range(io_u.shape[0]):
        for s in range(n_species):
            io_u[site, s] *= scale[s]


def conserve(diag: np.ndarray, rhs: np.ndarray, io_u: np.ndarray) -> None:
    """Clip ``io_u`` at zero and scale it by Σ rhs / Σ diag u per species.

    Links between sites cancel in the sum over sites, so that after this the amounts that sinks take equal those
    that sources give, to rounding, whatever residual the solve stopped at.

    Parameters
    ----------
    diag, rhs : float64 (nz, ny, nx, n_species)
        The diagonal and right-hand side of the system that was solved.
    io_u : float64 (nz, ny, nx, n_species)
        Changed in place.
    """
    flat = (-1, io_u.shape[-1])
    _balance(diag.reshape(flat), rhs.reshape(flat), io_u.reshape(flat))
