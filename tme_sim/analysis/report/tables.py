"""What the page shows of a table: its first rows as text, and once what all of them say."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tme_sim.analysis.report.page import Table

_SENTENCE = 24


def shown_rows(table: Table) -> dict[str, Any]:
    """Return what the page shows of a table: header, rows as text, which columns are numbers, rows left out.

    Columns without any value are left out; a sentence that is the same in every row is said once, ``for_all``.
    """
    frame: Any = table.frame.drop(columns=list(table.in_file))
    said = {name: frame[name].unique() for name in frame if not pd.api.types.is_numeric_dtype(frame[name])}
    empty = [name for name in frame if frame[name].isna().all() or set(said.get(name, [0])) <= {"", None}]
    same = [name for name, values in said.items() if len(values) == 1 and len(str(values[0])) > _SENTENCE]
    repeated = [name for name in same if name not in empty] if len(frame) > 1 else []
    columns = [name for name in frame if name not in (*empty, *repeated)]
    top = frame[columns].head(table.shown)
    return {
        "header": [str(name).replace("_", " ") for name in top],
        "numeric": [pd.api.types.is_numeric_dtype(top[name]) for name in top],
        "rows": [[shown(value) for value in row] for row in top.itertuples(index=False)],
        "left_out": len(frame) - len(top),
        "for_all": [_of_all(str(name), str(said[name][0])) for name in repeated],
    }


def _of_all(name: str, text: str) -> str:
    if name == "verdict":
        return f"{text[:1].upper()}{text[1:]}. This holds for every row."
    return f"{name[:1].upper()}{name[1:].replace('_', ' ')} of every row: {text}."


def shown(value: Any) -> str:
    """Return a value as a reader wants it: four digits, thousands set apart, a dash where there is none."""
    if isinstance(value, str):
        return value or "–"
    if value is None or pd.isna(value):
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
