"""A cell as a Mesa agent: a light view of one row of the state."""

from __future__ import annotations

import copyreg
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

import mesa
import numpy as np

from tme_sim.model.cell_values import read, read_matrix, value_names, write
from tme_sim.model.exchange import site_values, unknown_name
from tme_sim.state.codes import ALIVE, DEATHS, STAGES

if TYPE_CHECKING:
    from tme_sim.model.mesa_base import CellModel


class CellGoneError(AttributeError):
    """A cell was asked for something that it no longer has, because it is dead or has left the tissue."""


class CellAgentType(type):
    """Class of the agent classes; lets pickle name a class by its cell type."""


class CellAgent(mesa.Agent, metaclass=CellAgentType):
    """One cell, as a Mesa user sees it; it owns nothing but the model and its id.

    Attributes read and write the arrays: ``pos`` (x, y[, z] in sites), ``cell_type``, ``stage`` and ``death``
    in words, ``alive``, every column of the state, every variable, cargo, drug and vesicle pool by its own
    name. While a view is referenced, asking for the same cell gives the same object; its class is that of the
    cell's type when it was last asked for. Remains of a dead cell can be read until they are cleared, not
    written.

    Attributes
    ----------
    model : CellModel
    unique_id : int
        Id of the cell (column ``id``), shared with the ids of ordinary agents.
    """

    def __init__(self, model: CellModel, *args: object, **kwargs: object) -> None:
        raise TypeError(f"{type(self).__name__}: cells are born in the tissue; ask by model.cell(id)")

    @classmethod
    def view(cls, model: CellModel, unique_id: int, row: int = -1) -> CellAgent:
        """Return the one view of a cell, made when there is none.

        Parameters
        ----------
        row : int
            Where the cell is believed to be; checked at every use.
        """
        # Model.__dict__ and not an attribute: pickle may restore a view before its model is complete.
        views = model.__dict__["_views"]
        agent = views.get(unique_id)
        if agent is None:
            agent = object.__new__(cls)
            vars(agent).update(model=model, unique_id=unique_id, _row=row)
            views[unique_id] = agent
        elif type(agent) is not cls:  # the cell has changed its type
            object.__setattr__(agent, "__class__", cls)
        return agent

    def row(self) -> int:
        """Return the row of the cell in the arrays, valid until cells are born, move or leave.

        Raises
        ------
        CellGoneError
            The cell has left the tissue.
        """
        row = self._found()
        if row < 0:
            raise CellGoneError(f"cell {self.unique_id} has left the tissue")
        return row

    @property
    def alive(self) -> bool:
        """Whether the cell is in the tissue and lives."""
        row = self._found()
        return row >= 0 and self.model.tissue.cells["death"][row] == ALIVE

    @property
    def cell_type(self) -> str:
        """Name of the cell type."""
        tissue = self.model.tissue
        return tissue.layout.cell_types[tissue.cells["type"][self.row()]]

    @property
    def stage(self) -> str:
        """Stage of the cell cycle: G1, S, G2M, or none."""
        return STAGES[self.model.tissue.cells["stage"][self.row()]]

    @property
    def death(self) -> str:
        """Cause of death in a word; alive while the cell lives."""
        return DEATHS[self.model.tissue.cells["death"][self.row()]]

    @property
    def pos(self) -> tuple[int, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]  (read only here)
        """Site indices (x, y), in three dimensions (x, y, z)."""
        tissue = self.model.tissue
        z, y, x = (int(i) for i in tissue.grid.coordinates(tissue.cells["site"][self.row()]))
        return (x, y) if tissue.grid.shape[0] == 1 else (x, y, z)

    @property
    def cell(self) -> Any:
        """Place of the cell on ``model.grid``, two dimensions only."""
        return self.model.grid[self.pos]

    def field(self, name: str) -> float:
        """Return the value of a field (its unit) or the free vesicles of a pool at the cell's site."""
        tissue = self.model.tissue
        return float(site_values(tissue, name, tissue.cells["site"][self.row()]))

    def remove(self) -> None:
        """Take the cell out of the tissue; what it had docked and held stays at its site."""
        row = self._found()
        if row >= 0:
            self.model.remove_rows(np.array([row]))

    def _found(self) -> int:
        cells, row = self.model.tissue.cells, self.__dict__["_row"]
        if not 0 <= row < cells.n or cells["id"][row] != self.unique_id:
            row = int(cells.rows_of(np.array([self.unique_id]))[0])
            vars(self)["_row"] = row
        return row

    def __getattr__(self, name: str) -> Any:
        # Called where the class has no such attribute, and where a property above met a cell that is gone.
        if name.startswith("__") or "model" not in self.__dict__:
            raise AttributeError(name)
        tissue, row = self.model.tissue, self.row()
        column = tissue.cells.column(name)
        if column is not None:
            return column[row].item()
        value = read(tissue, name, row)  # pyright: ignore[reportArgumentType]  (one row: one value)
        if value is not None:
            return value.item()
        values = read_matrix(tissue, name, row)
        if values is None:
            raise AttributeError(unknown_name("value of a cell is", name, value_names(tissue)))
        return values

    def __setattr__(self, name: str, value: object) -> None:
        row = self.row()
        tissue = self.model.tissue
        if tissue.cells["death"][row] != ALIVE:
            raise CellGoneError(f"cell {self.unique_id} is dead ({self.death}); {name} cannot be set")
        write(tissue, name, row, value)  # pyright: ignore[reportArgumentType]  (one row: one value)

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name} of a cell cannot be deleted")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore_view, (type(self), self.model, self.unique_id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.unique_id}>"


@cache
def agent_class(cell_type: str) -> type[CellAgent]:
    """Return the agent class of a cell type, one per name: ``activated_hsc`` gives ``ActivatedHscCell``."""
    words = [word for word in re.split(r"\W+|_", cell_type) if word]
    if words and words[-1].lower() == "cell":
        words.pop()
    name = "".join(word[0].upper() + word[1:] for word in words) + "Cell"
    body = {"__doc__": f"A cell of type {cell_type}.", "__module__": __name__, "names_cell_type": cell_type}
    return CellAgentType(name, (CellAgent,), body)  # pyright: ignore[reportReturnType]  (made by a call)


def _restore_view(cls: type[CellAgent], model: CellModel, unique_id: int) -> CellAgent:
    model.make_views()
    return cls.view(model, unique_id)


def _reduce_class(cls: CellAgentType) -> str | tuple[Any, ...]:
    if "names_cell_type" in cls.__dict__:
        return agent_class, (cls.__dict__["names_cell_type"],)
    return cls.__qualname__


# Classes made at run time cannot be found by import, so pickle is told how to make them again.
copyreg.pickle(CellAgentType, _reduce_class)  # pyright: ignore[reportArgumentType]
