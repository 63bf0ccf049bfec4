"""Vesicles on and in single cells: docking, coming off again, internalisation, cargo."""

from __future__ import annotations

import math

import numpy as np

from tme_sim.numerics.binomial import binomial
from tme_sim.numerics.jit import BLOCK, kernel, parallel_kernel, prange
from tme_sim.numerics.philox import uniform
from tme_sim.state.codes import STREAM_UPTAKE


@kernel
def detach(site: np.ndarray, share: np.ndarray, io_docked: np.ndarray, io_free: np.ndarray) -> None:
    """Set the ``share`` (n_pools,) of every cell's docked vesicles free at its site; no two cells share a site."""
    for i in range(io_docked.shape[0]):
        for p in range(io_docked.shape[1]):
            off = io_docked[i, p] * share[p]
            io_docked[i, p] -= off
            io_free[site[i], p] += off


@parallel_kernel
def take_up(
    free: np.ndarray,
    uptake: np.ndarray,
    site: np.ndarray,
    lineage: np.ndarray,
    death: np.ndarray,
    internalise: np.ndarray,
    saturation: np.ndarray,
    cargo_of: np.ndarray,
    cargo_keep: np.ndarray,
    seed: np.uint64,
    step: int,
    dt_min: float,
    io_docked: np.ndarray,
    io_cargo: np.ndarray,
    out_inside: np.ndarray,
) -> None:
    """Dock, internalise whole vesicles and add their cargo, cell by cell.

    Held cargo first decays by ``cargo_keep`` over the step, then gains what arrived. ``out_inside`` (n, n_pools)
    is the number of vesicles internalised in this step.
    """
    n = out_inside.shape[0]
    for block in prange((n + BLOCK - 1) // BLOCK):
        for i in range(block * BLOCK, min(n, (block + 1) * BLOCK)):
            for c in range(io_cargo.shape[1]):
                io_cargo[i, c] *= cargo_keep[c]
            for p in range(out_inside.shape[1]):
                io_docked[i, p] += uptake[site[i], p] * free[site[i], p] * dt_min
                out_inside[i, p] = 0.0
                ready = math.floor(io_docked[i, p])
                if ready < 1.0 or death[i] != 0:
                    continue
                rate = internalise[p] / (1.0 + io_docked[i, p] / saturation[p])
                chance = 1.0 - math.exp(-rate * dt_min)
                taken = binomial(int(ready), chance, uniform(seed, lineage[i], step, STREAM_UPTAKE, p))
                io_docked[i, p] -= taken
                out_inside[i, p] = taken
                for c in range(io_cargo.shape[1]):
                    io_cargo[i, c] += taken * cargo_of[p, c]


@kernel
def sum_by_type(inside: np.ndarray, cell_type: np.ndarray, io_taken: np.ndarray) -> None:
    """Add the vesicles that each cell took in to its type: whole numbers, hence exact; io_taken (n_types, n_pools)."""
    for i in range(inside.shape[0]):
        for p in range(inside.shape[1]):
            io_taken[cell_type[i], p] += inside[i, p]
