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
            io_free[p, site[i]] += off


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
        rows, keys, draw = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64), np.empty(BLOCK)
        # Unsigned, since numba wraps signed indices.
        at, kind = site[begin:end].astype(np.uint64), cell_type[begin:end].astype(np.uint64)
        awake, key = death[begin:end] == 0, lineage[begin:end]
        held = io_cargo[begin:end]
        for i in range(len(held)):
            for c in range(held.shape[1]):
                held[i, c] *= cargo_keep[c]
        for p in range(len(internalise)):
            found = np.uint64(0)
            factor, on, near, rate = (
                behaviours[begin:end, uptake_column[p]],
                io_docked[begin:end, p],
                free[p],
                docking[p],
            )
            for i in range(len(at)):
                on[i] += rate[kind[i]] * factor[i] * near[at[i]] * dt_min
            for i in range(len(at)):
                rows[found] = i
                keys[found] = key[i]
                found += np.uint64(on[i] >= 1.0 and awake[i])
            for k in range(found):
                draw[k] = uniform(seed, keys[k], step, STREAM_UPTAKE, p)
            for k in range(found):
                i = rows[k]
                hazard = internalise[p] / (1.0 + on[i] / saturation[p]) * dt_min
                taken = binomial(int(on[i]), hazard, draw[k])
                if taken == 0:
                    continue
                on[i] -= taken
                out_taken[block, p, kind[i]] += taken
                for c in range(held.shape[1]):
                    held[i, c] += taken * cargo_of[p, c]
