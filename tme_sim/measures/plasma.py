"""Drugs in the body: total level in plasma, area under its curve, what was given, and the balance of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tme_sim.measures.measure import Context, Measure
from tme_sim.state.layout import Layout
from tme_sim.state.timeline import BodyState
from tme_sim.state.tissue import Tissue

_NO_DRUG = BodyState.empty(0)


def of_body(value: Callable[[BodyState], float], drug: str, tissue: Tissue, context: Context) -> float:
    """Return a value of a drug's body; before the first step there is no drug in it."""
    return value(tissue.timeline.bodies.get(drug, _NO_DRUG))


def body_imbalance(body: BodyState) -> float:
    """Return (given - what the compartments hold) / given; 0 of nothing."""
    if body.given_nmol == 0.0:
        return 0.0
    return (body.given_nmol - float(np.sum(body.amounts))) / body.given_nmol


def measures(layout: Layout) -> list[Measure]:
    """Return the measures of this module that a layout has."""
    out = []
    for drug in layout.dosed:
        for suffix, unit, words, value in (
            ("plasma_total", "nM", "total, in plasma, mean over a step", lambda body: body.total_nm),
            ("plasma_auc", "nM min", "area under the total level in plasma", lambda body: body.auc_nm_min),
            ("given", "nmol", "given so far", lambda body: body.given_nmol),
            ("body_imbalance", "1", "relative imbalance of the body", body_imbalance),
        ):
            out.append(Measure(f"{drug}_{suffix}", unit, f"{drug}: {words}", partial(of_body, value, drug)))
    return out
