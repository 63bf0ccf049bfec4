"""Settling of conflicts: each site takes the claim of the highest priority."""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.jit import kernel


@kernel
def _settle(site, priority, key, io_best, out_winner):
    for i in range(len(site)):
        out_winner[i] = False
        s = site[i]
        if s < 0:
            continue
        j = io_best[s]
        if j >= 0:
            if priority[i] < priority[j] or (priority[i] == priority[j] and key[i] > key[j]):
                continue
            out_winner[j] = False
        io_best[s] = i
        out_winner[i] = True


def settle_claims(site: np.ndarray, priority: np.ndarray, key: np.ndarray, n_sites: int) -> np.ndarray:
    """Return which claims win their site.

    The result depends neither on the order of the claims nor on the number of threads.

    Parameters
    ----------
    site : int64 (n,)
        Claimed flat site, -1 for no claim.
    priority : float64 (n,)
        Random priority; the highest wins.
    key : uint64 (n,)
        Distinct keys; at equal priority the lowest wins.
    n_sites : int
        Number of sites of the lattice.

    Returns
    -------
    bool (n,)
        At most one winner per site.
    """
    winner = np.empty(len(site), np.bool_)
    best = np.full(n_sites, -1, np.int64)
    _settle(
        np.ascontiguousarray(site, np.int64),
        np.ascontiguousarray(priority, np.float64),
        np.ascontiguousarray(key, np.uint64),
        best,
        winner,
    )
    return winner
