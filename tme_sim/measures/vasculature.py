"""Vessels: tips of those that grow, what is perfused, and the tumour cells that touch them."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import ndimage

from tme_sim.measures.measure import CellColumn, Context, Measure, mean, tumour_types
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue


def links_per_cell(tissue: Tissue, context: Context) -> np.ndarray:
    """Return the number of tubes at every living vessel cell, float64 (n,); nan for all others."""

    def compute() -> np.ndarray:
        cells, vessels = tissue.cells, tissue.vasculature
        out = np.full(cells.n, np.nan)
        if vessels is None:
            return out
        out[cells.of_type(tissue.layout.growing[0])] = 0.0
        ends = cells.rows_of(vessels.links.ravel()).reshape(-1, 2)
        living = ends[(ends >= 0).all(axis=1)]
        living = living[np.isfinite(out[living]).all(axis=1)]
        np.add.at(out, living.ravel(), 1.0)
        return out

    return context.share("links per vessel cell", compute)


def tips(tissue: Tissue, context: Context) -> float:
    """Return the number of tips of sprouts: living vessel cells with one link that are no roots."""
    at_end = links_per_cell(tissue, context) == 1.0
    if tissue.vasculature is not None:
        at_end &= ~np.isin(tissue.cells["id"], tissue.vasculature.roots)
    return float(np.count_nonzero(at_end))


def vessel_cells(tissue: Tissue, context: Context) -> float:
    """Return the number of living vessel cells, perfused or not."""
    return float(len(context.rows_of(tissue, tissue.layout.growing[0])))


def perfused_fraction(tissue: Tissue, context: Context) -> float:
    """Return the share of living vessel cells that blood flows through."""
    sites = tissue.cells["site"][context.rows_of(tissue, tissue.layout.growing[0])]
    return mean(tissue.vessel.reshape(-1)[sites] > 0.0)


def contacts(tissue: Tissue, context: Context) -> float:
    """Return the number of neighbouring pairs (8 sites, 26 in 3-D) of a living tumour cell and a perfused vessel."""
    return float(_perfused_beside(tissue, context).sum())


def cells_at_vessel(tissue: Tissue, context: Context) -> float:
    """Return the number of living tumour cells beside a perfused vessel: those that could enter blood."""
    return float(np.count_nonzero(_perfused_beside(tissue, context)))


def share_at_vessel(tissue: Tissue, context: Context) -> float:
    """Return the share of living tumour cells beside a perfused vessel."""
    return mean(_perfused_beside(tissue, context) > 0)


def measures(layout: Layout) -> list[Measure | CellColumn]:
    """Return the measures and the cell column of this module; of vessels that stay, only what they touch."""
    named = partial(Measure, unit="1")
    out: list[Measure | CellColumn] = []
    if layout.growing:
        out += [
            named("vessel_tips", long_name="Tips of sprouts", function=tips),
            named("vessel_cells", long_name="Vessel cells, perfused or not", function=vessel_cells),
            named(
                "perfused_fraction",
                long_name="Share of vessel cells that are perfused",
                function=perfused_fraction,
            ),
        ]
    if layout.walls and tumour_types(layout):
        out += [
            named(
                "tumour_vessel_contacts",
                long_name="Pairs of tumour cell and perfused vessel side by side",
                function=contacts,
            ),
            named(
                "tumour_cells_at_vessel",
                long_name="Tumour cells beside a perfused vessel, which could enter blood",
                function=cells_at_vessel,
            ),
            named(
                "tumour_share_at_vessel",
                long_name="Share of tumour cells beside a perfused vessel",
                function=share_at_vessel,
            ),
        ]
    if layout.growing:
        out.append(CellColumn("vessel_links", "1", "Tubes at a vessel cell", links_per_cell))
    return out


def _perfused_beside(tissue: Tissue, context: Context) -> np.ndarray:
    """Return the perfused vessels beside every living tumour cell, int64."""

    def compute() -> np.ndarray:
        perfused = (tissue.vessel > 0.0).astype(np.int64)
        around = ndimage.convolve(perfused, np.ones((3, 3, 3), np.int64), mode="constant")
        return around.reshape(-1)[tissue.cells["site"][context.tumour_rows(tissue)]]

    return context.share("perfused vessels beside tumour cells", compute)
