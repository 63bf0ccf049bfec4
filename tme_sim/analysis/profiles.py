"""Profiles: how a value runs with distance, from vessels or from the edge of the tumour."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import binary_closing, distance_transform_edt


def profile(distance_um: np.ndarray, values: np.ndarray, width_um: float, least: int = 5) -> Any:
    """Return a value by distance: ``distance_um`` (middle of the class), ``mean``, quartiles ``low, high``, ``n``.

    Parameters
    ----------
    distance_um, values : (n,)
        Of sites or cells; those where either is not finite are left out.
    width_um : float
        Width of a class.
    least : int
        Classes with fewer values are left out.
    """
    seen = np.isfinite(distance_um) & np.isfinite(values)
    of_class = np.floor(distance_um[seen] / width_um).astype(int)
    grouped = pd.Series(values[seen].astype(float)).groupby(of_class)
    table = pd.DataFrame(
        {
            "mean": grouped.mean(),
            "low": grouped.quantile(0.25),
            "high": grouped.quantile(0.75),
            "n": grouped.size(),
        }
    )
    table.insert(0, "distance_um", (table.index.to_numpy(float) + 0.5) * width_um)
    return table[table["n"] >= least].reset_index(drop=True)


def edge_distance_um(tumour: np.ndarray, spacing_um: float) -> np.ndarray:
    """Return the distance of every site to the edge of the tumour, negative inside; nan where there is no edge.

    Parameters
    ----------
    tumour : bool (nz, ny, nx)
        Sites held by the tumour; holes up to four sites wide count as inside.
    """
    pad = [(4, 4) if length > 1 else (0, 0) for length in tumour.shape]
    flat = [slice(before, before + length) for (before, _), length in zip(pad, tumour.shape, strict=True)]
    ball = np.ones([3 if length > 1 else 1 for length in tumour.shape], bool)
    inside = np.asarray(binary_closing(np.pad(tumour, pad), ball, iterations=2)[tuple(flat)], bool)
    if not inside.any() or inside.all():
        return np.full(tumour.shape, np.nan)
    # Both transforms measure between middles of sites: the edge lies half a site before the first one.
    outward = np.asarray(distance_transform_edt(~inside, sampling=spacing_um)) - spacing_um / 2
    inward = np.asarray(distance_transform_edt(inside, sampling=spacing_um)) - spacing_um / 2
    return np.where(inside, -inward, outward)
