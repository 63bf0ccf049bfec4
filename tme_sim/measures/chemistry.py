"""Fields, drugs and intracellular variables: their means over sites and over cells."""

from __future__ import annotations

from functools import partial

import numpy as np

from tme_sim.measures.measure import Context, Measure, field_unit, mean
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue


def field_mean(column: int, tissue: Tissue, context: Context) -> float:
    """Return the mean of a field over all sites, in its unit."""
    return float(np.mean(tissue.fields[..., column]))


def field_max(column: int, tissue: Tissue, context: Context) -> float:
    """Return the largest value of a field, in its unit."""
    return float(np.max(tissue.fields[..., column]))


def field_at_tumour(column: int, tissue: Tissue, context: Context) -> float:
    """Return the mean of a field over living tumour cells, in its unit."""
    sites = tissue.cells["site"][context.tumour_rows(tissue)]
    return mean(tissue.field_table[sites, column])


def plasma_level(column: int, tissue: Tissue, context: Context) -> float:
    """Return the concentration of a field in the vessels, in its unit."""
    return float(tissue.plasma[column])


def variable_mean(cell_type: str, column: int, tissue: Tissue, context: Context) -> float:
    """Return the mean of an intracellular variable over the living cells of a type."""
    return mean(tissue.cells["variables"][context.rows_of(tissue, cell_type), column])


def drug_in_tumour(group: str, column: int, tissue: Tissue, context: Context) -> float:
    """Return the mean of ``drug`` (held), ``damage`` or ``exposure`` over living tumour cells."""
    return mean(tissue.cells[group][context.tumour_rows(tissue), column])


def measures(layout: Layout) -> list[Measure]:
    """Return the measures of this module that a layout has."""
    out: list[Measure] = []
    for column, name in enumerate(layout.fields):
        unit = field_unit(name)
        out += [
            Measure(f"{name}_mean", unit, f"Mean {name} over all sites", partial(field_mean, column)),
            Measure(f"{name}_max", unit, f"Largest {name}", partial(field_max, column)),
            Measure(
                f"{name}_at_tumour", unit, f"Mean {name} at tumour cells", partial(field_at_tumour, column)
            ),
            Measure(f"{name}_plasma", unit, f"{name} in the vessels", partial(plasma_level, column)),
        ]
    for cell_type in layout.cell_types:
        for column, name in enumerate(layout.variables):
            function = partial(variable_mean, cell_type, column)
            out.append(Measure(f"{cell_type}_{name}", "1", f"Mean {name} of {cell_type} cells", function))
    for column, name in enumerate(layout.drugs):
        for group, unit, words in (
            ("drug", "nM", "held by tumour cells"),
            ("damage", "1", "damage of tumour cells"),
            ("exposure", "nM min", "exposure of tumour cells"),
        ):
            word = "held" if group == "drug" else group
            function = partial(drug_in_tumour, group, column)
            out.append(Measure(f"{name}_{word}_in_tumour", unit, f"Mean {name} {words}", function))
    return out
