"""Vesicles on and in single cells: docking, coming off again, internalisation, cargo."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.binomial import binomial
from tme_sim.numerics.jit import BLOCK, block_kernel, kernel
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


@kernel
def dock(
    places: np.ndarray, cell_type: np.ndarray, factor: np.ndarray, docking: np.ndarray, out_uptake: np.ndarray
) -> None:
    """Write the docking rate of every cell, 1/min: that on its type, ``docking`` (n_types,), times its ``factor``."""
    for i in range(len(places)):
        out_uptake[places[i]] = docking[cell_type[i]] * factor[i]


@block_kernel
def take_up(
    first: int,
    last: int,
    free: np.ndarray,
    docking: np.ndarray,
    behaviours: np.ndarray,
    uptake_column: np.ndarray,
    site: np.ndarray,
    cell_type: np.ndarray,
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
    out_taken: np.ndarray,
) -> None:
    """Dock, internalise whole vesicles and add their cargo, block of cells by block.

    Held cargo first decays by ``cargo_keep`` over the step, then gains what arrived. ``free`` is (n_pools,
    n_sites); ``docking`` (n_pools, n_types), 1/min, is multiplied by each cell's behaviour. ``out_taken``
    (n_blocks, n_pools, n_types), zero before, is the number of vesicles internalised: whole, hence exact.
    """
    n = len(behaviours)
    for block in range(first, last):
        begin, end = block * BLOCK, min(n, (block + 1) * BLOCK)
        rows, keys, draw = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.uint64), np.empty(BLOCK)
        for i in range(begin, end):
            for c in range(io_cargo.shape[1]):
                io_cargo[i, c] *= cargo_keep[c]
        for p in range(len(internalise)):
            found, column = 0, uptake_column[p]
            for i in range(begin, end):
                rate = docking[p, cell_type[i]] * behaviours[i, column]
                io_docked[i, p] += rate * free[p, site[i]] * dt_min
                rows[found] = i
                keys[found] = lineage[i]
                found += io_docked[i, p] >= 1.0 and death[i] == 0
            for k in range(found):
                draw[k] = uniform(seed, keys[k], step, STREAM_UPTAKE, p)
            for k in range(found):
                i = rows[k]
                hazard = internalise[p] / (1.0 + io_docked[i, p] / saturation[p]) * dt_min
                taken = binomial(int(io_docked[i, p]), hazard, draw[k])
                io_docked[i, p] -= taken
                out_taken[block, p, cell_type[i]] += taken
                for c in range(io_cargo.shape[1]):
                    io_cargo[i, c] += taken * cargo_of[p, c]
