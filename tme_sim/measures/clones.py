"""Clones, barcodes and the dilution of a label given at the start."""

from __future__ import annotations

from functools import partial

import numpy as np

from tme_sim.measures.measure import Context, Measure, mean
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue

# A cell retains its label while it has kept at least this share: at most two divisions. An assumed line.
RETAINED = 0.25


def label(generation: np.ndarray) -> np.ndarray:
    """Return what is left of a label given to founders, float64 (n,): every division halves it."""
    return 0.5 ** np.asarray(generation, float)


def label_retaining_share(tissue: Tissue, context: Context) -> float:
    """Return the share of living tumour cells that have kept a label given at the start."""
    return mean(label(tissue.cells["generation"][context.tumour_rows(tissue)]) >= RETAINED)


def clone_share(code: int, tissue: Tissue, context: Context) -> float:
    """Return the share of living tumour cells that belong to a clone."""
    return mean(tissue.cells["clone"][context.tumour_rows(tissue)] == code)


def barcodes(tissue: Tissue, context: Context) -> float:
    """Return the number of barcodes among living tumour cells."""
    return float(len(np.unique(tissue.cells["barcode"][context.tumour_rows(tissue)])))


def switches(tissue: Tissue, context: Context) -> float:
    """Return the changes of clone since the start."""
    return float(sum(len(part) for part in tissue.events.switches))


def measures(layout: Layout) -> list[Measure]:
    """Return the measures of this module that a layout has."""
    words = f"Share of tumour cells that keep at least {RETAINED:g} of a label given at the start"
    out = [Measure("label_retaining_share", "1", words, label_retaining_share)]
    for code, name in enumerate(layout.clones, start=1):
        out.append(
            Measure(
                f"share_of_clone_{name}",
                "1",
                f"Share of tumour cells of the clone {name}",
                partial(clone_share, code),
            )
        )
    if layout.traits or layout.clones:
        out.append(Measure("barcodes", "1", "Barcodes among living tumour cells", barcodes))
    if layout.clones:
        out.append(Measure("switches", "1", "Changes of clone since the start", switches))
    return out
