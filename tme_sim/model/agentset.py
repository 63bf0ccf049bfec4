"""A Mesa agent set over ids of cells and of ordinary agents, that reads and writes whole columns."""

# Mesa declares AgentSet as the result of every method; ours give a CellSet, which has the same methods.
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Literal

import mesa
import numpy as np
from mesa.agentset import AbstractAgentSet, GroupBy

from tme_sim.model.agents import CellAgent, agent_class
from tme_sim.model.cell_values import read, write

if TYPE_CHECKING:
    from tme_sim.model.mesa_base import CellModel


class Columns:
    """Columns of the cells of a set, in the set's order: ``columns.HIF`` or ``columns["held drug"]``."""

    def __init__(self, model: CellModel, rows: np.ndarray):
        self._tissue = model.tissue
        self._rows = rows

    def __getitem__(self, name: str) -> np.ndarray:
        values = read(self._tissue, name, self._rows)
        if values is None:
            raise AttributeError(f"cells have no column {name!r}")
        return values

    def __getattr__(self, name: str) -> np.ndarray:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]


class CellGroups(GroupBy):
    """Groups of agents whose `agg` reads whole columns."""

    def agg(self, attr_name: str, func: Callable) -> dict[Any, Any]:
        """Return the aggregate of one attribute over each group, by group."""
        if all(isinstance(group, CellSet) for group in self.groups.values()):
            return {name: group.agg(attr_name, func) for name, group in self.groups.items()}  # pyright: ignore[reportAttributeAccessIssue]
        return super().agg(attr_name, func)


class CellSet(AbstractAgentSet):
    """Living cells and registered ordinary agents, by id.

    It holds no agents, so nothing that is weakly referenced can vanish from it; cells that die or leave and
    agents that are deregistered drop out by themselves. Cells come in order of id, never of memory.

    Parameters
    ----------
    model : CellModel
    ids : int64 (n,), optional
        Members in their order; None for all of the moment, whenever it is looked at.
    cells_only : bool
        With ``ids`` None, without ordinary agents.
    cell_type : str, optional
        With ``ids`` None, only cells of one type.
    random : random.Random, optional
        Generator that shuffles; the model's by default.
    """

    def __init__(
        self,
        model: CellModel,
        ids: np.ndarray | None = None,
        *,
        cells_only: bool = False,
        cell_type: str | None = None,
        random: Random | None = None,
    ):
        self.model = model
        self.random = model.random if random is None else random
        self._ids = ids
        self._cell_type = cell_type
        self._cells_only = cells_only or cell_type is not None

    def _members(self) -> tuple[np.ndarray, np.ndarray]:
        """Return ids and rows (-1 for ordinary agents) of present members, int64 (n,) each, in order."""
        cells = self.model.tissue.cells
        if self._ids is not None:
            rows, alive = cells.rows_of(self._ids), cells.alive()
            present = (rows >= 0) & alive[rows] if len(alive) else np.zeros(len(rows), bool)
            ordinary = list(self._ordinary())
            if ordinary:
                present |= np.isin(self._ids, ordinary)
            return self._ids[present], rows[present]
        rows = np.flatnonzero(self._living())
        ids = cells["id"][rows]
        if not self._cells_only:
            ordinary = np.fromiter(self._ordinary(), np.int64)
            ids, rows = np.concatenate([ids, ordinary]), np.concatenate([rows, np.full(len(ordinary), -1)])
        order = np.argsort(ids, kind="stable")
        return ids[order], rows[order]

    def _ordinary(self) -> dict[int, mesa.Agent]:
        return {agent.unique_id: agent for agent in self.model.registered_agents}  # pyright: ignore[reportReturnType]

    def _living(self) -> np.ndarray:
        cells = self.model.tissue.cells
        return cells.alive() if self._cell_type is None else cells.of_type(self._cell_type)

    def _subset(self, ids: np.ndarray) -> CellSet:
        return CellSet(self.model, ids, random=self.random)

    def _become(self, ids: np.ndarray) -> CellSet:
        self._ids, self._cell_type = ids, None
        return self

    def _update(self, agents: Iterable[Any]) -> CellSet:
        return self._become(np.fromiter((agent.unique_id for agent in agents), np.int64))

    def _from_iterable(self, it: Iterable[Any]) -> CellSet:
        # Where collections.abc.Set makes the result of &, | and -.
        return self._subset(np.fromiter(dict.fromkeys(agent.unique_id for agent in it), np.int64))

    @property
    def ids(self) -> np.ndarray:
        """Ids of present members, int64 (n,), in order."""
        return self._members()[0]

    @property
    def rows(self) -> np.ndarray:
        """Rows of the cells in the arrays, int64 (n,), in order; ordinary agents are left out."""
        rows = self._members()[1]
        return rows[rows >= 0]

    def __len__(self) -> int:
        if self._ids is not None:
            return len(self._members()[0])
        n_ordinary = 0 if self._cells_only else len(self.model.registered_agents)
        return int(np.count_nonzero(self._living())) + n_ordinary

    def __iter__(self) -> Iterator[Any]:
        ids, rows = self._members()
        model, cells = self.model, self.model.tissue.cells
        classes = [agent_class(name) for name in model.tissue.layout.cell_types]
        ordinary = self._ordinary()
        epoch = cells.epoch
        for unique_id, row in zip(ids.tolist(), rows.tolist(), strict=True):
            if row < 0:
                yield ordinary[unique_id]
                continue
            if cells.epoch != epoch and not (row < cells.n and cells["id"][row] == unique_id):
                row = int(cells.rows_of(np.array([unique_id]))[0])
                if row < 0:  # gone since the iteration began
                    continue
            yield classes[cells["type"][row]].view(model, unique_id, row)

    def __contains__(self, agent: object) -> bool:
        if not isinstance(agent, mesa.Agent) or agent.model is not self.model:
            return False
        return bool(np.any(self._members()[0] == agent.unique_id))

    def __getitem__(self, item: Any) -> Any:
        """Return an agent or a slice of agents."""
        return self.to_list()[item]

    def __repr__(self) -> str:
        return f"<CellSet of {len(self)}>"

    def to_list(self) -> list[Any]:
        """Return the agents as a list."""
        return list(self)

    def copy(self) -> CellSet:
        """Return the present members as a set of their own."""
        return self._subset(self.ids)

    __copy__ = copy

    def add(self, agent: Any) -> None:
        """Add an agent to a selection; the sets of the model itself change by birth and registration."""
        self._need_selection()
        if agent not in self:
            self._ids = np.append(self._members()[0], agent.unique_id)

    def discard(self, agent: Any) -> None:
        """Take an agent out of a selection."""
        self._need_selection()
        ids = self._members()[0]
        self._ids = ids[ids != agent.unique_id]

    def remove(self, agent: Any) -> None:
        """Take an agent out of a selection; KeyError where it is not in it."""
        if agent not in self:
            raise KeyError(agent)
        self.discard(agent)

    def _need_selection(self) -> None:
        if self._ids is None:
            raise TypeError("this set is the model's own; use agent.remove(), or work on model.agents.copy()")

    def array(self, name: str) -> np.ndarray:
        """Return one value per cell, (n,), in order; ordinary agents are left out.

        Raises
        ------
        AttributeError
            Cells have no such value.
        """
        return Columns(self.model, self.rows)[name]

    def get(
        self,
        attr_names: str | list[str],
        handle_missing: Literal["error", "default"] = "error",
        default_value: Any = None,
    ) -> list[Any]:
        """Return the values of one attribute, or a list of the values of several, per agent."""
        if handle_missing not in ("error", "default"):
            raise ValueError(f"handle_missing: got {handle_missing!r}; expected 'error' or 'default'")
        missing = () if handle_missing == "error" else (default_value,)
        if isinstance(attr_names, str):
            return self._values(attr_names, missing)
        columns = [self._values(name, missing) for name in attr_names]
        return [list(values) for values in zip(*columns, strict=True)]

    def _values(self, name: str, missing: tuple[Any, ...]) -> list[Any]:
        _, rows = self._members()
        of_cells = read(self.model.tissue, name, rows[rows >= 0])
        if of_cells is None:
            return [getattr(agent, name, *missing) for agent in self]
        values = of_cells.tolist()
        if len(values) == len(rows):
            return values
        in_turn = iter(values)
        return [
            next(in_turn) if isinstance(agent, CellAgent) else getattr(agent, name, *missing)
            for agent in self
        ]

    def agg(self, attribute: str, func: Callable | Iterable[Callable]) -> Any:
        """Return a function, or a list of functions, of the values of an attribute.

        NumPy's functions are given an array where all members are cells, others a list as Mesa gives them.
        """
        _, rows = self._members()
        array = read(self.model.tissue, attribute, rows) if (rows >= 0).all() else None
        values = self.get(attribute) if array is None else array.tolist()

        def result(function: Callable) -> Any:
            numpys = isinstance(function, np.ufunc) or getattr(function, "__module__", None) == "numpy"
            out = function(array if numpys and array is not None else values)
            return out.item() if isinstance(out, np.generic) else out

        return result(func) if callable(func) else [result(function) for function in func]

    def set(self, attr_name: str, value: Any) -> CellSet:
        """Set an attribute of all agents to one value; an array (n,) where all are cells sets one each."""
        _, rows = self._members()
        if (rows >= 0).any():
            write(self.model.tissue, attr_name, rows[rows >= 0], value)
        if (rows < 0).any():
            for agent in self:
                if not isinstance(agent, CellAgent):
                    setattr(agent, attr_name, value)
        return self

    def select(
        self,
        filter_func: Callable[[Any], bool] | None = None,
        at_most: float = float("inf"),
        inplace: bool = False,
        agent_type: type[mesa.Agent] | None = None,
        *,
        where: Callable[[Columns], np.ndarray] | None = None,
    ) -> CellSet:
        """Return the agents that pass all filters.

        Parameters
        ----------
        filter_func : callable, optional
            Agent to bool; makes a view per agent.
        at_most : int or float
            Number, or a float up to 1 for that share of the set.
        agent_type : type, optional
            Class of agents, of one cell type or all (`CellAgent`).
        where : callable, optional
            `Columns` to bool (n,): ``lambda c: (c.HIF > 0.5) & (c.cell_type == "tumour")``. Cells only, fast.
        """
        ids, rows = self._members()
        limit = int(len(ids) * at_most) if isinstance(at_most, float) and at_most <= 1.0 else at_most
        if agent_type is not None:
            keep = self._of_type(ids, rows, agent_type)
            ids, rows = ids[keep], rows[keep]
        if where is not None:
            ids, rows = ids[rows >= 0], rows[rows >= 0]
            mask = np.asarray(where(Columns(self.model, rows)), bool)
            ids, rows = ids[mask], rows[mask]
        if filter_func is not None:
            passing = []
            for agent in self._subset(ids):
                if len(passing) >= limit:
                    break
                if filter_func(agent):
                    passing.append(agent.unique_id)
            ids = np.array(passing, np.int64)
        if limit < len(ids):
            ids = ids[: int(limit)]
        return self._become(ids) if inplace else self._subset(ids)

    def leave_out(self, ids: Sequence[int]) -> CellSet:
        """Return the agents whose ids are not among some."""
        members = self.ids
        return self._subset(members[~np.isin(members, ids)]) if len(ids) else self.copy()

    def _of_type(self, ids: np.ndarray, rows: np.ndarray, agent_type: type) -> np.ndarray:
        tissue = self.model.tissue
        wanted = np.array([issubclass(agent_class(name), agent_type) for name in tissue.layout.cell_types])
        cells_of_type = ids[rows >= 0][wanted[tissue.cells["type"][rows[rows >= 0]]]]
        ordinary = [key for key, agent in self._ordinary().items() if isinstance(agent, agent_type)]
        return np.isin(ids, np.concatenate([cells_of_type, np.array(ordinary, np.int64)]))

    def groupby(
        self, by: Callable | str, result_type: Literal["agentset", "list"] = "agentset"
    ) -> CellGroups:
        """Return groups of agents with equal values of an attribute or function, in order of appearance."""
        ids = self.ids
        values = [by(agent) for agent in self] if callable(by) else self.get(by)
        groups: dict[Any, list[int]] = {}
        for key, unique_id in zip(values, ids.tolist(), strict=True):
            groups.setdefault(key, []).append(unique_id)
        sets: dict[Any, Any] = {key: self._subset(np.array(of, np.int64)) for key, of in groups.items()}
        return CellGroups(sets if result_type == "agentset" else {key: list(sets[key]) for key in sets})

    def shuffle(self, inplace: bool = False) -> CellSet:
        """Return the agents in random order."""
        ids = self.ids.tolist()
        self.random.shuffle(ids)
        shuffled = np.array(ids, np.int64)
        return self._become(shuffled) if inplace else self._subset(shuffled)

    def sort(self, key: Callable | str, ascending: bool = False, inplace: bool = False) -> CellSet:
        """Return the agents sorted by an attribute or function, largest first unless ``ascending``."""
        values = [key(agent) for agent in self] if callable(key) else self.get(key)
        ids = self.ids
        order = sorted(range(len(ids)), key=values.__getitem__, reverse=not ascending)
        ids = ids[np.array(order, np.int64)]
        return self._become(ids) if inplace else self._subset(ids)

    def map(self, method: str | Callable, *args: Any, **kwargs: Any) -> list[Any]:
        """Return the results of a method, by name, or a function of every agent still there at its turn."""
        registered = self.model.registered_agents
        results = []
        for agent in self:
            if isinstance(agent, CellAgent):
                if not agent.alive:
                    continue
            elif agent not in registered:
                continue
            if isinstance(method, str):
                results.append(getattr(agent, method)(*args, **kwargs))
            else:
                results.append(method(agent, *args, **kwargs))
        return results

    def do(self, method: str | Callable, *args: Any, **kwargs: Any) -> CellSet:
        """Call a method, by name, or a function on every agent still there at its turn."""
        self.map(method, *args, **kwargs)
        return self

    def shuffle_do(self, method: str | Callable, *args: Any, **kwargs: Any) -> CellSet:
        """Call a method or function on every agent in random order."""
        self.shuffle().map(method, *args, **kwargs)
        return self
