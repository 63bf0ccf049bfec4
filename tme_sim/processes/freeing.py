"""Vesicles that fall apart set their soluble cargo free into fields.

    amount of field = amount per vesicle × vesicles decayed in the step, at each site

The vesicles that decayed are those of the vesicles' own books, so that what is freed follows from them to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

from tme_sim.processes.base import Context
from tme_sim.state.ledger import FIELD_ACCOUNTS
from tme_sim.state.tissue import Tissue

_SECRETED = FIELD_ACCOUNTS.index("secreted")


@dataclass(frozen=True)
class FreedCargo:
    """Soluble cargo of one pool.

    Attributes
    ----------
    pool, field : int
        Where the vesicles are, and where their cargo goes.
    decay_per_min : float
        Decay rate of the free vesicles.
    amount : float
        What one vesicle sets free, concentration unit of the field times sites.
    """

    pool: int
    field: int
    decay_per_min: float
    amount: float


class Freeing:
    """Add what decayed vesicles set free to its fields; runs right behind the solve of the vesicles."""

    name = "freeing"
    reads = ("pools",)
    writes = ()

    def __init__(self, specs: list[FreedCargo]):
        self.specs = specs

    def step(self, tissue: Tissue, context: Context) -> None:
        """Free the cargo of the step; it enters the books of its field as secreted."""
        for spec in self.specs:
            freed = (spec.amount * spec.decay_per_min * context.dt_min) * tissue.pools[..., spec.pool]
            tissue.fields[..., spec.field] += freed / tissue.grid.fluid_sites
            tissue.ledger.fields[spec.field, _SECRETED] += freed.sum()
