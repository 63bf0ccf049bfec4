"""Counts the cells of each class of resistance in the run files of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import pandas as pd

from tme_sim.record.reader import Run
from tme_sim.state.codes import CLASSES_IN_ORDER

_OF_RUN = ("arm", "replicate", "seed", "run_id")
_COUNTED = ("drug", "class", "cells", "first_dose_min")


def count_classes(design: Any, keys: Sequence[str], opened: Callable[[int], Run | None]) -> Any:
    """Return a DataFrame, one row per run, drug and class, by number of the run; empty without a washout.

    Parameters
    ----------
    design : DataFrame
        Finished runs by number: ``arm``, ``replicate``, ``seed``, ``run_id`` and a column per swept key.
    keys : sequence of str
        Swept keys.
    opened : callable
        Opens a run by its number; None where it cannot.

    Returns
    -------
    DataFrame
        ``arm``, ``replicate``, ``seed``, ``run_id``, ``drug``, ``class``, ``cells``, ``first_dose_min`` (nan where
        the drug never came).
    """
    rows: list[dict[str, Any]] = []
    bare: set[tuple[Any, ...]] = set()  # arms and points without a washout: one run speaks for its replicates
    for number, *point in design[["arm", *keys]].itertuples(name=None):
        run = opened(int(number)) if tuple(point) not in bare else None
        if run is None:
            continue
        with closing(run):
            found = counts_of(run)
        if not found:
            bare.add(tuple(point))
        rows += [{"run": number, **row} for row in found]
    counts: Any = pd.DataFrame(rows, columns=pd.Index(["run", *_COUNTED])).set_index("run")
    return counts.join(design[list(_OF_RUN)])[[*_OF_RUN, *_COUNTED]]


def counts_of(run: Run) -> list[dict[str, Any]]:
    """Return ``drug``, ``class``, ``cells``, ``first_dose_min`` of each drug and class; nothing without a washout."""
    cells: Any = run.classes
    return [
        {
            "drug": drug,
            "class": name,
            "cells": int(((cells["drug"] == drug) & (cells["class"] == name)).sum()),
            "first_dose_min": first_dose_min,
        }
        for drug, first_dose_min in cells.attrs["first_dose_min"].items()
        for name in CLASSES_IN_ORDER
    ]
