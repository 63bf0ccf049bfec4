"""Causes of resistance as measures: how much each route protects the resistant cells of the tumour and its rim."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from tme_sim.measures.attribution import INHERITED, INTERVENTIONS, MEMORY, Attribution, attribute
from tme_sim.measures.measure import Context, Measure
from tme_sim.measures.resistance import EXTRA, Assay, assessment, rim
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue

# Cells that are looked at, evenly spaced in site order: 2^routes subsets are worked out for each.
SAMPLE = 200


def measures(layout: Layout) -> Iterable[Measure]:
    """Yield one measure per drug, route and niche; nan unless a complete observation is asked for."""
    for drug in layout.drugs:
        for route in (*_routes(layout), MEMORY):
            for niche, words in (("", ""), ("_rim", " in the rim")):
                yield Measure(
                    f"attribution_{route.replace(' ', '_')}{niche}_{drug}",
                    "1",
                    f"Protection of resistant tumour cells{words} from {drug} by {route}, share of a naive log-kill",
                    partial(_mean_protection, drug, route, niche),
                )


def _routes(layout: Layout) -> tuple[str, ...]:
    """Return every route that some scenario of this layout could have."""
    return (
        *(name for name in layout.fields if name not in layout.drugs),
        *(f"cargo {name}" for name in layout.cargo),
        *(f"docked {name}" for name in layout.pools),
        "contacts",
        "distance to vessel",
        "drug history",
        *([INHERITED] if layout.traits else []),
        *([INTERVENTIONS] if layout.altered else []),
    )


def _mean_protection(drug: str, route: str, niche: str, tissue: Tissue, context: Context) -> float:
    if EXTRA not in context.extras or not context.complete:
        return float("nan")
    found = context.share(f"attribution {drug}{niche}", partial(_attribution, drug, niche, tissue, context))
    if found is None or len(found.contribution) == 0:
        return float("nan")
    return float(found.contribution[:, found.routes.index(route)].mean()) if route in found.routes else 0.0


def _attribution(drug: str, niche: str, tissue: Tissue, context: Context) -> Attribution | None:
    assay: Assay = context.extras[EXTRA]
    measured = assessment(tissue, context, drug)
    if measured is None:
        return None
    chosen = measured.resistant & rim(tissue, context) if niche else measured.resistant
    rows = measured.rows[chosen]
    if len(rows) > SAMPLE:
        rows = rows[np.linspace(0, len(rows) - 1, SAMPLE).astype(np.int64)]
    exposure = next(e for e in assay.exposures if e.drug == drug)
    return attribute(assay, exposure, tissue, rows)
