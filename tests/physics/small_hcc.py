"""A small piece of the scenario hcc_sorafenib, and means over its cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment

SMALL = (
    "grid.size=[400 um, 400 um]",
    "tissue.tumour.nodules.0.radius=100 um",
    "time={step: 30 min, duration: 30 d}",
)


def run(days: float, *overrides: str) -> TumorMicroenvironment:
    """Run the small piece for some days."""
    model = TumorMicroenvironment("hcc_sorafenib", [*SMALL, *overrides])
    while model.clock.days < days:
        model.step()
    return model


def mean_of(model: TumorMicroenvironment, variable: str, kind: str = "tumour") -> float:
    """Return the mean of a variable over the living cells of a type."""
    cells, column = model.tissue.cells, model.tissue.layout.variables.index(variable)
    return float(np.mean(cells["variables"][cells.of_type(kind), column]))


def held(model: TumorMicroenvironment, kind: str, cargo: str) -> float:
    """Return the mean amount of a cargo held by the living cells of a type."""
    cells, column = model.tissue.cells, model.tissue.layout.cargo.index(cargo)
    return float(np.mean(cells["cargo"][cells.of_type(kind), column]))


def ratio_of(model: TumorMicroenvironment) -> float:
    """Return the mean log-kill of the tumour cells under the reference exposure, over that of a naive cell."""
    name = "mean_resistance_sorafenib"
    return measures_for(model.tissue.layout)[name].of(
        model.tissue, replace(model.measure_context, complete=True)
    )
