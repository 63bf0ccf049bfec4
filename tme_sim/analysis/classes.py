"""Mean shares of the classes of resistance by arm."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tme_sim.analysis.replicates import summarise
from tme_sim.state.codes import CLASSES_IN_ORDER


def shares_by_arm(classes: Any, drug: str, *, intervals: bool = False) -> pd.DataFrame:
    """Return one row per arm: the mean share of living tumour cells of each class, ``n``, ``first_dose_days``.

    Runs in which no tumour cell lives have no shares and do not count in ``n``. ``first_dose_days`` is a mean over the
    runs that had a dose, nan where none had.

    Parameters
    ----------
    classes : DataFrame
        As `Batch.classes` gives them.
    intervals : bool
        Add ``CLASS_low`` and ``CLASS_high``, the ends of the 95 % interval of each mean.
    """
    of_drug = classes[classes["drug"] == drug].rename_axis(index="run").reset_index()
    cells = of_drug.pivot(index=["run", "arm"], columns="class", values="cells")
    shares = cells.div(cells.sum(axis=1), axis=0).reset_index()
    names = list(CLASSES_IN_ORDER)
    found = summarise(shares, names, ["arm"], shares=names)
    arms = list(dict.fromkeys(found["arm"]))

    def wide(column: str) -> Any:
        return found.pivot(index="arm", columns="measure", values=column).loc[arms, names]

    days = of_drug.groupby("arm")["first_dose_min"].mean() / 1440.0
    table = wide("mean").assign(n=wide("n")[names[0]], first_dose_days=days)
    for end in ("low", "high") if intervals else ():
        table = table.join(wide(end).add_suffix(f"_{end}"))
    return table.rename_axis(columns=None).reset_index()
