"""What a measure is: a named number, with its unit, read off the state of a tissue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue


def tumour_types(layout: Layout) -> tuple[str, ...]:
    """Return the cell types that make up the tumour: named tumour, tumor or csc, or so up to ``_``."""
    heads = ("tumour", "tumor", "csc")
    return tuple(name for name in layout.cell_types if name.lower().split("_")[0] in heads)


def field_unit(name: str) -> str:
    """Return the internal unit of a field: mmHg for gases, nM for everything dissolved."""
    return "mmHg" if name.lower() in ("oxygen", "o2", "carbon_dioxide") else "nM"


@dataclass(frozen=True)
class Context:
    """What measures know besides the tissue, and what they share while one observation is made.

    Attributes
    ----------
    tumour : tuple of str
        Cell types that make up the tumour; empty: by name, see `tumour_types`.
    oxygen : str
        Name of the oxygen field.
    drug_fields : mapping
        Drug name to the name of its field, where the two differ.
    washout_per_min, targets : mapping
        Pool to its rate of wash-out at vessels, 1/min, and to the cell types that it is meant for.
    extras : mapping
        Anything that measures of other packages need (reference exposures, rule tables).
    complete : bool
        Work out also what has a schedule of its own and is not due.
    """

    tumour: tuple[str, ...] = ()
    oxygen: str = "oxygen"
    drug_fields: Mapping[str, str] = field(default_factory=dict)
    washout_per_min: Mapping[str, float] = field(default_factory=dict)
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = False
    _shared: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def fresh(self) -> Context:
        """Return the same context with nothing shared yet: one per observation."""
        return replace(self, _shared={})

    def share(self, key: str, compute: Callable[[], Any]) -> Any:
        """Return ``compute()``, worked out once per observation for each ``key``."""
        if key not in self._shared:
            self._shared[key] = compute()
        return self._shared[key]

    def rows(self, tissue: Tissue) -> np.ndarray:
        """Return the rows of all living cells, in site order, so that sums do not depend on memory order."""

        def compute() -> np.ndarray:
            order = tissue.cells.rows_in_site_order()
            return order[tissue.cells.alive()[order]]

        return self.share("rows", compute)

    def rows_of(self, tissue: Tissue, cell_type: str) -> np.ndarray:
        """Return the rows of the living cells of a type, in site order."""

        def compute() -> np.ndarray:
            rows = self.rows(tissue)
            return rows[tissue.cells["type"][rows] == tissue.layout.cell_types.index(cell_type)]

        return self.share(f"rows:{cell_type}", compute)

    def tumour_rows(self, tissue: Tissue) -> np.ndarray:
        """Return the rows of the living tumour cells, in site order."""

        def compute() -> np.ndarray:
            names = self.tumour or tumour_types(tissue.layout)
            codes = [tissue.layout.cell_types.index(name) for name in names]
            rows = self.rows(tissue)
            return rows[np.isin(tissue.cells["type"][rows], codes)]

        return self.share("rows of the tumour", compute)


@dataclass(frozen=True)
class Measure:
    """A number read off a tissue.

    Attributes
    ----------
    name : str
        As written in conditions and files.
    unit : str
        UDUNITS spelling; ``1`` for counts and shares.
    long_name : str
        What it says, for axes and tables.
    function : callable
        ``function(tissue, context) -> float``; nan where it is not defined. It must not change the tissue.
    """

    name: str
    unit: str
    long_name: str
    function: Callable[[Tissue, Context], float]

    def of(self, tissue: Tissue, context: Context | None = None) -> float:
        """Return the value for a tissue as it is now."""
        return float(self.function(tissue, (context or Context()).fresh()))


@dataclass(frozen=True)
class CellColumn:
    """A number per cell read off a tissue, recorded beside the columns of the state.

    Attributes
    ----------
    function : callable
        ``function(tissue, context) -> float64 (n,)``, one value per row of ``tissue.cells``, dead cells
        included; nan where it is not defined.
    """

    name: str
    unit: str
    long_name: str
    function: Callable[[Tissue, Context], np.ndarray]


def evaluate(
    measures: Mapping[str, Measure], tissue: Tissue, context: Context | None = None
) -> dict[str, float]:
    """Return the value of every measure for a tissue as it is now, sharing what they have in common."""
    shared = (context or Context()).fresh()
    return {name: float(measure.function(tissue, shared)) for name, measure in measures.items()}


def mean(values: np.ndarray) -> float:
    """Return the mean, nan of nothing."""
    return float(np.mean(values)) if values.size else float("nan")
