"""The whole state of a tissue: everything that a step reads and writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.codes import EMPTY
from tme_sim.state.events import Events
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import Ledger
from tme_sim.state.timeline import Timeline
from tme_sim.state.vasculature import Vasculature


class StateError(RuntimeError):
    """An invariant of the state is broken; names what and where."""


def species_first(values: np.ndarray) -> np.ndarray:
    """Return values (..., n_species) as they are, but each species whole in memory; a copy only where that is new."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(values, -1, 0)), 0, -1)


@dataclass
class Tissue:
    """State of one run.

    In memory a field or pool lies whole, one after the other, whatever the order of the array that is assigned.

    Attributes
    ----------
    fields : float64 (nz, ny, nx, n_fields)
        Each field in its declared internal unit (mmHg, nM).
    pools : float64 (nz, ny, nx, n_pools)
        Free vesicles per site.
    loads : float64 (nz, ny, nx, n_loads)
        Drug in free vesicles, nM times sites.
    vessel : float64 (nz, ny, nx)
        Share of supply of each site's vessel: 0 no vessel, 1 fully perfused.
    vessel_distance_um : float64 (nz, ny, nx)
        Distance to the nearest perfused vessel, µm; inf without one.
    plasma : float64 (n_fields,)
        Present concentration in the vessels, in each field's unit.
    vasculature : Vasculature or None
        How living vessels hang together; None where vessels neither sprout nor join.
    timeline : Timeline
        What doses and interventions must remember.
    unbound : tuple of float
        Share of each field outside cells that is dissolved and not bound; empty: 1 for all.
    """

    layout: Layout
    grid: Grid
    clock: Clock
    seed: int
    cells: Cells
    fields: np.ndarray
    pools: np.ndarray
    vessel: np.ndarray
    vessel_distance_um: np.ndarray
    plasma: np.ndarray
    ledger: Ledger
    events: Events
    vasculature: Vasculature | None = None
    loads: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0, 0)))
    timeline: Timeline = field(default_factory=Timeline)
    unbound: tuple[float, ...] = ()

    def __setattr__(self, name: str, value: Any) -> None:
        """Lay fields and pools out one after the other: solver and rules go through them one by one."""
        object.__setattr__(self, name, species_first(value) if name in ("fields", "pools") else value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Lay a pickled tissue out anew: pickling orders arrays as they are indexed, species last."""
        for name, value in state.items():
            setattr(self, name, value)

    def field(self, name: str) -> np.ndarray:
        """Return one field, (nz, ny, nx), a view."""
        return self.fields[..., self.layout.fields.index(name)]

    def pool(self, name: str) -> np.ndarray:
        """Return the free vesicles of one pool, (nz, ny, nx), a view."""
        return self.pools[..., self.layout.pools.index(name)]

    def capacity(self, column: int) -> float:
        """Return the amount of a field at a site over its level, in sites: fluid, and what is bound there besides."""
        return self.grid.fluid_sites / (self.unbound[column] if self.unbound else 1.0)

    @property
    def field_table(self) -> np.ndarray:
        """All fields, float64 (n_sites, n_fields), a view."""
        return self.fields.reshape(self.grid.n_sites, len(self.layout.fields))

    @property
    def pool_table(self) -> np.ndarray:
        """Free vesicles of all pools, float64 (n_sites, n_pools), a view."""
        return self.pools.reshape(self.grid.n_sites, len(self.layout.pools))

    @property
    def load_table(self) -> np.ndarray:
        """Drug in free vesicles, float64 (n_sites, n_loads), a view."""
        return self.loads.reshape(self.grid.n_sites, len(self.layout.loads))

    def check(self) -> None:
        """Raise StateError where an invariant is broken: one cell per site, nothing negative or not finite."""
        cells = self.cells
        sites = cells["site"]
        if len(np.unique(sites)) != len(sites):
            raise StateError(f"step {self.clock.step}: two cells share a site")
        if not np.array_equal(cells.occupant[sites], np.arange(cells.n)):
            raise StateError(f"step {self.clock.step}: occupant and site disagree")
        if np.count_nonzero(cells.occupant != EMPTY) != cells.n:
            raise StateError(f"step {self.clock.step}: an empty site is marked occupied")
        for what, names, values in (
            ("field", self.layout.fields, self.field_table),
            ("pool", self.layout.pools, self.pool_table),
            ("load", self.layout.loads, self.load_table),
            ("docked load", self.layout.loads, cells["load"]),
            *((group, names, cells[group]) for group, names in cells.named_groups()),
            ("damage", self.layout.drugs, cells["damage"]),
        ):
            self._check_columns(what, names, values)

    def _check_columns(self, what: str, names: tuple[str, ...], values: np.ndarray) -> None:
        bad = ~(np.isfinite(values) & (values >= 0.0))
        for column in np.flatnonzero(bad.any(axis=0)):
            row = int(np.flatnonzero(bad[:, column])[0])
            raise StateError(
                f"step {self.clock.step}: {what} {names[column]} is {values[row, column]} at row {row}; "
                "expected finite and not negative"
            )
