"""Vesicles: free, docked, and what became of the rest."""

from __future__ import annotations

from functools import partial

import numpy as np

from tme_sim.measures.measure import Context, Measure, mean
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import POOL_ACCOUNTS
from tme_sim.state.tissue import Tissue

_PHRASES = {
    "released": "Vesicles released since the start",
    "given": "Vesicles given since the start",
    "internalised": "Vesicles internalised since the start",
    "decayed": "Vesicles decayed since the start",
    "left_vessel": "Vesicles washed out by vessels since the start",
    "left_boundary": "Vesicles that left through the boundary since the start",
    "blocked": "Vesicles whose release was blocked since the start",
}


def free_vesicles(column: int, tissue: Tissue, context: Context) -> float:
    """Return the free vesicles of a pool in the whole domain."""
    return float(np.sum(tissue.pools[..., column]))


def docked_vesicles(column: int, tissue: Tissue, context: Context) -> float:
    """Return the vesicles of a pool docked on living cells or left on remains."""
    return float(np.sum(tissue.cells["docked"][tissue.cells.rows_in_site_order(), column]))


def pool_account(column: int, account: int, tissue: Tissue, context: Context) -> float:
    """Return one account of a pool's books, vesicles."""
    return float(tissue.ledger.pools[column, account])


def leaving(column: int, tissue: Tissue, context: Context) -> float:
    """Return how many free vesicles of a pool vessels wash out now, 1/h: a virtual liquid biopsy."""
    rate = context.washout_per_min.get(tissue.layout.pools[column], 0.0)
    return 60.0 * rate * float(np.sum(tissue.vessel * tissue.pools[..., column]))


def off_target(column: int, tissue: Tissue, context: Context) -> float:
    """Return the share of a pool's internalised vesicles that went into types other than its targets; nan without."""
    targets = context.targets.get(tissue.layout.pools[column], ())
    taken = tissue.ledger.flux[column].sum(axis=0)
    if not targets or taken.sum() == 0.0:
        return float("nan")
    aimed = [tissue.layout.cell_types.index(name) for name in targets]
    return float(1.0 - taken[aimed].sum() / taken.sum())


def cargo_held(cell_type: str, column: int, tissue: Tissue, context: Context) -> float:
    """Return the mean units of a cargo held by the living cells of a type."""
    return mean(tissue.cells["cargo"][context.rows_of(tissue, cell_type), column])


def measures(layout: Layout) -> list[Measure]:
    """Return the measures of this module that a layout has."""
    out: list[Measure] = []
    for column, name in enumerate(layout.pools):
        out.append(Measure(f"{name}_free", "1", f"Free vesicles: {name}", partial(free_vesicles, column)))
        out.append(
            Measure(f"{name}_docked", "1", f"Docked vesicles: {name}", partial(docked_vesicles, column))
        )
        out.append(
            Measure(
                f"{name}_leaving",
                "h-1",
                f"Vesicles washed out by vessels now: {name}",
                partial(leaving, column),
            )
        )
        phrase = f"Share of internalised vesicles that missed their targets: {name}"
        out.append(Measure(f"{name}_off_target", "1", phrase, partial(off_target, column)))
        for account, word in enumerate(POOL_ACCOUNTS):
            function = partial(pool_account, column, account)
            out.append(Measure(f"{name}_{word}", "1", f"{_PHRASES[word]}: {name}", function))
    for cell_type in layout.cell_types:
        for column, name in enumerate(layout.cargo):
            function = partial(cargo_held, cell_type, column)
            out.append(
                Measure(f"{cell_type}_held_{name}", "1", f"Mean {name} held by {cell_type} cells", function)
            )
    return out
