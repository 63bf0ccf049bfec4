"""Interventions on what cells do: blocks, knock-downs, inhibitors, forced expression, targeted uptake, removal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.hill import hills
from tme_sim.numerics.philox import uniforms
from tme_sim.processes.acts import Act
from tme_sim.processes.base import Context
from tme_sim.processes.fate import release_contents
from tme_sim.state.codes import REMOVED, STREAM_INTERVENTION
from tme_sim.state.events import DEATH
from tme_sim.state.ledger import POOL_ACCOUNTS
from tme_sim.state.tissue import Tissue

_BLOCKED = POOL_ACCOUNTS.index("blocked")


@dataclass(frozen=True)
class OnCells(Act):
    """Change one behaviour of some cells.

    Attributes
    ----------
    column : int
        The behaviour.
    cell_types : tuple of int
        In these cell types; empty means all.
    """

    column: int
    cell_types: tuple[int, ...]

    def rows(self, cell_type: np.ndarray) -> np.ndarray:
        """Return which rows it acts on, bool (n,)."""
        return np.isin(cell_type, self.cell_types) if self.cell_types else np.ones(len(cell_type), bool)

    def modify(self, tissue: Tissue, cell_type: np.ndarray, io_behaviours: np.ndarray) -> None:
        """Change the behaviours of all cells."""
        self.change(tissue, np.arange(len(cell_type)), cell_type, io_behaviours)

    def change(
        self, tissue: Tissue, cells: np.ndarray, cell_type: np.ndarray, io_behaviours: np.ndarray
    ) -> None:
        """Change behaviours of cells, or of thought ones in their places; ``cells`` are rows of the tissue, (n,)."""


@dataclass(frozen=True)
class Scale(OnCells):
    """Multiply a behaviour; ``blocked_pool`` is the pool whose release it keeps back, for the books, or -1."""

    factor: float
    blocked_pool: int = -1

    def modify(self, tissue: Tissue, cell_type: np.ndarray, io_behaviours: np.ndarray) -> None:
        """Multiply; the books know what stays back."""
        if self.blocked_pool >= 0:
            rows = self.rows(cell_type)
            kept = np.where(rows, io_behaviours[:, self.column], 0.0)[tissue.cells.rows_in_site_order()].sum()
            share = (1.0 - self.factor) * tissue.clock.dt_min
            tissue.ledger.pools[self.blocked_pool, _BLOCKED] += share * kept
        super().modify(tissue, cell_type, io_behaviours)

    def change(
        self, tissue: Tissue, cells: np.ndarray, cell_type: np.ndarray, io_behaviours: np.ndarray
    ) -> None:
        """Multiply."""
        io_behaviours[self.rows(cell_type), self.column] *= self.factor


@dataclass(frozen=True)
class Raise(OnCells):
    """Add to a behaviour."""

    added: float

    def change(
        self, tissue: Tissue, cells: np.ndarray, cell_type: np.ndarray, io_behaviours: np.ndarray
    ) -> None:
        """Add."""
        io_behaviours[self.rows(cell_type), self.column] += self.added


@dataclass(frozen=True)
class Express(OnCells):
    """Force the target of a variable up to a level: a gene brought in from outside."""

    level: float

    def change(
        self, tissue: Tissue, cells: np.ndarray, cell_type: np.ndarray, io_behaviours: np.ndarray
    ) -> None:
        """Lift the target."""
        rows = self.rows(cell_type)
        io_behaviours[rows, self.column] = np.maximum(io_behaviours[rows, self.column], self.level)


@dataclass(frozen=True)
class Inhibit(OnCells):
    """Lower the target of a variable by an inhibitor at the cell's site: 1 − (1 − left) c^n/(K^n + c^n).

    ``left`` is what a saturating inhibitor leaves.
    """

    field: int
    half_max: float
    hill: float
    left: float

    def factor(self, level: np.ndarray) -> np.ndarray:
        """Return the factor at inhibitor levels, float64 (n,)."""
        return 1.0 - (1.0 - self.left) * hills(level, self.half_max, self.hill)

    def change(
        self, tissue: Tissue, cells: np.ndarray, cell_type: np.ndarray, io_behaviours: np.ndarray
    ) -> None:
        """Multiply by the local factor."""
        rows = np.flatnonzero(self.rows(cell_type))
        level = tissue.field_table[tissue.cells["site"][cells[rows]], self.field]
        io_behaviours[rows, self.column] *= self.factor(level)


@dataclass(frozen=True)
class Target(OnCells):
    """Multiply the docking of a pool by 1 + gain × a variable of the recipient: vesicles that carry a binder."""

    variable: int
    gain: float

    def change(
        self, tissue: Tissue, cells: np.ndarray, cell_type: np.ndarray, io_behaviours: np.ndarray
    ) -> None:
        """Multiply."""
        rows = np.flatnonzero(self.rows(cell_type))
        io_behaviours[rows, self.column] *= (
            1.0 + self.gain * tissue.cells["variables"][cells[rows], self.variable]
        )


@dataclass(frozen=True)
class Deplete(Act):
    """Remove a share of the cells of a type, drawn cell by cell; they give back what they hold.

    Attributes
    ----------
    draw : int
        Number of the draw: no two depletions of a run share one.
    drug_field : tuple of int
        Field of each drug.
    """

    cell_type: int
    share: float
    draw: int
    drug_field: tuple[int, ...]

    def begin(self, tissue: Tissue, context: Context) -> None:
        """Take them out when it is due."""
        if not self.is_due(tissue):
            return
        cells = tissue.cells
        rows = np.flatnonzero((cells["type"] == self.cell_type) & cells.alive())
        draw = uniforms(context.seed, cells["lineage"][rows], context.step, STREAM_INTERVENTION, self.draw)
        rows = rows[draw < self.share]
        rows = rows[np.argsort(cells["id"][rows], kind="stable")]
        release_contents(tissue, rows, np.array(self.drug_field, np.int64))
        cells["death"][rows], cells["died_min"][rows] = REMOVED, tissue.clock.minutes
        table = np.zeros(len(rows), DEATH)
        table["minutes"], table["cause"], table["drug"] = tissue.clock.minutes, REMOVED, -1
        for name in ("id", "type", "site"):
            table[name] = cells[name][rows]
        tissue.events.deaths.append(table)
