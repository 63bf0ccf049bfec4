"""Living vessels: sprouts start, move on along gradients, branch and join other vessels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tme_sim.numerics.lattice import directions
from tme_sim.numerics.philox import uniforms
from tme_sim.processes.base import Context
from tme_sim.processes.cycle import ready_to_divide
from tme_sim.processes.division import append_daughters, chain_length, record_births
from tme_sim.processes.migration import SENSED_STEP, pull_at
from tme_sim.processes.vessel_network import VesselNetwork
from tme_sim.state.codes import ALIVE, STREAM_SPROUTING
from tme_sim.state.tissue import Tissue
from tme_sim.state.vasculature import Vasculature

_WHETHER, _DIRECTION, _PRIORITY, _PARTNER = range(4)


@dataclass
class Angiogenesis:
    """Let tips join what they meet and move on, then let other vessel cells sprout, branches included.

    The tip of a sprout is a vessel cell with one link that is no root. It moves on by a daughter at the next
    site, linked to it, so that a stalk stays behind, at a rate that makes the way ``extension`` (µm/min)
    long per minute. The site is drawn with weight exp(g·d/|d| + persistence · h·d/|d|), g the sum of
    normalised gradients times ``chemotaxis to FIELD`` as in `Migration`, h the direction from the stalk. Any
    other vessel cell starts a sprout alike at the rate ``sprouting``, unless a tip is within ``inhibition``
    links. Cells in the way are pushed along the line, as in `Division`. A vessel cell that has passed its
    cycle moves on or sprouts at once. A tip beside a vessel cell more than ``inhibition`` links away is linked
    to it. Whoever acts does so in order of a random priority, ties by lineage key.

    Parameters
    ----------
    inhibition : int
        Links within which a vessel takes no second tip, and a tip counts what it meets as its own vessel.
    persistence : float
        Weight of going straight on.
    push : int
        Cells that a new vessel cell may push along.
    movable : bool (n_types,)
        Types that can be pushed.
    """

    inhibition: int
    persistence: float
    push: int
    movable: np.ndarray
    name: str = field(default="angiogenesis", init=False)
    reads: tuple[str, ...] = field(default=("behaviours", "fields", "cells.stage"), init=False)
    writes: tuple[str, ...] = field(default=("links",), init=False)

    def step(self, tissue: Tissue, context: Context) -> None:
        """Grow the vessels by one step; links of cells that have died are dropped."""
        if tissue.vasculature is not None:
            _Step(self, tissue, tissue.vasculature, context).run()


class _Step:
    """One step of growth: what its parts share."""

    def __init__(self, rule: Angiogenesis, tissue: Tissue, vasculature: Vasculature, context: Context):
        self.rule, self.tissue, self.context, self.vasculature = rule, tissue, context, vasculature
        self.network = VesselNetwork.of(tissue, vasculature)
        self.steps = directions(tissue.grid.shape, moore=True)
        self.length = np.sqrt((self.steps**2).sum(axis=1))
        self.unit = self.steps / self.length[:, None]
        self.columns = context.columns([f"chemotaxis to {name}" for name in tissue.layout.fields])
        self.ready = ready_to_divide(tissue.cells)

    def run(self) -> None:
        """Join, move on, sprout; then write the links."""
        self.join()
        self.extend()
        self.sprout()
        self.vasculature.links = self.network.links(self.tissue.cells["id"])

    def draw(self, rows: np.ndarray, use: int) -> np.ndarray:
        """Return one random number per row."""
        lineage = self.tissue.cells["lineage"][rows]
        return uniforms(self.context.seed, lineage, self.context.step, STREAM_SPROUTING, use)

    def in_turn(self, rows: np.ndarray) -> np.ndarray:
        """Return rows in the order in which they act."""
        return rows[np.lexsort((self.tissue.cells["lineage"][rows], self.draw(rows, _PRIORITY)))]

    def join(self) -> None:
        """Link every tip to one of the other vessels beside it."""
        tips = self.in_turn(self.network.tips())
        beside = self.vessels_beside(tips)
        meets = (beside >= 0).sum(axis=1) > 1  # its own stalk stands beside it
        partners = self.draw(tips, _PARTNER)[meets]
        for tip, around, number in zip(tips[meets].tolist(), beside[meets], partners, strict=True):
            met = around[around >= 0].tolist()
            if not self.network.is_tip(tip):
                continue
            own = self.network.within(tip, self.rule.inhibition)
            others = [row for row in met if row not in own]
            if others:
                self.network.add(tip, others[int(number * len(others))])

    def extend(self) -> None:
        """Let tips move on."""
        rows = self.acting(self.network.tips())
        speed, ready = self.context.of("extension")[rows], self.ready[rows]
        per_site = speed * self.context.dt_min / self.tissue.grid.spacing_um
        number = self.draw(rows, _WHETHER)
        some = ready | (number < -np.expm1(-per_site))
        chance = dict(zip(rows.tolist(), zip(per_site, number, strict=True), strict=True))
        for tip in self.in_turn(rows[some]).tolist():
            if not self.network.is_tip(tip):
                continue
            at = self.tissue.grid.coordinates(self.tissue.cells["site"][[self.network.around(tip)[0], tip]])
            ahead = np.diff(np.stack(at, axis=1), axis=0)[0].astype(float)
            goal = self.direction(tip, self.rule.persistence * ahead / np.sqrt((ahead**2).sum()))
            if goal < 0:
                continue
            rate, drawn = chance[tip]
            if self.ready[tip] or drawn < -np.expm1(-rate / self.length[goal]):
                self.place(tip, goal)

    def sprout(self) -> None:
        """Let cells far enough from all tips start a sprout."""
        rows = self.acting(self.network.rows)
        rate = self.context.of("sprouting")[rows]
        some = self.ready[rows] | (self.draw(rows, _WHETHER) < -np.expm1(-rate * self.context.dt_min))
        for row in self.in_turn(rows[some]).tolist():
            near = self.network.within(row, self.rule.inhibition)
            if any(self.network.is_tip(other) for other in near):
                continue
            goal = self.direction(row, np.zeros(3))
            if goal >= 0:
                self.place(row, goal)

    def acting(self, rows: np.ndarray) -> np.ndarray:
        """Return those of the rows that have behaviours in this step."""
        return rows[rows < len(self.context.behaviours)]

    def vessels_beside(self, rows: np.ndarray) -> np.ndarray:
        """Return the living vessel cells at the neighbour sites of rows, (n, n_directions); -1 where there is none."""
        cells, shape = self.tissue.cells, self.tissue.grid.shape
        to = np.stack(self.tissue.grid.coordinates(cells["site"][rows]), axis=1)[:, None] + self.steps
        inside = ((to >= 0) & (to < shape)).all(axis=2)
        met = cells.occupant[np.ravel_multi_index(tuple(np.moveaxis(to, 2, 0)), shape, mode="clip")]
        vessel = (cells["type"][met] == self.vasculature.cell_type) & (cells["death"][met] == ALIVE)
        return np.where(inside & (met >= 0) & vessel, met, -1)

    def direction(self, row: int, ahead: np.ndarray) -> int:
        """Return the drawn direction in which there is room, -1 without any."""
        cells, force = self.tissue.cells, np.empty(3)
        room = np.array([self.pushed(row, d) >= 0 for d in range(len(self.steps))])
        if not room.any():
            return -1
        behaviours = self.context.behaviours[row]
        pull_at(cells["site"][row], behaviours, self.columns, self.tissue.fields, SENSED_STEP, force)
        along = self.unit @ (force + ahead)
        weight = np.where(room, np.exp(np.minimum(along - along[room].max(), 0.0)), 0.0)
        total = np.cumsum(weight)
        number = self.draw(np.array([row]), _DIRECTION)[0]
        return int(np.searchsorted(total, number * total[-1], side="right"))

    def pushed(self, row: int, d: int) -> int:
        """Return how many cells must move for the next site in a direction to be free, -1 where impossible."""
        cells, nobody = self.tissue.cells, np.empty(0, np.int64)
        return chain_length(
            cells["site"][row], d, self.steps, cells.occupant, cells["type"], cells["death"], self.rule.movable,
            nobody, self.rule.push, *self.tissue.grid.shape,
        )  # fmt: skip

    def place(self, mother: int, d: int) -> None:
        """Put a daughter at the next site in a direction and link it; cells there move up by one."""
        cells = self.tissue.cells
        here = np.stack(self.tissue.grid.coordinates(cells["site"][[mother]]), axis=1)
        way = here + np.arange(1, self.pushed(mother, d) + 2)[:, None] * self.steps[d]
        sites = np.asarray(np.ravel_multi_index(tuple(way.T), self.tissue.grid.shape))
        cells.move(cells.occupant[sites[:-1]].copy(), sites[1:])
        stage, left = cells["stage"][mother], cells["stage_left_min"][mother]
        daughter = append_daughters(cells, np.array([mother]), sites[:1], self.context)
        if not self.ready[mother]:
            cells["stage"][mother], cells["stage_left_min"][mother] = stage, left
            cells["stage"][daughter], cells["stage_left_min"][daughter] = stage, left
        record_births(self.tissue, daughter, self.context)
        self.network.add(mother, int(daughter[0]))
