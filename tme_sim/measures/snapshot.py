"""Numbers about one snapshot as a file holds it: shares, distances, clone sizes, who took up whose vesicles.

Arrays in, numbers out. Response and time to progression are in `measures.response`, patterns in `measures.patterns`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import ndimage

from tme_sim.measures.oxygenation import HYPOXIA_BOUNDS_MMHG

RESISTANT_BELOW = 0.5  # of the naive cell's log-kill (docs/decisions/resistance-reference.md)


def resistant_fraction(ratio: np.ndarray, below: float = RESISTANT_BELOW) -> float:
    """Return the share of cells that resist a drug; nan without cells.

    Parameters
    ----------
    ratio : float (n,)
        Log-kill over that of a naive cell, column ``resistance_DRUG``; nan for cells it was not measured of.
    below : float
        Resistant is who has less than this.
    """
    ratio = np.asarray(ratio, float)
    return _share(ratio[np.isfinite(ratio)] < below)


def hypoxic_fraction(oxygen_mmhg: np.ndarray, below_mmhg: float = HYPOXIA_BOUNDS_MMHG[0]) -> float:
    """Return the share of cells whose oxygen lies below a bound, mmHg; nan without cells.

    Parameters
    ----------
    oxygen_mmhg : float (n,)
        Oxygen at the site of each cell.
    """
    oxygen_mmhg = np.asarray(oxygen_mmhg, float)
    return _share(oxygen_mmhg[np.isfinite(oxygen_mmhg)] < below_mmhg)


def distance_to_vessel(perfusion: np.ndarray, spacing_um: float) -> np.ndarray:
    """Return the distance of every site to the nearest perfused vessel, float64 (nz, ny, nx), µm; inf without vessels.

    Parameters
    ----------
    perfusion : float (nz, ny, nx)
        Above zero where a vessel is perfused.
    """
    perfused = np.asarray(perfusion) > 0.0
    if not perfused.any():
        return np.full(perfused.shape, np.inf)
    return np.asarray(ndimage.distance_transform_edt(~perfused, sampling=spacing_um))


def clone_sizes(founder: np.ndarray) -> np.ndarray:
    """Return the number of cells of every clone that has any, the largest first, int64 (n_clones,).

    Parameters
    ----------
    founder : int (n,)
        Founder, or barcode, of each cell.
    """
    return np.sort(np.unique(np.asarray(founder), return_counts=True)[1])[::-1]


def effective_clones(sizes: np.ndarray) -> float:
    """Return the number of equally large clones as diverse as these (inverse Simpson index); nan without clones.

    Source: Hill 1973, doi:10.2307/1934352, order 2.
    """
    sizes = np.asarray(sizes, float)
    return float(sizes.sum() ** 2 / np.sum(sizes**2)) if sizes.size else float("nan")


def flux_matrix(
    donor: Sequence[str] | np.ndarray, recipient: Sequence[str] | np.ndarray, vesicles: np.ndarray
) -> pd.DataFrame:
    """Return how many vesicles each type took up (columns) that another released (rows).

    Parameters
    ----------
    donor, recipient : sequence of str (n,)
        Cell types, as in `Run.flux`; types without any vesicle are left out.
    vesicles : float (n,)
        Vesicles internalised; several rows of a pair, as of several pools, are added.
    """
    rows = pd.DataFrame({"donor": np.asarray(donor, str), "recipient": np.asarray(recipient, str)})
    rows["vesicles"] = np.asarray(vesicles, float)
    some = rows[rows["vesicles"] > 0.0]
    return some.pivot_table(
        index="donor", columns="recipient", values="vesicles", aggfunc="sum", fill_value=0.0, sort=False
    )


def _share(of: np.ndarray) -> float:
    return float(np.mean(of)) if len(of) else float("nan")
