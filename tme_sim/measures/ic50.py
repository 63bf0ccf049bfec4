"""The IC50 fold: the dose that a cell survives by one half over that of a naive cell.

As in `measures.resistance` a cell's present state is held, and the exposure is the reference one but for its dose:
the same time with drug, survivors counted at the same time, averaged over the cell cycle. Doses from the reference
dose over ``RANGE`` to ``RANGE`` times it are searched. A cell that none of them kills by half has a fold of inf; where
the naive cell is such a cell, the fold of others is 0, and it is not defined (nan) for two such cells. Medians count
inf as above every number and leave out nan.

Naive is a cell of the same type in normoxia, or at the cell's own oxygen. The latter's dose is read from a table over
oxygen; in the one interval of the table in which it rises out of the range it is not exact.

A search costs a few evaluations of survival per cell. Frames and the end of a run have the folds of all tumour cells,
medians in between those of at most ``SAMPLE`` cells, evenly spaced in site order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tme_sim.measures.measure import CellColumn, Context, Measure
from tme_sim.measures.resistance import (
    NICHES,
    Assay,
    ReferenceExposure,
    by_table,
    column_of,
    in_niche,
    measured_now,
)
from tme_sim.numerics import pharmacodynamics
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue

RANGE = 1e4
SAMPLE = 200


@dataclass(frozen=True)
class Folds:
    """IC50 over that of a naive cell, float64 (n,) over the given rows; may be inf or nan, see the module."""

    rows: np.ndarray
    fold: np.ndarray
    fold_own_oxygen: np.ndarray


def folds(assay: Assay, exposure: ReferenceExposure, tissue: Tissue, rows: np.ndarray) -> Folds:
    """Return the IC50 folds of the cells in ``rows`` for one drug."""
    if len(rows) == 0:
        return Folds(rows, np.zeros(0), np.zeros(0))
    cell_type = tissue.cells["type"][rows]
    kinds, of_kind = np.unique(cell_type, return_inverse=True)
    own = assay.present(exposure, tissue, rows)
    naive = assay.naive(exposure, kinds)
    naive_nm = ic50_nm(assay, exposure, naive, kinds, np.full(len(kinds), exposure.dose_nm))
    held_nm = np.minimum(naive_nm, exposure.dose_nm * RANGE) * _held_per_dose(naive)

    def start(parameters: np.ndarray, kind: np.ndarray) -> np.ndarray:
        """Return the dose at which such cells would hold as much drug as a naive one does at its IC50."""
        return held_nm[np.searchsorted(kinds, kind)] / _held_per_dose(parameters)

    def own_oxygen_nm(kind: np.ndarray, oxygen: np.ndarray) -> np.ndarray:
        parameters = assay.naive(exposure, kind, oxygen)
        found = ic50_nm(assay, exposure, parameters, kind, start(parameters, kind))
        return np.minimum(found, exposure.dose_nm * RANGE)

    ic50 = ic50_nm(assay, exposure, own, cell_type, start(own, cell_type))
    own_oxygen = by_table(own_oxygen_nm, cell_type, assay.oxygen_at(tissue, rows))
    own_oxygen[own_oxygen > 0.999 * exposure.dose_nm * RANGE] = np.inf
    return Folds(rows, _over(ic50, naive_nm[of_kind]), _over(ic50, own_oxygen))


def ic50_nm(
    assay: Assay,
    exposure: ReferenceExposure,
    parameters: np.ndarray,
    cell_type: np.ndarray,
    start_nm: np.ndarray,
) -> np.ndarray:
    """Return the dose that cells with these parameters survive by one half, nM, float64 (n,); inf where none does.

    Parameters
    ----------
    parameters : float64 (n, 6)
    cell_type : int16 (n,)
    start_nm : float64 (n,)
        Guesses; they decide how long the search takes.
    """
    out = np.empty(len(parameters))
    pharmacodynamics.half_survival_dose(
        len(parameters),
        parameters,
        start_nm,
        exposure.dose_nm / RANGE,
        exposure.dose_nm * RANGE,
        exposure.on_min,
        exposure.follow_min,
        exposure.half_max_nm,
        exposure.hill,
        exposure.lethal_hill,
        assay.s_min[cell_type],
        assay.g2m_min[cell_type],
        np.array(exposure.acts_in),
        60.0,
        out,
    )
    return out


def _held_per_dose(parameters: np.ndarray) -> np.ndarray:
    """Return drug held at rest over drug outside, float64 (n,); a tiny number stands for none."""
    return np.maximum(parameters[:, pharmacodynamics.IN], 1e-12) / np.maximum(
        parameters[:, pharmacodynamics.OUT], 1e-12
    )


def _over(ic50: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the fold; inf, 0 or nan where no dose kills half of one of the two, or of both."""
    with np.errstate(invalid="ignore"):
        return ic50 / reference


def folds_now(tissue: Tissue, context: Context, drug: str) -> Folds | None:
    """Return the folds of living tumour cells, worked out once per observation; None when not measured."""
    found = measured_now(tissue, context, drug)
    if found is None:
        return None
    rows = context.tumour_rows(tissue)
    return context.share(f"ic50 {drug}", lambda: folds(*found, tissue, rows[_chosen(len(rows), context)]))


def _chosen(n: int, context: Context) -> np.ndarray:
    """Return which of n tumour cells are looked at, int64: all in a complete observation, else a sample."""
    if context.complete or n <= SAMPLE:
        return np.arange(n)
    return np.linspace(0, n - 1, SAMPLE).astype(np.int64)


def median(values: np.ndarray) -> float:
    """Return the median of what is defined, inf being above every number; nan of nothing."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else float("nan")


def measures(layout: Layout) -> Iterable[Measure | CellColumn]:
    """Yield the medians of the folds, overall and by niche, and the cell columns, of every drug."""
    for drug in layout.drugs:
        for suffix, attribute, words in (
            ("", "fold", "in normoxia"),
            ("_own_oxygen", "fold_own_oxygen", "at the same oxygen"),
        ):
            for niche, where in NICHES:
                yield _median_of(
                    drug, f"median_ic50_fold{suffix}{niche}_{drug}", attribute, niche, where, words
                )
            meaning = f"IC50 over that of a naive cell {words}"
            yield column_of(folds_now, drug, f"ic50_fold{suffix}", attribute, meaning)


def _median_of(drug: str, name: str, attribute: str, niche: str, where: str, words: str) -> Measure:
    def function(tissue: Tissue, context: Context) -> float:
        found = folds_now(tissue, context, drug)
        if found is None:
            return float("nan")
        inside = in_niche(niche, tissue, context)
        return median(getattr(found, attribute)[inside[_chosen(len(inside), context)]])

    meaning = f"median over tumour cells{where}: IC50 over that of a naive cell {words}, {drug}"
    return Measure(name, "1", meaning, function)
