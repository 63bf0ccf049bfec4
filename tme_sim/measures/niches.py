"""Resistance by place and by descent: classes of distance and oxygen, clones, all drugs at once, its variance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from tme_sim.measures.measure import Context, Measure, mean
from tme_sim.measures.resistance import Assessment, assessment
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue

# Edges of the classes: distance to the nearest perfused vessel, µm, and oxygen, mmHg; no rule reads them.
DISTANCES_UM = (0.0, 40.0, 80.0, 120.0, math.inf)
OXYGEN_MMHG = (0.0, 2.5, 5.0, 10.0, math.inf)
Chosen = Callable[[Tissue, Context, np.ndarray], np.ndarray]


def measures(layout: Layout) -> Iterable[Measure]:
    """Yield the resistance to every drug by niche and clone, its variance, and the resistance to all drugs."""
    niches = list(_niches(layout))
    for drug in layout.drugs:
        for name, words, chosen in niches:
            yield Measure(
                f"resistant_fraction_{name}_{drug}",
                "1",
                f"share of tumour cells {words} resistant to {drug} (against naive, normoxia)",
                partial(_resistant_share, drug, chosen),
            )
        yield Measure(
            f"variance_of_resistance_{drug}",
            "1",
            f"variance over tumour cells of the log-kill over that of a naive cell, {drug}",
            partial(_variance, drug),
        )
    if len(layout.drugs) > 1:
        yield Measure(
            "resistant_fraction_to_all",
            "1",
            "share of tumour cells resistant to every drug that has a reference exposure",
            partial(_resistant_to_all, layout.drugs),
        )


def _niches(layout: Layout) -> Iterable[tuple[str, str, Chosen]]:
    """Yield name, words and membership of every niche."""
    for low, high in zip(DISTANCES_UM, DISTANCES_UM[1:], strict=False):
        words = f"{_range(low, high)} um from a vessel"
        yield f"vessel_{_name(low, high)}", words, partial(_at_distance, low, high)
    if "oxygen" in layout.fields:
        for low, high in zip(OXYGEN_MMHG, OXYGEN_MMHG[1:], strict=False):
            yield f"oxygen_{_name(low, high)}", f"at {_range(low, high)} mmHg", partial(_at_oxygen, low, high)
    for code, name in enumerate(layout.clones, start=1):
        yield f"clone_{name}", f"of the clone {name}", partial(_of_clone, code)


def _name(low: float, high: float) -> str:
    return f"{low:g}_{'up' if math.isinf(high) else f'{high:g}'}".replace(".", "p")


def _range(low: float, high: float) -> str:
    return f"{low:g} and more" if math.isinf(high) else f"{low:g} to {high:g}"


def _at_distance(low: float, high: float, tissue: Tissue, context: Context, rows: np.ndarray) -> np.ndarray:
    distance = tissue.vessel_distance_um.reshape(-1)[tissue.cells["site"][rows]]
    return (distance >= low) & ((distance < high) | math.isinf(high))


def _at_oxygen(low: float, high: float, tissue: Tissue, context: Context, rows: np.ndarray) -> np.ndarray:
    oxygen = tissue.field(context.oxygen).reshape(-1)[tissue.cells["site"][rows]]
    return (oxygen >= low) & (oxygen < high)


def _of_clone(code: int, tissue: Tissue, context: Context, rows: np.ndarray) -> np.ndarray:
    return tissue.cells["clone"][rows] == code


def _resistant_share(drug: str, chosen: Chosen, tissue: Tissue, context: Context) -> float:
    found = assessment(tissue, context, drug)
    if found is None:
        return float("nan")
    return mean(found.resistant[chosen(tissue, context, found.rows)].astype(float))


def _variance(drug: str, tissue: Tissue, context: Context) -> float:
    found = assessment(tissue, context, drug)
    return float("nan") if found is None or len(found.rows) == 0 else float(np.var(found.ratio))


def _resistant_to_all(drugs: tuple[str, ...], tissue: Tissue, context: Context) -> float:
    found: list[Assessment] = [a for drug in drugs if (a := assessment(tissue, context, drug)) is not None]
    return mean(np.all([a.resistant for a in found], axis=0).astype(float)) if found else float("nan")
