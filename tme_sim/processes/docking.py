"""Vesicles on and in single cells: docking, coming off again, internalisation, cargo."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.binomial import binomial
from tme_sim.numerics.jit import BLOCK, block_kernel, kernel
from tme_sim.numerics.philox import fill_uniforms
from tme_sim.state.codes import STREAM_UPTAKE


@kernel
def detach(site: np.ndarray, share: np.ndarray, io_docked: np.ndarray, io_free: np.ndarray) -> None:
    """Set a share of every cell's docked vesicles free at its site, which no other cell has.

    ``site`` (n,), ``share`` (n_pools,), ``io_docked`` (n_pools, >= n), ``io_free`` (n_pools, n_sites).
    """
    for p in np.flatnonzero(share):
        on, near = io_docked[p], io_free[p]
        for i in range(len(site)):
            off = on[i] * share[p]
            on[i] -= off
            near[site[i]] += off


@kernel
def dock(
    places: np.ndarray, cell_type: np.ndarray, factor: np.ndarray, docking: np.ndarray, out_uptake: np.ndarray
) -> None:
    """Write the docking rate of every cell, 1/min: that on its type, ``docking`` (n_types,), times its ``factor``."""
    for i in range(len(places)):
        out_uptake[places[i]] = docking[cell_type[i]] * factor[i]


@kernel
def attach(
    places: np.ndarray, rate: np.ndarray, free: np.ndarray, dt_min: float, io_docked: np.ndarray
) -> None:
    """Add to the docked vesicles of every cell, (>= n,), what came on in a step: rate times free ones at its place."""
    for i in range(len(places)):
        io_docked[i] += rate[places[i]] * free[places[i]] * dt_min


@block_kernel
def take_up(
    first: int,
    last: int,
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
    """Internalise whole vesicles and add their cargo, block of cells by block.

    Held cargo first decays by ``cargo_keep`` over the step, then gains what arrived. ``cell_type``, ``lineage`` and
    ``death`` are (n,), ``io_docked`` (n_pools, >= n), ``io_cargo`` (n_cargo, >= n). ``out_taken`` (n_blocks, n_pools,
    n_types), zero before, is the number of vesicles internalised: whole, hence exact.
    """
    n = len(cell_type)
    for block in range(first, last):
        begin, end = block * BLOCK, min(n, (block + 1) * BLOCK)
        rows, keys = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
        draw, number, hazard, taken = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
        kind = cell_type[begin:end].astype(np.uint64)  # unsigned, since numba wraps signed indices
        awake, key = death[begin:end] == 0, lineage[begin:end]
        for c in range(len(cargo_keep)):
            held, keep = io_cargo[c][begin:end], cargo_keep[c]
            for i in range(len(held)):
                held[i] *= keep
        for p in range(len(internalise)):
            found = np.uint64(0)
            on = io_docked[p][begin:end]
            for i in range(len(on)):
                rows[found] = i
                keys[found] = key[i]
                found += np.uint64(on[i] >= 1.0 and awake[i])
            fill_uniforms(seed, keys[:found], step, STREAM_UPTAKE, p, draw)
            for k in range(found):
                number[k] = on[rows[k]]
            for k in range(found):
                hazard[k] = internalise[p] / (1.0 + number[k] / saturation[p]) * dt_min
            for k in range(found):
                taken[k] = binomial(int(number[k]), hazard[k], draw[k])
                on[rows[k]] = number[k] - taken[k]
                out_taken[block, p, kind[rows[k]]] += taken[k]
            for c in range(len(cargo_keep)):
                held, units = io_cargo[c][begin:end], cargo_of[p, c]
                if units != 0.0:
                    for k in range(found):
                        held[rows[k]] += taken[k] * units
