"""The timeline: drug levels in plasma; what is blocked, neutralised, knocked down or given, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tme_sim.processes.base import Context
from tme_sim.state.ledger import POOL_ACCOUNTS
from tme_sim.state.tissue import Tissue

_GIVEN, _BLOCKED = POOL_ACCOUNTS.index("given"), POOL_ACCOUNTS.index("blocked")


@dataclass(frozen=True)
class Intervention:
    """One change of the rules of the game, while it is in force.

    Attributes
    ----------
    columns : tuple of int
        Behaviours that are multiplied by ``factor`` and raised by ``added``.
    cell_types : tuple of int
        In these cell types; empty means all.
    field, rate_per_min : int, float
        Field that is neutralised at this extra decay rate; -1 for none.
    supply : float or None
        Plasma level that replaces the field's own.
    pool, vesicles : int, float
        Pool of which this many vesicles are given at every site, once; -1 for none.
    blocked_pool : int
        Pool whose release it blocks, for the books; -1 for none.
    start_min, until_min : float
    condition : callable or None
        When given, the intervention starts at the first step at which it holds (and not before ``start_min``).
    """

    name: str
    columns: tuple[int, ...] = ()
    cell_types: tuple[int, ...] = ()
    factor: float = 1.0
    added: float = 0.0
    field: int = -1
    rate_per_min: float = 0.0
    supply: float | None = None
    pool: int = -1
    vesicles: float = 0.0
    blocked_pool: int = -1
    start_min: float = 0.0
    until_min: float = np.inf
    condition: Callable[[Tissue], bool] | None = None


class Interventions:
    """Set plasma levels and decide which interventions are in force.

    Parameters
    ----------
    supply : float64 (n_fields,)
        Plasma level of every field without drugs.
    doses : list of (field index, level)
        ``level(minutes)`` is the free plasma level of a drug, nM.
    interventions : list of Intervention
    """

    name = "interventions"
    reads = ("clock",)
    writes = ("plasma", "extra_decay")

    def __init__(
        self,
        supply: np.ndarray,
        doses: list[tuple[int, Callable[[float], float]]],
        interventions: list[Intervention],
    ):
        self.supply, self.doses, self.interventions = supply, doses, interventions
        self.triggered: dict[str, bool] = {i.name: i.condition is None for i in interventions}
        self.given: set[str] = set()

    def step(self, tissue: Tissue, context: Context) -> None:
        """Write ``tissue.plasma`` and ``context.extra_decay``."""
        minutes = tissue.clock.minutes
        tissue.plasma[:] = self.supply
        for field, level in self.doses:
            tissue.plasma[field] += level(minutes)
        context.extra_decay[:] = 0.0
        for intervention in self.in_force(tissue):
            if intervention.field >= 0:
                context.extra_decay[intervention.field] += intervention.rate_per_min
                if intervention.supply is not None:
                    tissue.plasma[intervention.field] = intervention.supply
            if intervention.pool >= 0 and intervention.name not in self.given:
                self.given.add(intervention.name)
                tissue.pools[..., intervention.pool] += intervention.vesicles
                tissue.ledger.pools[intervention.pool, _GIVEN] += intervention.vesicles * tissue.grid.n_sites

    def in_force(self, tissue: Tissue) -> list[Intervention]:
        """Return the interventions that act at the present time."""
        now = tissue.clock.minutes
        active = []
        for intervention in self.interventions:
            if not intervention.start_min <= now < intervention.until_min:
                continue
            if not self.triggered[intervention.name] and intervention.condition is not None:
                self.triggered[intervention.name] = bool(intervention.condition(tissue))
            if self.triggered[intervention.name]:
                active.append(intervention)
        return active

    def modify(self, tissue: Tissue, cell_type: np.ndarray, io_behaviours: np.ndarray) -> None:
        """Multiply the behaviours that interventions in force act on."""
        every = np.ones(len(cell_type), bool)
        for intervention in self.in_force(tissue):
            if not intervention.columns:
                continue
            rows = np.isin(cell_type, intervention.cell_types) if intervention.cell_types else every
            for column in intervention.columns:
                if intervention.blocked_pool >= 0:
                    blocked = np.where(rows, io_behaviours[:, column], 0.0)[
                        tissue.cells.rows_in_site_order()
                    ].sum()
                    share = (1.0 - intervention.factor) * tissue.clock.dt_min
                    tissue.ledger.pools[intervention.blocked_pool, _BLOCKED] += share * blocked
                io_behaviours[rows, column] *= intervention.factor
                io_behaviours[rows, column] += intervention.added
