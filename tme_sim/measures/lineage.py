"""Who descends from whom."""

from __future__ import annotations

import numpy as np

from tme_sim.state.tissue import Tissue


def ancestors(tissue: Tissue, ids: np.ndarray, known: int = 0) -> np.ndarray:
    """Return for every cell the id of its ancestor among those there were after the first births, int64 (n,).

    Parameters
    ----------
    tissue : Tissue
        With the births since then in its events.
    ids : int64 (n,)
        Cells, living or not.
    known : int
        Births that had happened at the earlier time; 0: ancestors are founders.
    """
    ancestor: dict[int, int] = {}
    for birth in tissue.events.table("births")[known:]:
        parent = int(birth["parent"])
        ancestor[int(birth["id"])] = ancestor.get(parent, parent)
    return np.array([ancestor.get(i, i) for i in ids.tolist()], np.int64)
