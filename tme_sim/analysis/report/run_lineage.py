"""The clones of a run: how they grew, how resistant they are, and the trees of the most resistant ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tme_sim.analysis.figures.lineage import clones_figure, trees_figure
from tme_sim.analysis.lineages import cells_of, clone_sizes, clone_table, tree_of
from tme_sim.analysis.report.opened import OpenedRun
from tme_sim.analysis.report.page import Item, Picture, Table, Words

_BANDS, _TREES, _MOST_CELLS = 60, 4, 90


def lineages(opened: OpenedRun) -> Iterator[Item]:
    """Yield clones through time, their table, and the trees of those with most resistant cells."""
    drug = opened.drugs[0] if opened.drugs else None
    cells = cells_of(opened.run, drug, opened.resistant_below)
    clones: Any = clone_table(cells)
    if clones.empty:
        yield Words("There was no tumour cell in this run.")
        return
    shown = clones.head(_BANDS).sort_values("resistant_share", kind="stable", na_position="first")
    others = clones.iloc[_BANDS:]
    minutes = np.linspace(0.0, cells.end_min, 121)
    sizes = clone_sizes(cells, minutes, shown["founder"].tolist())
    sizes = np.vstack([sizes[-1:], sizes[:-1]])
    shares = np.array([np.nan, *(shown["resistant_share"] if drug else [np.nan] * len(shown))])
    names = [f"{len(others):,} other clones" if len(others) else "", *[""] * len(shown)]
    labels = ["others", *(f"clone_{founder}" for founder in shown["founder"])]
    alive = int((clones["cells"] > 0).sum())
    yield Picture(
        "clones",
        "Clones through time",
        f"A clone is all descendants of one cell of the start; {alive:,} of {len(clones):,} have "
        "living cells at the end. Shown singly: "
        f"the {len(shown)} with most {f'cells resistant to {drug}' if drug else 'cells'}, ordered by "
        "their resistant share; the others pale. "
        + (f"Dark marks at the top: {drug} in blood." if drug and opened.doses(drug) else ""),
        clones_figure(minutes / 1440.0, sizes, shares, names, opened.doses(drug), f"{drug} in blood"),
        pd.DataFrame({"day": minutes / 1440.0, **dict(zip(labels, sizes, strict=True))}),
    )
    yield Table(
        "clone_table",
        "Clones at the end",
        "One row per founder, most resistant cells first.",
        clones,
        shown=12,
    )
    found = (tree_of(cells, int(founder), _MOST_CELLS) for founder in clones["founder"].head(40))
    trees = [tree for tree in found if tree is not None][:_TREES]
    if trees:
        yield Picture(
            "trees",
            "Trees of the clones with most resistant cells",
            "One line per cell, from its birth to its death (×) or the end; of the clones that can be "
            f"drawn with at most {_MOST_CELLS} "
            "lines, those with most resistant cells. A cell keeps its line when it divides.",
            trees_figure(trees, cells.end_min / 1440.0),
        )
