"""From tissue to the linear systems of its species and back, one species in the solver's planes at a time.

For species u with step Δt (steady: 1/Δt → 0), uptake U, sources S and vessels v that exchange e with plasma P:

    (1/Δt + λ + e v + U) u − ∇·(D ∇u) = u_old/Δt + e v P + S

What a step writes for a species is solved and booked before the next species is written, so that it stays in
cache. Sums have one lane per place in a block, added in order at the end.
"""

from __future__ import annotations

import numpy as np

from tme_sim.numerics.conserve import LANES, balance
from tme_sim.numerics.errors import SolveError
from tme_sim.numerics.jit import kernel
from tme_sim.numerics.lanes import sum_lanes
from tme_sim.numerics.levels import FIRST
from tme_sim.numerics.multigrid import Multigrid
from tme_sim.numerics.planes import fold, unfold

# Rows of the sums of one species: u, vessel·u, consumed rate, and what `balance` returns.
TOTAL, AT_VESSELS, CONSUMED, SUPPLIED, REMOVED = range(5)
N_SUMS = 5


class Places:
    """Where the sites of a lattice lie in the planes of its solver.

    Attributes
    ----------
    inside : slice
        Part of a plane that holds the sites.
    of_site : uint32 (n_sites,)
        Within that part; unsigned, since numba wraps negative indices.
    gaps : uint32
        Places without a site.
    level : uint64 (9,)
        The finest level's row of `levels.Levels.table`, counted from the start of that part.
    """

    def __init__(self, solver: Multigrid):
        self.inside, of_site, gaps = solver.places()
        self.of_site, self.gaps = of_site.astype(np.uint32), gaps.astype(np.uint32)
        self.level = solver.level()
        self.level[FIRST] = 0


@kernel
def scatter(values: np.ndarray, unit: float, places: np.ndarray, out_plane: np.ndarray) -> None:
    """Write ``values`` (n,) times a unit to the places (n,) of the cells they belong to."""
    for i in range(len(values)):
        out_plane[places[i]] = values[i] * unit


@kernel
def scatter_where_free(value: float, occupant: np.ndarray, places: np.ndarray, out_plane: np.ndarray) -> None:
    """Write a value to all sites without a cell, zero to the others."""
    for site in range(len(occupant)):
        out_plane[places[site]] = value if occupant[site] < 0 else 0.0


@kernel
def assemble(
    values: np.ndarray,
    level: np.ndarray,
    places: np.ndarray,
    gaps: np.ndarray,
    vessel: np.ndarray,
    vessel_sites: np.ndarray,
    half_saturation: float,
    loss: float,
    exchange: float,
    plasma: float,
    inverse_dt: float,
    linearise: bool,
    io_uptake: np.ndarray,
    out_u: np.ndarray,
    out_diag: np.ndarray,
    io_rhs: np.ndarray,
) -> float:
    """Write one species' system to planes and return what is secreted, unit/min over all sites.

    ``values``, ``vessel`` and ``places`` are (n_sites,), ``level`` as in `Places`; ``io_rhs`` holds the sources,
    unit/min; ``loss`` is 1/dt and decay, 1/min. With ``linearise`` a Michaelis–Menten uptake V becomes the rate
    V/(K + u) at the last concentration; without, uptake is left out of the diagonal (the nonlinear solver adds it).
    """
    unfold(values, level, out_u)
    secreted = np.zeros(LANES)
    for begin in range(0, len(out_u), LANES):
        u, uptake = out_u[begin : begin + LANES], io_uptake[begin : begin + LANES]
        diag, rhs = out_diag[begin : begin + LANES], io_rhs[begin : begin + LANES]
        n = len(u)
        if linearise and half_saturation > 0.0:
            for i in range(n):
                uptake[i] /= half_saturation + u[i]
        for i in range(n):
            diag[i] = loss + (uptake[i] if linearise else 0.0)
        for i in range(n):
            secreted[i] += rhs[i]
            rhs[i] += u[i] * inverse_dt
    for gap in gaps:
        out_diag[gap] = 0.0
    for site in vessel_sites:
        out_diag[places[site]] += exchange * vessel[site]
        io_rhs[places[site]] += exchange * vessel[site] * plasma
    return sum_lanes(secreted, LANES)


@kernel
def take_solution(
    diag: np.ndarray,
    rhs: np.ndarray,
    uptake: np.ndarray,
    io_u: np.ndarray,
    conserving: bool,
    half_saturation: float,
    level: np.ndarray,
    vessel: np.ndarray,
    vessel_sites: np.ndarray,
    out_values: np.ndarray,
    out_sums: np.ndarray,
) -> None:
    """Close the balance of one species, if wanted, write it to ``out_values`` (n_sites,) and sum for the books.

    ``half_saturation`` above 0 means that ``uptake`` is a maximal rate; ``out_sums`` is (N_SUMS,).
    """
    if conserving:
        out_sums[SUPPLIED], out_sums[REMOVED] = balance(diag, rhs, io_u)
    total, consumed = np.zeros(LANES), np.zeros(LANES)
    for begin in range(0, len(io_u), LANES):
        u, rate = io_u[begin : begin + LANES], uptake[begin : begin + LANES]
        for i in range(len(u)):
            total[i] += u[i]
        if half_saturation > 0.0:
            for i in range(len(u)):
                consumed[i] += rate[i] * u[i] / (half_saturation + u[i])
        else:
            for i in range(len(u)):
                consumed[i] += rate[i] * u[i]
    fold(io_u, level, out_values)
    at_vessels = 0.0
    for site in vessel_sites:
        at_vessels += vessel[site] * out_values[site]
    out_sums[TOTAL], out_sums[CONSUMED] = sum_lanes(total, LANES), sum_lanes(consumed, LANES)
    out_sums[AT_VESSELS] = at_vessels


def check_balance(sums: np.ndarray) -> None:
    """Raise SolveError for a species, one per row of ``sums``, that has a source and no value to balance it."""
    for species in np.flatnonzero((sums[:, REMOVED] <= 0.0) & (sums[:, SUPPLIED] != 0.0)):
        raise SolveError("a source but no value to balance it", int(species), float("inf"), 0)
