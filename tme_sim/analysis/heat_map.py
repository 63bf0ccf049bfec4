"""Tables over two swept parameters, for heat maps."""

from __future__ import annotations

from typing import Any

import pandas as pd


def over_two(table: Any, rows: str, columns: str, measure: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return means of a measure over two parameters, and how many runs each mean has.

    Parameters
    ----------
    table : DataFrame
        One row per run of one arm.
    rows, columns : str
        Swept keys; values ascend in both.
    measure : str
        Runs with nan are left out; a cell without runs is nan, its count 0.
    """
    grid: Any = table.pivot_table(
        index=rows, columns=columns, values=measure, aggfunc=["mean", "count"], dropna=False
    )
    means, counts = grid["mean"], grid["count"]
    return means, counts.fillna(0).astype(int)
