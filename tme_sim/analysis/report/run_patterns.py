"""How the cells of a run lie to each other: neighbours against chance, clusters of resistant cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tme_sim.analysis.figures.curves import Curve, Panel, curves_figure
from tme_sim.analysis.figures.neighbours import neighbours_figure
from tme_sim.analysis.palette import BLUE, VERMILLION, type_colours
from tme_sim.analysis.report.opened import OpenedRun
from tme_sim.analysis.report.page import Item, Picture, Words
from tme_sim.measures.patterns import neighbourhood_enrichment, pair_correlation

_REACH_UM, _PERMUTATIONS, _FEWEST, _MOST_CELLS = 300.0, 200, 20, 60_000


def neighbourhoods(opened: OpenedRun) -> Iterator[Item]:
    """Yield the enrichment of neighbouring types, and pair correlations of the tumour and of its resistant cells."""
    cells = opened.run.cells()
    alive = cells[cells["death"] == "alive"]
    names, counts = np.unique(alive["type"].to_numpy(str), return_counts=True)
    types = [
        name
        for name in opened.run.layout.cell_types
        if dict(zip(names, counts, strict=True)).get(name, 0) >= _FEWEST
    ]
    alive = alive[alive["type"].isin(types)]
    day = opened.last.minutes / 1440.0
    if len(types) < 2 or len(alive) > _MOST_CELLS:
        yield Words(
            "Neighbourhoods are told where two types have twenty cells each, and there are not too many cells."
        )
        return
    spacing_um = opened.run.grid.spacing_um
    reach_um = spacing_um * (np.sqrt(2.0) if opened.run.grid.shape[0] == 1 else np.sqrt(3.0)) * 1.01
    found = neighbourhood_enrichment(
        alive[["x", "y", "z"]].to_numpy(float), alive["type"].to_numpy(str), reach_um, _PERMUTATIONS
    )
    pairs = [(i, j) for i in range(len(found.types)) for j in range(len(found.types))]
    table = pd.DataFrame(
        [
            (found.types[i], found.types[j], found.count[i, j], found.expected[i, j], found.z[i, j])
            for i, j in pairs
        ],
        columns=pd.Index(["type", "neighbour", "pairs", "expected", "z"]),
    )
    yield Picture(
        "neighbours",
        "Who lies beside whom",
        f"Pairs of touching cells at day {day:.1f}, {len(alive):,} living cells: numbers of pairs, and colours for "
        f"how many times as many as when types are dealt at random to the same places ({_PERMUTATIONS} times). "
        "Grey: within two "
        "standard deviations of chance. Types with fewer than twenty cells are left out.",
        neighbours_figure(found.types, found.count, found.expected, found.z),
        table,
    )
    yield from _clusters(opened, types, day)


def _clusters(opened: OpenedRun, types: list[str], day: float) -> Iterator[Item]:
    living, cells = opened.living(), opened.run.cells()
    alive = cells[cells["death"] == "alive"]
    tumour, colours = living["site"].to_numpy(), type_colours(opened.run.layout.cell_types)
    others = [name for name in types if name not in opened.tumour]
    sites = {name: alive["site"].to_numpy()[(alive["type"] == name).to_numpy()] for name in others}
    groups = [
        (
            "Around tumour cells",
            [(name, tumour, at, colours[name]) for name, at in sites.items() if len(tumour) >= _FEWEST],
        )
    ]
    for drug in opened.drugs:
        ratio = living[f"resistance_{drug}"].to_numpy(float)
        resistant, sensitive = tumour[ratio < opened.resistant_below], tumour[ratio >= opened.resistant_below]
        if min(len(resistant), len(sensitive)) >= _FEWEST:
            both = [
                ("resistant cells", resistant, resistant, VERMILLION),
                ("sensitive cells", resistant, sensitive, BLUE),
            ]
            groups.append((f"Around cells resistant to {drug}", both))
    panels, parts = [], []
    for title, lines in groups:
        curves = []
        for name, of, to, colour in lines:
            found = pair_correlation(of, to, opened.run.grid.shape, opened.run.grid.spacing_um, _REACH_UM)
            curves.append(Curve(f"{name} ({len(to):,})", found.radius_um, found.g, colour))
            parts.append(
                pd.DataFrame({"around": title, "cells": name, "distance_um": found.radius_um, "g": found.g})
            )
        if curves:
            panels.append(Panel(title, "Density over random (1)", curves, level=1.0))
    if panels:
        yield Picture(
            "pair_correlation",
            "What lies around tumour cells, and around resistant ones",
            f"Pair correlation at day {day:.1f}: density of cells at a distance over that of as many cells "
            "scattered over the whole tissue, corrected for its edges; dashed: chance. "
            "Cells of the tumour lie together already, so that resistant "
            "cells cluster where their line is above that of sensitive ones. In brackets: cells.",
            curves_figure(panels, "Distance (µm)", panel_mm=52.0),
            pd.concat(parts, ignore_index=True),
        )
