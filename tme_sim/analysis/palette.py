"""Colours that people with any colour vision tell apart (Okabe and Ito), one per kind of cell."""

from __future__ import annotations

from collections.abc import Sequence

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY, PALE = "#8C8C8C", "#EDEDED"

CYCLING = VERMILLION
RATIO = (VERMILLION, "#EDA264", "#F6E3A1", "#8CC4E4", BLUE)  # of a measure where less is worse, 0 to 1
DEATHS = {"necrosis": BLACK, "apoptosis": "#606060", "drug": PURPLE, "removed": GREY, "killed": "#5C3A00"}

_TYPES = {
    "tumour": ORANGE,
    "tumor": ORANGE,
    "csc": YELLOW,
    "hsc": SKY,
    "stellate": SKY,
    "macrophage": GREEN,
    "endothelial": BLUE,
    "fibroblast": YELLOW,
    "caf": "#A79B00",
}
_SPARE = ("#7B4FA3", "#6B4C2A", "#00B2B2", "#B0003A", "#4C6A00", "#3A3A8C")


def on_white(colour: str | None) -> str | None:
    """Return a colour as thin lines need it: yellow is darker there."""
    return "#A79B00" if colour == YELLOW else colour


def type_colours(cell_types: Sequence[str]) -> dict[str, str]:
    """Return one colour per cell type; the same type has the same colour in every figure of a scenario."""
    out: dict[str, str] = {}
    spare = iter(_SPARE * (1 + len(cell_types) // len(_SPARE)))
    for name in cell_types:
        words = [name.lower(), *name.lower().split("_")]
        known = next((_TYPES[word] for word in words if word in _TYPES), None)
        out[name] = known if known is not None and known not in out.values() else next(spare)
    return out
