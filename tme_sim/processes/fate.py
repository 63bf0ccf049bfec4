"""Death with its cause, transitions between cell types and the clearing of remains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tme_sim.numerics.jit import kernel
from tme_sim.numerics.philox import happens, uniform, uniforms
from tme_sim.processes.base import Context
from tme_sim.processes.killing import clearance_by_neighbours, risk_of_attack
from tme_sim.state.codes import ALIVE, APOPTOSIS, DRUG, KILLED, NECROSIS, REMOVED, STREAM_FATE
from tme_sim.state.events import DEATH, TRANSITION
from tme_sim.state.ledger import DRUG_ACCOUNTS, FIELD_ACCOUNTS
from tme_sim.state.tissue import Tissue

_METABOLISED, _SECRETED = DRUG_ACCOUNTS.index("metabolised"), FIELD_ACCOUNTS.index("secreted")
_NOTHING = -1
_NECROSIS, _FIRST_DRUG = 1, 2
_CLEARED = 2  # draw of the stream; 0 and 1 say whether and what befalls a living cell


def full_damage_at_one(tissue: Tissue) -> np.ndarray:
    """Return the damage response, float64 (n, n_drugs): damage itself, at most 1."""
    return np.minimum(tissue.cells["damage"], 1.0)


@dataclass
class Fate:
    """Competing risks of living cells: apoptosis, necrosis, each drug, regression, change of type, attack.

    With rates r_i (1/min) one draw says whether anything happens, with probability 1 - exp(-sum(r) dt), a
    second one what, in proportion to r_i. The rate of death from drug D is behaviour ``death from D`` times
    the response to the damage by D. A vessel regresses by apoptosis of its cells. The dead release what they
    held: docked vesicles to the pool of their site, drug to its field. Remains hold their site for the clearance
    time of their cause, or until living neighbours have cleared them, each at its rate ``phagocytosis``.

    Parameters
    ----------
    clearance_min : float64 (n_types, 5)
        Minutes until remains are cleared, by cell type and cause, in the order of `codes.DEATHS` from apoptosis on.
    drug_field : int64 (n_drugs,)
        Field of each drug, -1 for none (what is held is then booked as metabolised).
    damage_response : callable of Tissue to float64 (n, n_drugs)
        In [0, 1].
    """

    clearance_min: np.ndarray
    drug_field: np.ndarray
    damage_response: Callable[[Tissue], np.ndarray] = full_damage_at_one
    name: str = field(default="fate", init=False)
    reads: tuple[str, ...] = field(default=("behaviours", "cells.damage"), init=False)
    writes: tuple[str, ...] = field(default=("cells.death", "cells.died_min", "cells.type"), init=False)

    def __post_init__(self) -> None:
        self.clearance_min = np.array(self.clearance_min, np.float64)
        self.drug_field = np.array(self.drug_field, np.int64)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Clear old remains, then let each living cell meet its fate."""
        self._clear(tissue, context)
        cells = tissue.cells
        n = len(context.behaviours)
        if n == 0:
            return
        lay = tissue.layout
        wanted = ["apoptosis", "necrosis", *(f"death from {d}" for d in lay.drugs)]
        wanted += ["regression", *(f"transition to {t}" for t in lay.cell_types)]
        outcome = np.empty(n, np.int64)
        _draw_fates(
            cells["death"][:n],
            cells["lineage"][:n],
            context.behaviours,
            context.columns(wanted),
            np.ascontiguousarray(self.damage_response(tissue)[:n]),
            risk_of_attack(tissue, context),
            context.dt_min,
            uniforms(context.seed, cells["lineage"][:n], context.step, STREAM_FATE, 0),
            np.uint64(context.seed),
            context.step,
            outcome,
        )
        rows = np.flatnonzero(outcome != _NOTHING)
        rows = rows[np.argsort(cells["id"][rows], kind="stable")]
        first_type = _FIRST_DRUG + len(lay.drugs) + 1
        attacked = outcome[rows] == len(wanted)
        dying = (outcome[rows] < first_type) | attacked
        self._die(tissue, context, rows[dying], outcome[rows[dying]], attacked[dying])
        _change_type(tissue, context, rows[~dying], outcome[rows[~dying]] - first_type)

    def _clear(self, tissue: Tissue, context: Context) -> None:
        cells = tissue.cells
        death = cells["death"]
        rows = np.flatnonzero((death != ALIVE) & (death != REMOVED))
        due = cells["died_min"][rows] + self.clearance_min[cells["type"][rows], death[rows] - 1]
        gone = due <= context.end_min + 1e-9
        rate = clearance_by_neighbours(tissue, context)[rows]
        eaten = np.flatnonzero(rate > 0.0)
        number = uniforms(context.seed, cells["lineage"][rows[eaten]], context.step, STREAM_FATE, _CLEARED)
        gone[eaten] |= number < -np.expm1(-rate[eaten] * context.dt_min)
        death[rows[gone]] = REMOVED

    def _die(
        self, tissue: Tissue, context: Context, rows: np.ndarray, outcome: np.ndarray, attacked: np.ndarray
    ) -> None:
        if len(rows) == 0:
            return
        cells = tissue.cells
        by_drug = (outcome >= _FIRST_DRUG) & (outcome < _FIRST_DRUG + len(tissue.layout.drugs))
        cause = np.where(by_drug, DRUG, np.where(outcome == _NECROSIS, NECROSIS, APOPTOSIS))
        cause[attacked] = KILLED
        cells["death"][rows] = cause
        cells["died_min"][rows] = context.end_min
        release_contents(tissue, rows, self.drug_field)
        table = np.zeros(len(rows), DEATH)
        table["minutes"] = context.end_min
        for name in ("id", "type", "site"):
            table[name] = cells[name][rows]
        table["cause"] = cause
        table["drug"] = np.where(by_drug, outcome - _FIRST_DRUG, -1)
        tissue.events.deaths.append(table)


def release_contents(tissue: Tissue, rows: np.ndarray, drug_field: np.ndarray) -> None:
    """Give back what dying cells hold: docked vesicles and their drug, drug to its field; cargo is lost.

    Parameters
    ----------
    tissue : Tissue
        Changed in place; no amount of vesicles or drug is made or lost.
    rows : int64 (k,)
        Rows of the dying cells.
    drug_field : int64 (n_drugs,)
        Field of each drug, -1 for none.
    """
    cells = tissue.cells
    sites = cells["site"][rows]
    tissue.pool_table[sites] += cells["docked"][rows]
    tissue.load_table[sites] += cells["load"][rows]
    fields = tissue.field_table
    order = np.argsort(sites)
    for drug, at in enumerate(drug_field):
        held = cells["drug"][rows, drug]
        if at >= 0:
            fields[sites, at] += held / tissue.capacity(at)
            tissue.ledger.fields[at, _SECRETED] += held[order].sum()
        else:
            tissue.ledger.drugs[drug, _METABOLISED] += held[order].sum()
    for name in ("docked", "load", "drug", "cargo"):
        cells[name][rows] = 0.0


def _change_type(tissue: Tissue, context: Context, rows: np.ndarray, to_type: np.ndarray) -> None:
    if len(rows) == 0:
        return
    cells = tissue.cells
    table = np.zeros(len(rows), TRANSITION)
    table["minutes"] = context.end_min
    table["id"], table["site"] = cells["id"][rows], cells["site"][rows]
    table["from_type"], table["to_type"] = cells["type"][rows], to_type
    cells["type"][rows] = to_type
    tissue.events.transitions.append(table)


@kernel
def _draw_fates(
    death, lineage, behaviours, columns, response, attack, dt_min, number, seed, step, out_outcome
):
    n_drugs = response.shape[1]
    n_risks = len(columns) + 1
    rates = np.empty(n_risks)
    for i in range(len(out_outcome)):
        out_outcome[i] = _NOTHING
        if death[i] != ALIVE:
            continue
        rates[n_risks - 1] = attack[i]
        total = attack[i]
        for k in range(n_risks - 1):
            rates[k] = max(behaviours[i, columns[k]], 0.0) if columns[k] >= 0 else 0.0
            if _FIRST_DRUG <= k < _FIRST_DRUG + n_drugs:
                rates[k] *= response[i, k - _FIRST_DRUG]
            total += rates[k]
        if not happens(number[i], total * dt_min):
            continue
        left = uniform(seed, lineage[i], step, STREAM_FATE, 1) * total
        for k in range(n_risks):
            if rates[k] <= 0.0:
                continue
            out_outcome[i] = k
            left -= rates[k]
            if left < 0.0:
                break
