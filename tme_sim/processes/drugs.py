"""Drug inside cells: influx, efflux, metabolism, and the damage that outlasts exposure.

    dq/dt = influx − (k_out + k_met) q        q drug held, nM over the site
    dx/dt = k_dam H(q) [stage sensitive] − k_rep x

Drug held is advanced with the same implicit formula that the solve of its field uses (`processes.fields`), so that
what enters and leaves cells is exactly what the field loses and gains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.hill import hill as hill_response
from tme_sim.numerics.hill import power_term
from tme_sim.numerics.jit import kernel
from tme_sim.processes.base import Context
from tme_sim.state.ledger import DRUG_ACCOUNTS
from tme_sim.state.tissue import Tissue

_METABOLISED = DRUG_ACCOUNTS.index("metabolised")


@dataclass(frozen=True)
class DrugSpec:
    """What acts inside a cell.

    Attributes
    ----------
    field : int
        Index of the drug's field.
    half_max_nm, hill : float
        Drug held at which half the maximal damage rate is reached, and its power.
    lethal_hill : float
        Power of the death rate on damage.
    acts_in : tuple of bool
        Whether damage is done in G1, in S, in G2M, and in cells that never cycle (order of `codes.STAGES`).
    """

    name: str
    field: int
    half_max_nm: float
    hill: float
    lethal_hill: float
    acts_in: tuple[bool, ...]


@kernel
def act_in_cells(
    site: np.ndarray,
    stage: np.ndarray,
    influx: np.ndarray,
    efflux: np.ndarray,
    metabolism: np.ndarray,
    damage_rate: np.ndarray,
    repair: np.ndarray,
    acts: np.ndarray,
    half_max: float,
    hill: float,
    dt_min: float,
    field: np.ndarray,
    io_held: np.ndarray,
    io_damage: np.ndarray,
    io_exposure: np.ndarray,
    out_metabolised: np.ndarray,
) -> None:
    """Advance drug and damage of every cell.

    Parameters
    ----------
    influx, efflux, metabolism, damage_rate, repair : float64 (n,)
        Rates of the first n rows, 1/min.
    acts : bool (4,)
        Sensitive stages by stage code.
    field : float64 (n_sites,)
        Drug outside, nM.
    io_held, io_damage, io_exposure : float64 (n_rows,)
        Drug held (nM·site), damage, time integral of drug held (nM·min).
    out_metabolised : float64 (n_rows,)
        Drug metabolised in the step, nM·site.
    """
    for i in range(influx.shape[0]):
        loss = efflux[i] + metabolism[i]
        held = (io_held[i] + influx[i] * field[site[i]] * dt_min) / (1.0 + loss * dt_min)
        out_metabolised[i] = metabolism[i] * held * dt_min
        io_held[i] = held
        io_exposure[i] += held * dt_min
        keep = math.exp(-repair[i] * dt_min)
        gain = damage_rate[i] * hill_response(held, half_max, hill) if acts[stage[i]] else 0.0
        io_damage[i] = io_damage[i] * keep + gain * dt_min


@kernel
def damage_response(damage: np.ndarray, lethal_hill: float, out_response: np.ndarray) -> None:
    """Write x^m / (1 + x^m) of every cell's damage x."""
    for i in range(damage.shape[0]):
        x = power_term(damage[i], 1.0, lethal_hill)
        out_response[i] = x / (1.0 + x)


class Drugs:
    """Advance every drug inside every cell by one step."""

    name = "drugs"
    reads = ("behaviours", "cells.stage")
    writes = ("cells.drug", "cells.damage", "cells.exposure")

    def __init__(self, specs: list[DrugSpec]):
        self.specs = specs

    def step(self, tissue: Tissue, context: Context) -> None:
        """Let drug enter, leave, be metabolised and do damage."""
        cells = tissue.cells
        for column, spec in enumerate(self.specs):
            influx, efflux, metabolism, damaging, repair = (
                np.ascontiguousarray(context.of(f"{word} {spec.name}"))
                for word in ("influx", "efflux", "metabolism", "damage by", "repair of")
            )
            acts = np.array(spec.acts_in)
            outside = np.ascontiguousarray(tissue.fields[..., spec.field]).reshape(-1)
            held, damage, exposure = (
                np.ascontiguousarray(cells[name][:, column]) for name in ("drug", "damage", "exposure")
            )
            metabolised = np.zeros(cells.n)
            act_in_cells(
                cells["site"], cells["stage"], influx, efflux, metabolism, damaging, repair, acts, spec.half_max_nm,
                spec.hill, context.dt_min, outside, held, damage, exposure, metabolised,
            )  # fmt: skip
            cells["drug"][:, column], cells["damage"][:, column] = held, damage
            cells["exposure"][:, column] = exposure
            tissue.ledger.drugs[column, _METABOLISED] += metabolised[cells.rows_in_site_order()].sum()

    def responses(self, tissue: Tissue) -> np.ndarray:
        """Return the damage response of every cell and drug, float64 (n, n_drugs)."""
        out = np.zeros((tissue.cells.n, len(self.specs)))
        for column, spec in enumerate(self.specs):
            response = np.empty(tissue.cells.n)
            damage_response(
                np.ascontiguousarray(tissue.cells["damage"][:, column]), spec.lethal_hill, response
            )
            out[:, column] = response
        return out
