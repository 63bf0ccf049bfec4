"""Vesicles that fall apart set their soluble cargo free into fields.

    amount of field = amount per vesicle × vesicles decayed in the step, at each site

The vesicles that decayed are those of the vesicles' own books, so that what is freed follows from them to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.jit import kernel
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
        self.pool = np.array([spec.pool for spec in specs], np.int64)
        self.field = np.array([spec.field for spec in specs], np.int64)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Free the cargo of the step; it enters the books of its field as secreted."""
        share = np.array([spec.amount * spec.decay_per_min * context.dt_min for spec in self.specs])
        freed = np.empty((len(self.specs), tissue.grid.n_sites))
        _free(
            tissue.pool_table.T,
            self.pool,
            self.field,
            share,
            tissue.grid.fluid_sites,
            tissue.field_table.T,
            freed,
        )
        for field, amount in zip(self.field, freed, strict=True):
            tissue.ledger.fields[field, _SECRETED] += amount.sum()


@kernel
def _free(pools, pool, field, share, fluid_sites, io_fields, out_freed):
    """Add every cargo to its field; pools and fields with a row each."""
    for k in range(len(share)):
        free, values, freed = pools[pool[k]], io_fields[field[k]], out_freed[k]
        for site in range(len(free)):
            freed[site] = share[k] * free[site]
            values[site] += freed[site] / fluid_sites
