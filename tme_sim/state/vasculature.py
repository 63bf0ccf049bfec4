"""How the cells of living vessels hang together, and where blood enters and leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Vasculature:
    """Tubes between vessel cells, by cell id; whether blood flows follows from them.

    Attributes
    ----------
    cell_type : int
        Index of the type of the vessel cells.
    links : int64 (k, 2)
        Pairs of cells that a tube joins: the lower id first, rows sorted, each once.
    roots : int64 (m,)
        Sorted ids of the cells through which blood enters or leaves the lattice.
    """

    cell_type: int
    links: np.ndarray
    roots: np.ndarray


def sorted_links(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return links between ids ``a`` and ``b``, int64 (n,) each, as `Vasculature` keeps them."""
    pairs = np.sort(np.stack([a, b], axis=1).astype(np.int64).reshape(-1, 2), axis=1)
    return np.unique(pairs, axis=0)
