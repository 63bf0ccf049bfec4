"""Extracellular matrix: enzymes break it down, and it hinders vesicles.

dE/dt = −k E M/(K + M)            E matrix, M enzyme, at the same site
D(E)  = D / (1 + E/H)             D diffusion of vesicles without matrix
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.links import links_from_mobility
from tme_sim.numerics.multigrid import Multigrid
from tme_sim.processes.base import Context
from tme_sim.state.ledger import FIELD_ACCOUNTS
from tme_sim.state.tissue import Tissue

_DECAYED = FIELD_ACCOUNTS.index("decayed")


@dataclass(frozen=True)
class Digestion:
    """One field that breaks another one down.

    Attributes
    ----------
    field, enzyme : int
        Columns of what is broken down and of what does it.
    rate_per_min, half_max : float
        Rate of decay at saturating enzyme, and the enzyme at half of it, nM.
    """

    field: int
    enzyme: int
    rate_per_min: float
    half_max: float


class Matrix:
    """Break fields down by others, site by site, exactly over a step with the enzyme held."""

    name = "matrix"
    reads = ("fields",)
    writes = ()

    def __init__(self, digestions: list[Digestion]):
        self.digestions = digestions

    def step(self, tissue: Tissue, context: Context) -> None:
        """Digest; the amount enters the books of the field as decayed."""
        for digestion in self.digestions:
            enzyme = tissue.fields[..., digestion.enzyme]
            rate = digestion.rate_per_min * enzyme / (digestion.half_max + enzyme)
            lost = tissue.fields[..., digestion.field] * -np.expm1(-rate * context.dt_min)
            tissue.fields[..., digestion.field] -= lost
            tissue.ledger.fields[digestion.field, _DECAYED] += lost.sum() * tissue.grid.fluid_sites


class Hindrance:
    """Slow the diffusion of all vesicles where matrix is dense; runs before the solve of the vesicles.

    Parameters
    ----------
    solvers : list of Multigrid
        Of vesicles and of what they carry; from now on they share their links.
    field, half : int, float
        Column of the matrix, and the level at which diffusion is halved.
    """

    name = "hindrance"
    reads = ("fields",)
    writes = ("links of vesicles",)

    def __init__(self, solvers: list[Multigrid], field: int, half: float):
        self.solver, self.field, self.half = solvers[0], field, half
        for other in solvers[1:]:
            other.share_links(self.solver)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Set the conductance between sites from the matrix as it is now."""
        self.solver.set_links(links_from_mobility(1.0 / (1.0 + tissue.fields[..., self.field] / self.half)))
