"""Counts cells by type, stage, clone, birth and cause of death."""

from __future__ import annotations

from functools import partial

import numpy as np

from tme_sim.measures.measure import Context, Measure, mean
from tme_sim.state.codes import APOPTOSIS, DEATHS, DRUG, G1, G2M, KILLED, NECROSIS, REMOVED, STAGES, S
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue

_CAUSES = {APOPTOSIS: "apoptosis", NECROSIS: "necrosis", DRUG: "drug", REMOVED: "removal", KILLED: "killing"}


def living_cells(tissue: Tissue, context: Context) -> float:
    """Return the number of living cells."""
    return len(context.rows(tissue))


def dead_remains(tissue: Tissue, context: Context) -> float:
    """Return the number of sites held by the remains of dead cells."""
    return tissue.cells.n - len(context.rows(tissue))


def malignant_cells(tissue: Tissue, context: Context) -> float:
    """Return the number of living tumour cells of all tumour types."""
    return len(context.tumour_rows(tissue))


def cells_of_type(cell_type: str, tissue: Tissue, context: Context) -> float:
    """Return the number of living cells of a type."""
    return len(context.rows_of(tissue, cell_type))


def remains_by_cause(cause: int, tissue: Tissue, context: Context) -> float:
    """Return the number of remains that died of a cause."""
    return float(np.count_nonzero(tissue.cells["death"] == cause))


def births(tissue: Tissue, context: Context) -> float:
    """Return the births since the start."""
    return sum(len(part) for part in tissue.events.births)


def births_of_type(code: int, tissue: Tissue, context: Context) -> float:
    """Return the births of a type since the start."""
    return float(np.count_nonzero(_events(tissue, context, "births")["type"] == code))


def deaths(tissue: Tissue, context: Context) -> float:
    """Return the deaths since the start."""
    return sum(len(part) for part in tissue.events.deaths)


def deaths_by_cause(cause: int, tissue: Tissue, context: Context) -> float:
    """Return the deaths of a cause since the start."""
    return float(np.count_nonzero(_events(tissue, context, "deaths")["cause"] == cause))


def deaths_of_type(code: int, tissue: Tissue, context: Context) -> float:
    """Return the deaths of a type since the start."""
    return float(np.count_nonzero(_events(tissue, context, "deaths")["type"] == code))


def deaths_by_drug(code: int, tissue: Tissue, context: Context) -> float:
    """Return the deaths that a drug caused since the start."""
    return float(np.count_nonzero(_events(tissue, context, "deaths")["drug"] == code))


def transitions(tissue: Tissue, context: Context) -> float:
    """Return the changes of cell type since the start."""
    return sum(len(part) for part in tissue.events.transitions)


def stage_share(stage: int, tissue: Tissue, context: Context) -> float:
    """Return the share of living tumour cells in a stage of the cycle."""
    return mean(tissue.cells["stage"][context.tumour_rows(tissue)] == stage)


def clones(tissue: Tissue, context: Context) -> float:
    """Return the number of founders with living tumour cells."""
    return len(_clone_sizes(tissue, context))


def largest_clone_share(tissue: Tissue, context: Context) -> float:
    """Return the share of living tumour cells in the largest clone."""
    sizes = _clone_sizes(tissue, context)
    return float(sizes.max() / sizes.sum()) if sizes.size else float("nan")


def mean_generation(tissue: Tissue, context: Context) -> float:
    """Return the mean number of divisions since the founder over living tumour cells."""
    return mean(tissue.cells["generation"][context.tumour_rows(tissue)])


def measures(layout: Layout) -> list[Measure]:
    """Return the measures of this module that a layout has."""
    out = [
        Measure("living_cells", "1", "Living cells", living_cells),
        Measure("dead_remains", "1", "Remains of dead cells not yet cleared", dead_remains),
        Measure("malignant_cells", "1", "Living tumour cells of all tumour types", malignant_cells),
        Measure("births", "1", "Births since the start", births),
        Measure("deaths", "1", "Deaths since the start", deaths),
        Measure("transitions", "1", "Changes of cell type since the start", transitions),
        Measure("clones", "1", "Founders with living tumour cells", clones),
        Measure(
            "largest_clone_share", "1", "Share of tumour cells in the largest clone", largest_clone_share
        ),
        Measure("mean_generation", "1", "Mean generation of tumour cells", mean_generation),
    ]
    for cause, word in _CAUSES.items():
        out.append(
            Measure(
                f"deaths_by_{word}",
                "1",
                f"Deaths by {word}, since the start",
                partial(deaths_by_cause, cause),
            )
        )
        if cause != REMOVED:
            name = f"remains_of_{DEATHS[cause]}"
            out.append(
                Measure(name, "1", f"Remains of cells dead by {word}", partial(remains_by_cause, cause))
            )
    for stage in (G1, S, G2M):
        name, long_name = f"share_in_{STAGES[stage]}", f"Share of tumour cells in {STAGES[stage]}"
        out.append(Measure(name, "1", long_name, partial(stage_share, stage)))
    for code, name in enumerate(layout.cell_types):
        out += [
            Measure(f"{name}_cells", "1", f"Living cells: {name}", partial(cells_of_type, name)),
            Measure(f"{name}_births", "1", f"Births since the start: {name}", partial(births_of_type, code)),
            Measure(f"{name}_deaths", "1", f"Deaths since the start: {name}", partial(deaths_of_type, code)),
        ]
    for code, name in enumerate(layout.drugs):
        out.append(
            Measure(
                f"deaths_by_{name}", "1", f"Deaths by {name}, since the start", partial(deaths_by_drug, code)
            )
        )
    return out


def _events(tissue: Tissue, context: Context, name: str) -> np.ndarray:
    return context.share(f"events:{name}", lambda: tissue.events.table(name))


def _clone_sizes(tissue: Tissue, context: Context) -> np.ndarray:
    def compute() -> np.ndarray:
        return np.unique(tissue.cells["founder"][context.tumour_rows(tissue)], return_counts=True)[1]

    return context.share("clone sizes", compute)
