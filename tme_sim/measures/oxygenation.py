"""Oxygen as the tumour cells meet it; the thresholds are readouts that no rule uses."""

from __future__ import annotations

from functools import partial

import numpy as np

from tme_sim.measures.measure import Context, Measure, mean
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue

# Bounds in use for pO2 electrodes and nitroimidazole stains; readouts only.
HYPOXIA_BOUNDS_MMHG = (10.0, 5.0, 2.5)


def mean_oxygen(tissue: Tissue, context: Context) -> float:
    """Return the mean oxygen over living tumour cells, mmHg."""
    return mean(_oxygen(tissue, context))


def oxygen_quantile(percent: float, tissue: Tissue, context: Context) -> float:
    """Return a percentile of oxygen over living tumour cells, mmHg; 0 percent is the least."""
    values = _oxygen(tissue, context)
    return float(np.percentile(values, percent)) if values.size else float("nan")


def share_below(bound_mmhg: float, tissue: Tissue, context: Context) -> float:
    """Return the share of living tumour cells below a bound."""
    return mean(_oxygen(tissue, context) < bound_mmhg)


def measures(layout: Layout, oxygen: str = "oxygen") -> list[Measure]:
    """Return the measures of this module; none without an oxygen field."""
    if oxygen not in layout.fields:
        return []
    out = [Measure("tumour_oxygen_mean", "mmHg", "Mean oxygen over tumour cells", mean_oxygen)]
    for percent, word, long_name in (
        (0.0, "min", "Least oxygen over tumour cells"),
        (5.0, "p05", "5th percentile of oxygen over tumour cells"),
        (50.0, "median", "Median oxygen over tumour cells"),
        (95.0, "p95", "95th percentile of oxygen over tumour cells"),
    ):
        out.append(Measure(f"tumour_oxygen_{word}", "mmHg", long_name, partial(oxygen_quantile, percent)))
    for bound in HYPOXIA_BOUNDS_MMHG:
        name = f"hypoxic_share_{bound:g}".replace(".", "p")
        out.append(
            Measure(name, "1", f"Share of tumour cells below {bound:g} mmHg", partial(share_below, bound))
        )
    return out


def _oxygen(tissue: Tissue, context: Context) -> np.ndarray:
    def compute() -> np.ndarray:
        sites = tissue.cells["site"][context.tumour_rows(tissue)]
        return tissue.field(context.oxygen).reshape(-1)[sites]

    return context.share("oxygen of the tumour", compute)
