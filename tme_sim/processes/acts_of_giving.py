"""Interventions that bring something in: vesicles everywhere, at a place or through vessels; cells at a place."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tme_sim.numerics.philox import child_keys, uniforms
from tme_sim.processes.acts import Act
from tme_sim.processes.base import Context
from tme_sim.state.codes import EMPTY, STREAM_INTERVENTION
from tme_sim.state.events import BIRTH
from tme_sim.state.ledger import DRUG_ACCOUNTS, POOL_ACCOUNTS
from tme_sim.state.tissue import Tissue

_GIVEN, _SUPPLIED = POOL_ACCOUNTS.index("given"), DRUG_ACCOUNTS.index("supplied")


@dataclass(frozen=True)
class Load:
    """A drug that vesicles are loaded with before they are given.

    Attributes
    ----------
    column, drug : int
        Columns of the drug in the pool and of the drug.
    amount : float
        In one vesicle, nM times sites.
    """

    column: int
    drug: int
    amount: float


@dataclass(frozen=True)
class GiveVesicles(Act):
    """Give vesicles at sites, once or at every time of the timetable.

    Attributes
    ----------
    sites : bool (nz, ny, nx)
    amount : float
        Per site.
    load : Load or None
        Drug inside; None: empty of drugs.
    """

    pool: int
    sites: np.ndarray
    amount: float
    load: Load | None = field(default=None, kw_only=True)

    def begin(self, tissue: Tissue, context: Context) -> None:
        """Give when it is due."""
        if self.is_due(tissue):
            tissue.pools[self.sites, self.pool] += self.amount
            given = self.amount * np.count_nonzero(self.sites)
            tissue.ledger.pools[self.pool, _GIVEN] += given
            if self.load is not None:
                tissue.loads[self.sites, self.load.column] += self.amount * self.load.amount
                tissue.ledger.drugs[self.load.drug, _SUPPLIED] += given * self.load.amount


@dataclass(frozen=True)
class GiveThroughVessels(Act):
    """Let vesicles in at the sites of perfused vessels, evenly while a pulse of the timetable lasts.

    Pulses count from the first step in which it is on, so that a whole pulse is given.

    Attributes
    ----------
    amount : float
        Per perfused vessel site and pulse.
    load : Load or None
        Drug inside; None: empty of drugs.
    """

    pool: int
    amount: float
    load: Load | None = field(default=None, kw_only=True)

    def begin(self, tissue: Tissue, context: Context) -> None:
        """Give the share of the step."""
        first = math.ceil(self.switch.runs(tissue)[-1][0] / context.dt_min - 1e-9) * context.dt_min
        begin, end = tissue.clock.minutes - first, tissue.clock.minutes - first + context.dt_min
        length = self.timetable.length_min
        starts = self.timetable.starts(begin - length, end)
        lasts = np.clip(np.minimum(starts + length, end) - np.maximum(starts, begin), 0.0, None)
        given = tissue.vessel * (self.amount * float(lasts.sum()) / length)
        tissue.pools[..., self.pool] += given
        tissue.ledger.pools[self.pool, _GIVEN] += float(given.sum())
        if self.load is not None:
            tissue.loads[..., self.load.column] += given * self.load.amount
            tissue.ledger.drugs[self.load.drug, _SUPPLIED] += float(given.sum()) * self.load.amount


@dataclass(frozen=True)
class Transplant(Act):
    """Place cells of a type on free sites: founders of new clones.

    Attributes
    ----------
    sites : bool (n_sites,)
    filling : float
        Share of the free ones among them that get a cell, drawn site by site.
    draw : int
        Number of the draw: no two transplants of a run share one.
    found : callable
        ``found(tissue, sites, types, keys)`` makes founders in the state of a naive cell and returns their rows.
    """

    cell_type: int
    sites: np.ndarray
    filling: float
    draw: int
    found: Callable[[Tissue, np.ndarray, np.ndarray, np.ndarray], np.ndarray]

    def begin(self, tissue: Tissue, context: Context) -> None:
        """Place them when it is due."""
        if not self.is_due(tissue):
            return
        free = np.flatnonzero(self.sites & (tissue.cells.occupant == EMPTY))
        key = free.astype(np.uint64)
        free = free[uniforms(context.seed, key, context.step, STREAM_INTERVENTION, self.draw) < self.filling]
        # The site alone is the key of the cell that was there first; the step makes this one another cell.
        keys = child_keys(free.astype(np.uint64), np.full(len(free), context.step + 1))
        kinds = np.full(len(free), self.cell_type, np.int16)
        rows = self.found(tissue, free, kinds, keys)
        table = np.zeros(len(rows), BIRTH)
        table["minutes"] = tissue.clock.minutes
        for name in ("id", "parent", "founder", "type", "site"):
            table[name] = tissue.cells[name][rows]
        tissue.cells["born_min"][rows] = tissue.clock.minutes
        tissue.events.births.append(table)
