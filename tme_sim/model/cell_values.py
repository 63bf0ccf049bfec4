"""Values of cells by name, as an agent shows them."""

from __future__ import annotations

import numpy as np

from tme_sim.model.exchange import enter_change, unknown_name
from tme_sim.state.codes import ALIVE, DEATHS, STAGES
from tme_sim.state.tissue import Tissue

# Columns that others must agree with (occupant, events, random numbers): only the processes write them.
_READ_ONLY = frozenset(
    ("id", "parent", "founder", "lineage", "births", "generation", "type", "site", "born_min", "died_min")
)
_WORDS = ("unique_id", "cell_type", "stage", "death", "alive", "x", "y", "z")
_MATRICES = ("variables", "cargo", "docked", "drug", "damage", "exposure")


def read(tissue: Tissue, name: str, rows: np.ndarray) -> np.ndarray | None:
    """Return one value per row, or None where cells have no such value.

    Parameters
    ----------
    name : str
        ``unique_id``, ``cell_type``, ``stage`` and ``death`` (words), ``alive``, ``x``, ``y``, ``z`` (site
        indices), any scalar column, or a variable, cargo, drug or pool by its own name.
    rows : int64 (n,)
        Rows of the cells.

    Returns
    -------
    (n,), a copy; dtype of the column, str for words.
    """
    cells = tissue.cells
    if name == "unique_id":
        return cells["id"][rows]
    if name == "cell_type":
        return np.array(tissue.layout.cell_types)[cells["type"][rows]]
    if name == "stage":
        return np.array(STAGES)[cells["stage"][rows]]
    if name == "death":
        return np.array(DEATHS)[cells["death"][rows]]
    if name == "alive":
        return cells["death"][rows] == ALIVE
    column = cells.column(name)
    if column is not None:
        return column[rows]
    if name in ("x", "y", "z"):
        return tissue.grid.coordinates(cells["site"][rows])["zyx".index(name)]
    return None


def read_matrix(tissue: Tissue, name: str, row: int) -> dict[str, float] | None:
    """Return a matrix column of one cell, by name (``damage`` by drug); None where it is not one."""
    if name not in _MATRICES:
        return None
    names = dict(tissue.cells.named_groups()).get(name, tissue.layout.drugs)
    return dict(zip(names, tissue.cells[name][row].tolist(), strict=True))


def write(tissue: Tissue, name: str, rows: np.ndarray, values: object) -> None:
    """Set one value of every row; changed amounts of drug and docked vesicles are entered as given.

    Parameters
    ----------
    name : str
        ``stage``, ``stage_left_min``, or a variable, cargo, drug or pool by its own name.
    values : object
        One value for all, or (n,). Stages as words.

    Raises
    ------
    AttributeError
        Cells have no such value, or it belongs to the processes.
    ValueError
        A value is not finite, negative, or no stage.
    """
    if name in _READ_ONLY or (name in _WORDS and name != "stage"):
        raise AttributeError(f"{name} of a cell cannot be set; it is kept by the model")
    if name == "stage":
        tissue.cells["stage"][rows] = _stage_codes(values)
        return
    column = tissue.cells.column(name)
    if column is None:
        raise AttributeError(unknown_name("value of a cell is", name, value_names(tissue)))
    new = np.broadcast_to(np.asarray(values, float), np.shape(rows))
    if not (np.isfinite(new).all() and (new >= 0.0).all()):
        raise ValueError(f"{name}: got {values}; expected finite and not negative")
    change = float(np.sum(new - column[rows]))
    column[rows] = new
    for group, names in tissue.cells.named_groups():
        if name in names:
            enter_change(tissue, group, names.index(name), change)
            return


def value_names(tissue: Tissue) -> tuple[str, ...]:
    """Return every name that `read` knows."""
    cells = tissue.cells
    scalars = (name for name in cells.names if name not in _MATRICES and name not in _WORDS)
    return (*_WORDS, *scalars, *(name for _, names in cells.named_groups() for name in names))


def _stage_codes(values: object) -> np.ndarray:
    words = np.asarray(values)
    codes = np.full(words.shape, -1, np.int8)
    for code, word in enumerate(STAGES):
        codes[words == word] = code
    if (codes < 0).any():
        raise ValueError(f"stage: got {values}; expected one of {', '.join(STAGES)}")
    return codes
