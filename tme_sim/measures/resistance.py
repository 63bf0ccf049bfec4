"""Drug resistance, measured: survival of each tumour cell under the reference exposure against a naive cell.

A cell's present state is held, its survival over the follow-up time under the scenario's reference exposure is
worked out averaged over the cell cycle (`numerics.pharmacodynamics`), and its log-kill (minus the logarithm of
survival) is divided by that of a naive cell: same type, base values, no cargo, no factors, no history. Below one
half the cell counts as resistant. Nothing in the model reads this measure. The naive cell is untreated: no intervention
acts on it, also where one acts on the cell that it is compared with, so that what a knock-down or forced expression
does to resistance shows in the ratio.

Ratios recorded: against the naive cell in normoxia; against the naive cell at the cell's own oxygen (restored
and gained resistance differ); the cellular part (own pharmacology, naive cycling) and the kinetic part (own
cycling, naive pharmacology).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from tme_sim.measures.measure import CellColumn, Context, Measure, mean
from tme_sim.numerics import pharmacodynamics
from tme_sim.rules.physiology import Change, Physiology
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue

EXTRA = "resistance"
TABLE_POINTS = 257
NICHES = (
    ("", ""),
    ("_rim", " in the rim"),
    ("_perfused", " near vessels"),
)  # in names of measures, and in words
_NO_KILL = 1e-12  # log-kill below which nothing is killed


@dataclass(frozen=True)
class ReferenceExposure:
    """The exposure that resistance to one drug refers to, and how the drug acts.

    Attributes
    ----------
    dose_nm, on_min, follow_min : float
        Drug outside the cell, for how long, and when survivors are counted.
    half_max_nm, hill, lethal_hill : float
    acts_in : tuple of bool
        Whether it acts in G1, in S, in G2M, and in cells that never cycle.
    """

    drug: str
    dose_nm: float
    on_min: float
    follow_min: float
    half_max_nm: float
    hill: float
    lethal_hill: float
    acts_in: tuple[bool, ...]


@dataclass(frozen=True)
class Assay:
    """Everything the measurement needs besides the tissue.

    Attributes
    ----------
    naive_fields : float64 (n_fields,)
        Fields a naive cell lives in: supply levels for oxygen and nutrients, nothing of drug or of factors, also where
        a factor is there from the start (which fields these are: `model.assemble`).
    s_min, g2m_min : float64 (n_types,)
        Waiting times of the cell cycle.
    rim_from_vessel_um : float
        Tumour cells farther than this from a perfused vessel form the rim.
    stain_half_mmhg : float
        Oxygen at which the virtual pimonidazole stain is half maximal.
    resistant_below : float
        Share of the naive cell's log-kill below which a cell counts as resistant.
    every_min : float
        Measured at multiples of this time, minutes; 0 means always, inf never.
    held : callable, optional
        ``held(tissue, rows)``: what interventions in force do to the targets of variables of the cells in ``rows``,
        which count from 0 there; None where they do nothing. Attribution asks for it, the naive cell does not.
    """

    physiology: Physiology
    exposures: tuple[ReferenceExposure, ...]
    naive_fields: np.ndarray
    s_min: np.ndarray
    g2m_min: np.ndarray
    rim_from_vessel_um: float
    stain_half_mmhg: float
    oxygen_field: int
    resistant_below: float = 0.5
    every_min: float = 0.0
    held: Callable[[Tissue, np.ndarray], Change | None] | None = None

    def due(self, minutes: float) -> bool:
        """Return whether it is measured now: at multiples of ``every_min``, always when 0, never when inf."""
        if np.isinf(self.every_min):
            return False
        return self.every_min <= 0.0 or abs(minutes / self.every_min - round(minutes / self.every_min)) < 1e-9

    def parameters(self, exposure: ReferenceExposure, behaviours: np.ndarray) -> np.ndarray:
        """Return the pharmacodynamic parameters of cells with these behaviours, float64 (n, 6)."""

        def of(name: str) -> np.ndarray:
            column = self.physiology.behaviour.get(name)
            return np.zeros(len(behaviours)) if column is None else behaviours[:, column]

        d = exposure.drug
        out = np.empty((len(behaviours), pharmacodynamics.N_PARAMETERS))
        out[:, pharmacodynamics.IN] = of(f"influx {d}")
        out[:, pharmacodynamics.OUT] = of(f"efflux {d}") + of(f"metabolism {d}")
        out[:, pharmacodynamics.DAMAGE] = of(f"damage by {d}")
        out[:, pharmacodynamics.REPAIR] = of(f"repair of {d}")
        out[:, pharmacodynamics.DEATH] = of(f"death from {d}")
        out[:, pharmacodynamics.ENTRY] = of("cycle entry")
        return out

    def log_kill(
        self, exposure: ReferenceExposure, parameters: np.ndarray, cell_type: np.ndarray
    ) -> np.ndarray:
        """Return minus the logarithm of survival, float64 (n,)."""
        out = np.empty(len(parameters))
        pharmacodynamics.survival(
            len(parameters),
            parameters,
            exposure.dose_nm,
            exposure.on_min,
            exposure.follow_min,
            exposure.half_max_nm,
            exposure.hill,
            exposure.lethal_hill,
            self.s_min[cell_type],
            self.g2m_min[cell_type],
            np.array(exposure.acts_in),
            60.0,
            out,
        )
        return -np.log(np.maximum(out, 1e-300))

    def present(
        self, exposure: ReferenceExposure, tissue: Tissue, rows: np.ndarray, without: tuple[str, ...] = ()
    ) -> np.ndarray:
        """Return the pharmacodynamic parameters of cells as they are, float64 (n, 6); signals ``without`` at 0."""
        signals = self.physiology.read(tissue)[0][rows]
        signals[:, [self.physiology.column[name] for name in without if name in self.physiology.column]] = 0.0
        behaviours = self.physiology.act(tissue.cells["type"][rows], np.ones(len(rows), bool), signals)
        return self.parameters(exposure, behaviours)

    def oxygen_at(self, tissue: Tissue, rows: np.ndarray) -> np.ndarray:
        """Return the oxygen at cells, mmHg, float64 (n,); 0 without such a field."""
        if self.oxygen_field < 0:
            return np.zeros(len(rows))
        return tissue.field_table[tissue.cells["site"][rows], self.oxygen_field]

    def naive(
        self, exposure: ReferenceExposure, cell_type: np.ndarray, oxygen_mmhg: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the pharmacodynamic parameters of naive cells, float64 (n, 6), in normoxia or at the given oxygen."""
        return self.parameters(exposure, self.naive_behaviours(cell_type, oxygen_mmhg))

    def naive_signals(self, n: int) -> np.ndarray:
        """Return the signals of ``n`` naive cells, float64 (n, n_signals): nothing but the naive fields."""
        signals = np.zeros((n, len(self.physiology.signals.names)))
        for field, name in enumerate(self.physiology.layout.fields):
            signals[:, self.physiology.column[name]] = self.naive_fields[field]
        signals[:, self.physiology.trait_columns] = self.physiology.expression.neutral
        return signals

    def naive_behaviours(self, cell_type: np.ndarray, oxygen_mmhg: np.ndarray | None = None) -> np.ndarray:
        """Return behaviours of naive cells at quasi-steady state, in normoxia or at the given oxygen (n,)."""
        signals = self.naive_signals(len(cell_type))
        if oxygen_mmhg is not None and self.oxygen_field >= 0:
            signals[:, self.physiology.column[self.physiology.layout.fields[self.oxygen_field]]] = oxygen_mmhg
        return self.physiology.settle(cell_type, signals)


@dataclass(frozen=True)
class Assessment:
    """Result for one drug, arrays over the given rows: ratios of log-kill to the naive cell's."""

    rows: np.ndarray
    survival: np.ndarray
    naive_survival: float
    ratio: np.ndarray
    ratio_own_oxygen: np.ndarray
    ratio_cellular: np.ndarray
    ratio_kinetic: np.ndarray
    resistant_below: float = 0.5

    @property
    def resistant(self) -> np.ndarray:
        """True where the log-kill is below the threshold share of the naive cell's in normoxia."""
        return self.ratio < self.resistant_below

    @property
    def resistant_own_oxygen(self) -> np.ndarray:
        """True where the log-kill is below the threshold share of that of a naive cell at the same oxygen."""
        return self.ratio_own_oxygen < self.resistant_below


def assess(assay: Assay, exposure: ReferenceExposure, tissue: Tissue, rows: np.ndarray) -> Assessment:
    """Measure the resistance of the cells in ``rows`` to one drug."""
    cell_type = tissue.cells["type"][rows]
    if len(rows) == 0:
        none = np.zeros(0)
        return Assessment(rows, none, float("nan"), none, none, none, none)
    own = assay.present(exposure, tissue, rows)
    kinds, of_kind = np.unique(cell_type, return_inverse=True)
    naive = assay.naive(exposure, kinds)
    naive_kill = assay.log_kill(exposure, naive, kinds)[of_kind]
    cellular = own.copy()
    cellular[:, pharmacodynamics.ENTRY] = naive[of_kind, pharmacodynamics.ENTRY]

    def kinetic_kill(kind: np.ndarray, entry: np.ndarray) -> np.ndarray:
        parameters = naive[np.searchsorted(kinds, kind)]
        parameters[:, pharmacodynamics.ENTRY] = entry
        return assay.log_kill(exposure, parameters, kind)

    def own_oxygen_kill(kind: np.ndarray, oxygen: np.ndarray) -> np.ndarray:
        return assay.log_kill(exposure, assay.naive(exposure, kind, oxygen), kind)

    kill = assay.log_kill(exposure, own, cell_type)
    return Assessment(
        rows=rows,
        survival=np.exp(-kill),
        naive_survival=float(np.exp(-naive_kill[0])),
        ratio=_ratio(kill, naive_kill),
        ratio_own_oxygen=_ratio(kill, by_table(own_oxygen_kill, cell_type, assay.oxygen_at(tissue, rows))),
        ratio_cellular=_ratio(assay.log_kill(exposure, cellular, cell_type), naive_kill),
        ratio_kinetic=_ratio(by_table(kinetic_kill, cell_type, own[:, pharmacodynamics.ENTRY]), naive_kill),
        resistant_below=assay.resistant_below,
    )


def inherited_ratio(
    assay: Assay, exposure: ReferenceExposure, tissue: Tissue, rows: np.ndarray
) -> np.ndarray:
    """Return the log-kill ratio that heritable traits alone give the cells in ``rows``, float64 (n,).

    All else is naive: nutrients of normoxia, no factors, cargo, contacts or history; variables settle.
    """
    cell_type = tissue.cells["type"][rows]
    signals = assay.naive_signals(len(rows))
    signals[:, assay.physiology.trait_columns] = tissue.cells["traits"][rows]
    own = assay.parameters(exposure, assay.physiology.settle(cell_type, signals))
    return ratio_of(assay, exposure, own, cell_type)


def ratio_of(
    assay: Assay, exposure: ReferenceExposure, parameters: np.ndarray, cell_type: np.ndarray
) -> np.ndarray:
    """Return the log-kill of cells over that of naive ones of their type in normoxia, float64 (n,)."""
    kinds, of_kind = np.unique(cell_type, return_inverse=True)
    naive = assay.naive(exposure, kinds)
    kill = assay.log_kill(exposure, parameters, cell_type)
    return _ratio(kill, assay.log_kill(exposure, naive, kinds)[of_kind])


def by_table(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], cell_type: np.ndarray, x: np.ndarray
) -> np.ndarray:
    """Return ``function(cell_type, x)`` of many cells from a table over x, one per type.

    The table has ``TABLE_POINTS`` points between the smallest and the largest x of the type, evenly spaced in
    the square root (responses are steep at low oxygen); its logarithm is read by a monotone cubic. Fewer cells
    than that are worked out one by one.

    Parameters
    ----------
    function : callable
        ``function(int16 (m,), float64 (m,)) -> float64 (m,)``, smooth in x; neither is negative.
    cell_type : int16 (n,)
    x : float64 (n,)

    Returns
    -------
    float64 (n,)
    """
    out = np.empty(len(x))
    for kind in np.unique(cell_type):
        rows = np.flatnonzero(cell_type == kind)
        values = x[rows]
        points = np.linspace(np.sqrt(values.min()), np.sqrt(values.max()), TABLE_POINTS)
        if len(rows) <= TABLE_POINTS or points[-1] - points[0] <= 1e-9 * points[-1]:
            out[rows] = function(cell_type[rows], values)
        else:
            table = function(np.full(TABLE_POINTS, kind, cell_type.dtype), points**2)
            curve = PchipInterpolator(points, np.log(np.maximum(table, _NO_KILL)))
            out[rows] = np.exp(curve(np.clip(np.sqrt(values), points[0], points[-1])))
    return out


def _ratio(kill: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return kill/reference; 1 where the reference exposure does not kill the naive cell either."""
    return np.where(reference > _NO_KILL, kill / np.maximum(reference, _NO_KILL), 1.0)


def measured_now(tissue: Tissue, context: Context, drug: str) -> tuple[Assay, ReferenceExposure] | None:
    """Return how resistance to a drug is measured, None where it is not or not now."""
    assay: Assay | None = context.extras.get(EXTRA)
    if assay is None or not (context.complete or assay.due(tissue.clock.minutes)):
        return None
    exposure = next((e for e in assay.exposures if e.drug == drug), None)
    return None if exposure is None else (assay, exposure)


def assessment(tissue: Tissue, context: Context, drug: str) -> Assessment | None:
    """Return the assessment of all living tumour cells, worked out once per observation; None without an assay."""
    found = measured_now(tissue, context, drug)
    if found is None:
        return None
    return context.share(f"resistance {drug}", lambda: assess(*found, tissue, context.tumour_rows(tissue)))


def rim(tissue: Tissue, context: Context) -> np.ndarray:
    """Return True for each living tumour cell farther from a perfused vessel than the rim distance."""
    assay: Assay = context.extras[EXTRA]
    rows = context.tumour_rows(tissue)
    return tissue.vessel_distance_um.reshape(-1)[tissue.cells["site"][rows]] > assay.rim_from_vessel_um


def in_niche(niche: str, tissue: Tissue, context: Context) -> np.ndarray:
    """Return True for each living tumour cell of a niche, one of ``NICHES``."""
    if not niche:
        return np.ones(len(context.tumour_rows(tissue)), bool)
    inside = rim(tissue, context)
    return inside if niche == "_rim" else ~inside


def measures(layout: Layout) -> Iterable[Measure | CellColumn]:
    """Yield the resistance measures and cell columns of every drug."""
    for drug in layout.drugs:
        yield from _measures_of(drug)
    yield Measure(
        "rim_cells",
        "1",
        "tumour cells in the rim (far from perfused vessels)",
        lambda t, c: float(rim(t, c).sum()) if EXTRA in c.extras else float("nan"),
    )
    yield CellColumn("rim", "1", "1 where the cell lies in the rim (far from perfused vessels)", _rim_column)
    yield CellColumn("pimonidazole", "1", "virtual pimonidazole stain, share of the maximum", _stain_column)


def _measures_of(drug: str) -> Iterable[Measure | CellColumn]:
    def share(name: str, what: str, resistant: str, niche: str) -> Measure:
        def function(tissue: Tissue, context: Context) -> float:
            found = assessment(tissue, context, drug)
            if found is None:
                return float("nan")
            return mean(getattr(found, resistant)[in_niche(niche, tissue, context)].astype(float))

        return Measure(f"{name}_{drug}", "1", f"{what} to {drug}", function)

    for niche, words in NICHES:
        yield share(
            f"resistant_fraction{niche}",
            f"share of tumour cells{words} resistant (against naive, normoxia)",
            "resistant",
            niche,
        )
        yield share(
            f"resistant_fraction_own_oxygen{niche}",
            f"share of tumour cells{words} resistant (against naive at the same oxygen)",
            "resistant_own_oxygen",
            niche,
        )
    for attribute, words in (
        ("ratio", "log-kill over that of a naive cell in normoxia"),
        ("ratio_own_oxygen", "log-kill over that of a naive cell at the same oxygen"),
        ("ratio_cellular", "cellular part of the log-kill ratio"),
        ("ratio_kinetic", "kinetic part of the log-kill ratio"),
        ("survival", "survival under the reference exposure"),
    ):
        name = {"ratio": "resistance", "survival": "survival"}.get(
            attribute, attribute.replace("ratio", "resistance")
        )
        yield _mean_of(drug, name, attribute, words)
        yield column_of(assessment, drug, name, attribute, words)


def _mean_of(drug: str, name: str, attribute: str, words: str) -> Measure:
    def function(tissue: Tissue, context: Context) -> float:
        found = assessment(tissue, context, drug)
        return float("nan") if found is None else mean(getattr(found, attribute))

    return Measure(f"mean_{name}_{drug}", "1", f"mean over tumour cells: {words}, {drug}", function)


def column_of(
    found_now: Callable[[Tissue, Context, str], Any], drug: str, name: str, attribute: str, words: str
) -> CellColumn:
    """Return a column of what is found for the cells in its ``rows``, None when not measured; nan for all others."""

    def function(tissue: Tissue, context: Context) -> np.ndarray:
        out = np.full(tissue.cells.n, np.nan)
        found = found_now(tissue, context, drug)
        if found is not None:
            out[found.rows] = getattr(found, attribute)
        return out

    return CellColumn(f"{name}_{drug}", "1", f"{words}, {drug}", function)


def _rim_column(tissue: Tissue, context: Context) -> np.ndarray:
    out = np.zeros(tissue.cells.n)
    if EXTRA in context.extras:
        out[context.tumour_rows(tissue)] = rim(tissue, context)
    return out


def _stain_column(tissue: Tissue, context: Context) -> np.ndarray:
    assay: Assay | None = context.extras.get(EXTRA)
    if assay is None or assay.oxygen_field < 0:
        return np.full(tissue.cells.n, np.nan)
    oxygen = tissue.fields[..., assay.oxygen_field].reshape(-1)[tissue.cells["site"]]
    return assay.stain_half_mmhg / (assay.stain_half_mmhg + oxygen)
