"""Heredity: the clones and traits of founders, and what daughters inherit of them.

A trait has a standard normal score per cell; its value is that of its distribution at the score, times (or plus)
the value of the cell's clone. At division both cells get a score

    z' = h z + √(1 − h²) ε       h heritability, ε standard normal

so that the distribution of a trait stays what it is without selection, and sisters are correlated by h². With the
declared probability per division the daughter, one of the two, changes its clone: mutation where there is no way
back, switching where there is, asymmetric division of stem-like cells where the probability is large.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.philox import uniforms
from tme_sim.numerics.spread import inherit, scores, value_of
from tme_sim.processes.base import Context
from tme_sim.state.cells import Cells
from tme_sim.state.codes import STREAM_VARIATION
from tme_sim.state.events import SWITCH
from tme_sim.state.tissue import Tissue

# Draws of the stream: clone and barcode of a founder, switch of a daughter, scores of daughters and of mothers.
_CLONE, _BARCODE, _SWITCH, _SCORE, _MOTHER = 0, 1, 2, 16, 4096


@dataclass(frozen=True)
class Trait:
    """One heritable trait of one cell type.

    Attributes
    ----------
    kind : int
        Cell type, -1 for all.
    multiplies : bool
        True: the clone's value multiplies that of the distribution; False: they add up.
    spread, a, b, low, high
        Distribution, see `numerics.spread.value_of`.
    heritability : float
        Correlation of the scores of daughter and mother, 0 to 1.
    of_clone : float64 (n_clones + 1,)
        Value of each clone by its code.
    """

    kind: int
    multiplies: bool
    spread: int
    a: float
    b: float
    low: float
    high: float
    heritability: float
    of_clone: np.ndarray

    def value(self, score: np.ndarray, clone: np.ndarray) -> np.ndarray:
        """Return the trait as expressed by cells with these scores and clones, float64 (n,)."""
        drawn = value_of(score, self.spread, self.a, self.b, self.low, self.high)
        return drawn * self.of_clone[clone] if self.multiplies else drawn + self.of_clone[clone]


@dataclass(frozen=True)
class Inheritance:
    """Numbers of all types.

    Attributes
    ----------
    traits : tuple of Trait
        In the order of ``layout.traits``.
    founders : float64 (n_types, n_clones + 1)
        Cumulative shares of the clones among the founders of each type; code 0 where a type has none.
    switching : float64 (n_clones + 1, n_clones + 1)
        Cumulative probability per division that a daughter of a clone's cell belongs to another one.
    barcodes : int64 (n_types,)
        Size of the library that founders draw a barcode from; 0: each founder has its own, its id.
    """

    traits: tuple[Trait, ...]
    founders: np.ndarray
    switching: np.ndarray
    barcodes: np.ndarray


def endow(inheritance: Inheritance, cells: Cells, rows: np.ndarray, seed: int) -> None:
    """Draw clone, barcode and traits of the founders in ``rows``, each by its lineage key alone."""
    key, kind = cells["lineage"][rows], cells["type"][rows]
    drawn = uniforms(seed, key, 0, STREAM_VARIATION, _CLONE)
    cells["clone"][rows] = (drawn[:, None] >= inheritance.founders[kind]).sum(axis=1)
    size = inheritance.barcodes[kind]
    drawn = uniforms(seed, key, 0, STREAM_VARIATION, _BARCODE)
    cells["barcode"][rows] = np.where(size > 0, (drawn * size).astype(np.int64), cells["founder"][rows])
    for column in range(len(inheritance.traits)):
        cells["scores"][rows, column] = scores(uniforms(seed, key, 0, STREAM_VARIATION, _SCORE + column))
    express(inheritance, cells, rows)


def express(inheritance: Inheritance, cells: Cells, rows: np.ndarray) -> None:
    """Write the traits of ``rows`` from their scores and clones; the neutral value in other cell types."""
    kind, clone = cells["type"][rows], cells["clone"][rows]
    for column, trait in enumerate(inheritance.traits):
        value = trait.value(cells["scores"][rows, column], clone)
        cells["traits"][rows, column] = np.where(
            (kind == trait.kind) | (trait.kind < 0), value, float(trait.multiplies)
        )


class Heredity:
    """Give the daughters of the step, and their mothers, what they inherit; runs right after division."""

    name = "heredity"
    reads = ("cells.births",)
    writes = ("cells.clone", "cells.traits", "cells.scores")

    def __init__(self, inheritance: Inheritance):
        self.inheritance = inheritance

    def step(self, tissue: Tissue, context: Context) -> None:
        """Inherit with noise, then switch."""
        cells = tissue.cells
        daughters = np.arange(len(context.behaviours), cells.n)
        if len(daughters) == 0:
            return
        parents = cells.rows_of(cells["parent"][daughters])
        daughters, mothers = daughters[parents >= 0], parents[parents >= 0]
        for column, trait in enumerate(self.inheritance.traits):
            if trait.heritability < 1.0:
                for rows, draw in ((daughters, _SCORE + column), (mothers, _MOTHER + column)):
                    number = uniforms(
                        context.seed, cells["lineage"][rows], context.step, STREAM_VARIATION, draw
                    )
                    score = cells["scores"][rows, column]
                    cells["scores"][rows, column] = inherit(score, scores(number), trait.heritability)
        self._switch(tissue, context, daughters)
        express(self.inheritance, cells, np.concatenate([daughters, mothers]))

    def _switch(self, tissue: Tissue, context: Context, daughters: np.ndarray) -> None:
        """Let daughters change their clone."""
        cells = tissue.cells
        before = cells["clone"][daughters].copy()
        drawn = uniforms(context.seed, cells["lineage"][daughters], context.step, STREAM_VARIATION, _SWITCH)
        after = (drawn[:, None] >= self.inheritance.switching[before]).sum(axis=1)
        # Past the last probability nothing changes.
        after = np.where(after < self.inheritance.switching.shape[1], after, before)
        rows = daughters[after != before]
        if len(rows) == 0:
            return
        cells["clone"][daughters] = after
        rows = rows[np.argsort(cells["id"][rows])]
        table = np.zeros(len(rows), SWITCH)
        table["minutes"] = context.end_min
        for name in ("id", "site"):
            table[name] = cells[name][rows]
        table["from_clone"] = before[np.searchsorted(daughters, rows)]
        table["to_clone"] = cells["clone"][rows]
        tissue.events.switches.append(table)
