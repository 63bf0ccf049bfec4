"""Kinds of cells as the page tells them apart: type and state, each with a colour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tme_sim.analysis.palette import CYCLING, DEATHS, type_colours
from tme_sim.measures.measure import tumour_types
from tme_sim.state.cells import Cells
from tme_sim.state.codes import ALIVE, G2M, STAGES, S
from tme_sim.state.codes import DEATHS as CAUSES
from tme_sim.state.layout import Layout

# Types that are drawn in another colour once a variable of theirs is above one half.
_TURNED = (("hsc", "activation", "activated", "#6A3D9A"), ("stellate", "activation", "activated", "#6A3D9A"),
           ("fibroblast", "CAF", "CAF", "#7A7000"))  # fmt: skip
_HALF = 0.5


@dataclass(frozen=True)
class Kind:
    """A kind of cell: what the legend says and its colour."""

    label: str
    colour: str


class Kinds:
    """The kinds of a layout; code ``i + 1`` stands for ``kinds[i]``.

    States are read off the cells: tumour cells in S or G2/M, stroma whose state variable is above one half, remains
    by their cause of death.
    """

    def __init__(self, layout: Layout):
        colours = type_colours(layout.cell_types)
        self.kinds = [Kind(name.replace("_", " "), colours[name]) for name in layout.cell_types]
        n = len(layout.cell_types)
        self._of_type = np.tile(np.arange(1, n + 1, dtype=np.uint8), (2, 1))  # not cycling, cycling
        tumour = [layout.cell_types.index(name) for name in tumour_types(layout)]
        if tumour:
            self._of_type[1, tumour] = self._add("tumour in S, G2/M", CYCLING)
        self._cycles = np.isin(np.arange(len(STAGES)), (S, G2M))
        self._turned = [
            (
                layout.cell_types.index(name),
                layout.variables.index(variable),
                self._add(f"{name}, {word}", colour),
            )
            for name, variable, word, colour in _turned(layout)
        ]
        self._of_death = np.zeros(len(CAUSES), np.uint8)
        for cause, colour in DEATHS.items():
            self._of_death[CAUSES.index(cause)] = self._add(f"dead: {cause}", colour)

    def _add(self, label: str, colour: str) -> int:
        self.kinds.append(Kind(label, colour))
        return len(self.kinds)

    def codes(self, cells: Cells, rows: np.ndarray) -> np.ndarray:
        """Return the code of every cell, uint8 (n,)."""
        kind, death = cells["type"][rows], cells["death"][rows]
        cycling = self._cycles[cells["stage"][rows]].astype(np.uint8)
        code = self._of_type[cycling, kind]
        for name, variable, turned in self._turned:
            code[(kind == name) & (cells["variables"][rows, variable] > _HALF)] = turned
        return np.where(death == ALIVE, code, self._of_death[death])


def _turned(layout: Layout) -> Iterator[tuple[str, str, str, str]]:
    for name in layout.cell_types:
        for kind, variable, word, colour in _TURNED:
            if kind in name.lower().split("_") and variable in layout.variables:
                yield name, variable, word, colour
                break
