"""Clones and trees from the tables of births and deaths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tme_sim.analysis.figures.lineage import Tree
from tme_sim.measures.measure import tumour_types
from tme_sim.record.reader import Run


@dataclass(frozen=True)
class Cells:
    """Every tumour cell that ever lived in a run, one row each: ``id, parent, founder, born, ended, fate``.

    ``born`` and ``ended`` are minutes; ``fate`` at the end is ``dead``, ``resistant``, ``sensitive`` or
    ``not measured``.
    """

    table: Any
    end_min: float


def cells_of(run: Run, drug: str | None, resistant_below: float) -> Cells:
    """Return the tumour cells of a run, from its first snapshot, its births and its deaths."""
    tumour = tumour_types(run.layout)
    first, last, end = run.cells(0.0), run.cells(), float(run.snapshot_minutes[-1])
    start: Any = first[(first["death"] == "alive") & first["type"].isin(tumour)]
    births: Any = run.events("births")
    deaths: Any = run.events("deaths")
    births = births[births["type"].isin(tumour)]
    table: Any = pd.concat(
        [
            start[["id", "parent", "founder"]].assign(born=0.0),
            births[["id", "parent", "founder"]].assign(born=births["minutes"].to_numpy(float)),
        ],
        ignore_index=True,
    ).drop_duplicates("id")
    ended = deaths.drop_duplicates("id").set_index("id")["minutes"]
    table["ended"] = table["id"].map(ended)
    table["fate"] = np.where(table["ended"].notna(), "dead", "not measured")
    column = f"resistance_{drug}"
    if column in last:
        ratio: Any = table["id"].map(last.set_index("id")[column])
        measured = table["ended"].isna() & ratio.notna()
        table.loc[measured, "fate"] = np.where(ratio[measured] < resistant_below, "resistant", "sensitive")
    table["ended"] = table["ended"].fillna(end)
    return Cells(table.reset_index(drop=True), end)


def clone_sizes(cells: Cells, minutes: np.ndarray, founders: Sequence[int]) -> np.ndarray:
    """Return living cells of each founder's clone, the last row of all others, int64 (n + 1, n_times)."""
    table = cells.table
    row = (
        table["founder"]
        .map({founder: i for i, founder in enumerate(founders)})
        .fillna(len(founders))
        .to_numpy(int)
    )
    born, ended = table["born"].to_numpy(float), table["ended"].to_numpy(float)
    dead = (table["fate"] == "dead").to_numpy()
    out = np.zeros((len(founders) + 1, len(minutes)), np.int64)
    for i in range(len(founders) + 1):
        mine = row == i
        out[i] = np.searchsorted(np.sort(born[mine]), minutes, side="right")
        out[i] -= np.searchsorted(np.sort(ended[mine & dead]), minutes, side="right")
    return out


def clone_table(cells: Cells) -> pd.DataFrame:
    """Return one row per founder, most resistant cells first: ``founder, cells, resistant, resistant_share, ever``."""
    fate: Any = cells.table["fate"]
    counted = pd.DataFrame({"cells": fate != "dead", "resistant": fate == "resistant", "ever": True})
    out: Any = counted.astype(np.int64).groupby(cells.table["founder"]).sum()
    out["resistant_share"] = out["resistant"] / out["cells"].where(out["cells"] > 0)
    return out.sort_values(["resistant", "cells"], ascending=False, kind="stable").reset_index()


def tree_of(cells: Cells, founder: int, most: int) -> Tree | None:
    """Return the tree of a founder; of a larger one than ``most`` cells only those that led to living cells.

    None where even these are too many.
    """
    table: Any = cells.table[cells.table["founder"] == founder].sort_values("born", kind="stable")
    living, resistant = (
        int(found.sum()) for found in (table["fate"] != "dead", table["fate"] == "resistant")
    )
    name = f"Clone {founder}: {living} of {len(table)} cells alive, {resistant} resistant"
    if len(table) > most:
        table = table[table["id"].isin(_ancestry(table))]
        name += ",\ndead branches left out"
    if len(table) > most or table.empty:
        return None
    order = _mothers_first(table)
    table = table.set_index("id").loc[order].reset_index()
    row = {cell: i for i, cell in enumerate(table["id"])}
    mother = np.array([row.get(parent, -1) for parent in table["parent"]])
    days = table[["born", "ended"]].to_numpy(float) / 1440.0
    return Tree(name, days[:, 0], days[:, 1], mother, table["fate"].to_numpy(str))


def _ancestry(table: Any) -> set[int]:
    """Return the living cells of a table and all their ancestors."""
    parent = dict(zip(table["id"], table["parent"], strict=True))
    kept: set[int] = set()
    for cell in table.loc[table["fate"] != "dead", "id"]:
        while cell in parent and cell not in kept:
            kept.add(cell)
            cell = parent[cell]
    return kept


def _mothers_first(table: Any) -> list[int]:
    """Return ids so that the descendants of a cell follow it, the youngest branch nearest to it."""
    known = set(table["id"])
    children: dict[int, list[int]] = {}
    roots = []
    for cell, parent in zip(table["id"], table["parent"], strict=True):
        if parent in known:
            children.setdefault(parent, []).append(cell)
        else:
            roots.append(cell)
    order, waiting = [], roots[::-1]
    while waiting:
        cell = waiting.pop()
        order.append(cell)
        waiting.extend(children.get(cell, []))
    return order
