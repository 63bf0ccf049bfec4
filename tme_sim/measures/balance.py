"""Checks the books: what entered minus what is there, was used or left, relative to what entered."""

from __future__ import annotations

from functools import partial

import numpy as np

from tme_sim.measures.measure import Context, Measure
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import DRUG_ACCOUNTS, FIELD_ACCOUNTS, POOL_ACCOUNTS
from tme_sim.state.tissue import Tissue

_POOL_OUT = ("internalised", "decayed", "left_vessel", "left_boundary")
_FIELD_OUT = ("consumed", "decayed", "left_vessel", "left_boundary", "neutralised")
_DRUG_OUT = ("metabolised", "decayed", "left_vessel", "left_boundary")


def pool_imbalance(column: int, tissue: Tissue, context: Context) -> float:
    """Return (entered - free - docked - internalised - decayed - left) / entered of a pool; 0 of nothing.

    ``blocked`` vesicles were never released and stand outside the balance.
    """
    accounts = dict(zip(POOL_ACCOUNTS, tissue.ledger.pools[column], strict=True))
    docked = tissue.cells["docked"][tissue.cells.rows_in_site_order(), column]
    present = float(np.sum(tissue.pools[..., column]) + np.sum(docked))
    return _relative(
        accounts["released"] + accounts["given"], present + sum(accounts[name] for name in _POOL_OUT)
    )


def drug_imbalance(column: int, tissue: Tissue, context: Context) -> float:
    """Return (supplied - free - held - in vesicles - metabolised - decayed - left) / supplied; 0 of nothing."""
    accounts = dict(zip(DRUG_ACCOUNTS, tissue.ledger.drugs[column], strict=True))
    drug = tissue.layout.drugs[column]
    present = float(np.sum(tissue.cells["drug"][tissue.cells.rows_in_site_order(), column]))
    name = context.drug_fields.get(drug, drug)
    if name in tissue.layout.fields:
        present += float(np.sum(tissue.field(name))) * tissue.capacity(tissue.layout.fields.index(name))
    for load, words in enumerate(tissue.layout.loads):
        if words.partition(" in ")[0] == drug:
            docked = tissue.cells["load"][tissue.cells.rows_in_site_order(), load]
            present += float(np.sum(tissue.loads[..., load]) + np.sum(docked))
    return _relative(accounts["supplied"], present + sum(accounts[name] for name in _DRUG_OUT))


def field_imbalance(column: int, tissue: Tissue, context: Context) -> float:
    """Return (start + entered - present - consumed - decayed - left - neutralised) / (start + entered) of a field."""
    accounts = dict(zip(FIELD_ACCOUNTS, tissue.ledger.fields[column], strict=True))
    present = float(np.sum(tissue.fields[..., column])) * tissue.capacity(column)
    entered = tissue.ledger.start[column] + accounts["secreted"] + accounts["supplied"]
    return _relative(entered, present + sum(accounts[name] for name in _FIELD_OUT))


def measures(layout: Layout) -> list[Measure]:
    """Return the measures of this module that a layout has.

    Steady fields have none: they store nothing, and their books close to the error of the solve. A field with the
    name of a drug has that of the drug.
    """
    books = [(name, partial(pool_imbalance, column)) for column, name in enumerate(layout.pools)]
    books += [(name, partial(drug_imbalance, column)) for column, name in enumerate(layout.drugs)]
    books += [
        (name, partial(field_imbalance, column))
        for column, name in enumerate(layout.fields)
        if name not in (*layout.drugs, *layout.steady)
    ]
    return [Measure(f"{name}_imbalance", "1", f"Relative imbalance: {name}", book) for name, book in books]


def _relative(entered: float, accounted: float) -> float:
    largest = max(entered, accounted)
    return (entered - accounted) / largest if largest > 0.0 else 0.0
