"""A two-dimensional tissue as a Mesa grid, with property layers that share the state's memory."""

# What Mesa's Cell and Grid store follows from the state here: attributes become properties, caches functions.
# pyright: reportIncompatibleVariableOverride=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.discrete_space import Cell, CellCollection, OrthogonalMooreGrid, PropertyLayer
from mesa.discrete_space.discrete_space import DiscreteSpace

from tme_sim.model.agents import CellAgent
from tme_sim.state.codes import EMPTY
from tme_sim.state.layout import Layout

if TYPE_CHECKING:
    from tme_sim.model.agentset import CellSet
    from tme_sim.model.mesa_base import CellModel

_MOORE = tuple(step for step in product((-1, 0, 1), repeat=2) if step != (0, 0))


class SharedLayer(PropertyLayer):
    """A property layer that looks its array up in the state, so that it is never stale."""

    def __init__(self, name: str, dimensions: tuple[int, int], source: Callable[[], np.ndarray]):
        self.name = name
        self.dimensions = dimensions
        self._source = source

    @property
    def _data(self) -> np.ndarray:
        # The name under which Mesa's PropertyLayer keeps and its `data` reads the array.
        return self._source()


class Place(Cell):
    """A site of the tissue; the biological cell on it, and ordinary agents that were put there."""

    __slots__ = ("grid", "guests")

    def __init__(self, coordinate: tuple[int, int], grid: TissueGrid):
        self.grid = grid
        self.guests: list[Any] = []
        super().__init__(coordinate, capacity=None)

    # Mesa's Cell stores these four; here they follow from the state, so what Mesa would store is passed over.

    @property
    def random(self) -> Random:
        """The model's generator."""
        return self.grid.random

    @random.setter
    def random(self, _: Random | None) -> None:
        pass

    @property
    def _agents(self) -> list[Any]:
        cell = self.occupant
        return [cell, *self.guests] if cell is not None and cell.alive else list(self.guests)

    @_agents.setter
    def _agents(self, _: list[Any]) -> None:
        pass

    @property
    def connections(self) -> dict[tuple[int, int], Place]:
        """The up to eight neighbours, by direction."""
        x, y = self.coordinate
        width, height = self.grid.dimensions
        return {
            (dx, dy): self.grid[x + dx, y + dy]
            for dx, dy in _MOORE
            if 0 <= x + dx < width and 0 <= y + dy < height
        }

    @connections.setter
    def connections(self, _: dict[Any, Any]) -> None:
        pass

    @property
    def empty(self) -> bool:
        """Whether nothing is here: no cell, no remains, no ordinary agent."""
        return self.occupant is None and not self.guests

    @empty.setter
    def empty(self, _: bool) -> None:
        pass

    @property
    def occupant(self) -> CellAgent | None:
        """The cell, alive or remains, that holds the site."""
        model = self.grid.model
        x, y = self.coordinate
        row = model.tissue.cells.occupant[model.site((x, y))]
        return None if row == EMPTY else model.cell(int(model.tissue.cells["id"][row]))

    @property
    def agents(self) -> list[Any]:
        """The living cell and the ordinary agents here."""
        return self._agents

    @property
    def is_empty(self) -> bool:
        """Whether nothing is here: no cell, no remains, no ordinary agent."""
        return self.empty

    def add_agent(self, agent: Any) -> None:
        """Put an ordinary agent here; it shares the site with a cell."""
        self.guests.append(agent)

    def remove_agent(self, agent: Any) -> None:
        """Take an ordinary agent away."""
        self.guests.remove(agent)

    def get_neighborhood(self, radius: int = 1, include_center: bool = False) -> CellCollection:
        """Return the places within a radius; not cached, as who is there changes by itself."""
        return CellCollection(self._neighborhood(radius, include_center), random=self.grid.random)

    def _neighborhood(self, radius: int = 1, include_center: bool = False) -> dict[Place, list[Any]]:
        if radius < 1:
            raise ValueError(f"radius: got {radius}; expected at least 1")
        (x, y), (width, height) = self.coordinate, self.grid.dimensions
        places = [
            self.grid[i, j]
            for i in range(max(0, x - radius), min(width, x + radius + 1))
            for j in range(max(0, y - radius), min(height, y + radius + 1))
            if include_center or (i, j) != (x, y)
        ]
        return {place: place._agents for place in places}

    def __reduce__(self) -> tuple[Any, ...]:
        return _place_at, (self.grid, self.coordinate)


class TissueGrid(OrthogonalMooreGrid):
    """The sites of a tissue as a Mesa grid (x, y), without wrapping.

    Property layers, one per field and vesicle pool and of ``vessel`` and ``vessel_distance_um``, share the
    arrays; ``empty`` is computed. Places are made when touched. Ordinary agents may stand on it
    (``agent.cell = model.grid[x, y]``).
    """

    def __init__(self, model: CellModel):
        nz, ny, nx = model.tissue.grid.shape
        if nz > 1:
            # An AttributeError, so that getattr(model, "grid", None) says that there is none.
            raise AttributeError(f"a tissue of {nz} layers has no Mesa grid; two dimensions only")
        self._lay_out((nx, ny))
        self._attach(model, model.tissue.layout, model.random)

    def _lay_out(self, dimensions: tuple[int, int]) -> None:
        # Mesa's Grid.__init__ would make and connect one object per site; this is what else it does.
        place_class = type("GridPlace", (Place,), {"_mesa_properties": set(), "__slots__": ()})
        DiscreteSpace.__init__(self, capacity=None, cell_klass=place_class, random=Random(0))
        self.torus = False
        self.dimensions = dimensions
        self._ndims = 2
        self._cells = _Places(self)

    def _attach(self, model: CellModel, layout: Layout, random: Random) -> None:
        self.model = model
        self.random = random
        sources: dict[str, Callable[[], np.ndarray]] = {
            "empty": self._empty,
            "vessel": lambda: model.tissue.vessel[0].T,
            "vessel_distance_um": lambda: model.tissue.vessel_distance_um[0].T,
        }
        for index, name in enumerate(layout.pools):
            sources[name] = lambda index=index: model.tissue.pools[0, :, :, index].T
        for index, name in enumerate(layout.fields):
            sources[name] = lambda index=index: model.tissue.fields[0, :, :, index].T
        for name, source in sources.items():
            layer = SharedLayer(name, self.dimensions, source)
            self._mesa_property_layers[name] = layer
            if name != "empty":  # a Place knows that itself
                setattr(self.cell_klass, name, _accessor(layer))
                self.cell_klass._mesa_properties.add(name)  # pyright: ignore[reportAttributeAccessIssue]

    def _empty(self) -> np.ndarray:
        tissue = self.model.tissue
        empty = (tissue.cells.occupant == EMPTY).reshape(tissue.grid.shape)[0].T
        for place in self._cells.values():
            if place.guests:
                empty[place.coordinate] = False
        return empty

    @property
    def agents(self) -> CellSet:
        """Living cells, and ordinary agents that have a position."""
        nowhere = [
            agent.unique_id
            for agent in self.model.registered_agents
            if agent.pos is None and getattr(agent, "cell", None) is None
        ]
        return self.model.agents.leave_out(nowhere)

    @property
    def all_cells(self) -> CellCollection:
        """All places; makes an object for every site."""
        return CellCollection({place: place._agents for place in self}, random=self.random)

    def select_random_empty_cell(self) -> Place:
        """Return a random place with nothing on it; IndexError where there is none."""
        x, y = self.random.choice(np.argwhere(self._empty()).tolist())
        return self[x, y]

    def __iter__(self) -> Iterator[Place]:
        width, height = self.dimensions
        return (self[x, y] for x in range(width) for y in range(height))

    def __reduce__(self) -> tuple[Any, ...]:
        layers = self._mesa_property_layers
        state = {
            "model": self.model,
            "layout": self.model.tissue.layout,  # the model may be restored after its grid
            "random": self.random,
            "guests": {xy: place.guests for xy, place in self._cells.items() if place.guests},
            "layers": [layer for layer in layers.values() if not isinstance(layer, SharedLayer)],
        }
        return _bare_grid, (self.dimensions,), state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._attach(state["model"], state["layout"], state["random"])
        for xy, guests in state["guests"].items():
            self[xy].guests = guests
        for layer in state["layers"]:
            self.add_property_layer(layer)


class _Places(dict):
    """Places by (x, y), made when touched."""

    def __init__(self, grid: TissueGrid):
        super().__init__()
        self._grid = grid

    def __missing__(self, xy: tuple[int, int]) -> Place:
        x, y = int(xy[0]), int(xy[1])
        if not (0 <= x < self._grid.width and 0 <= y < self._grid.height):
            raise KeyError(xy)
        place: Any = self._grid.cell_klass((x, y), self._grid)  # pyright: ignore[reportCallIssue]
        self[x, y] = place
        return place


def _accessor(layer: SharedLayer) -> property:
    def read(place: Place) -> Any:
        return layer.data[place.coordinate]

    def write(place: Place, value: Any) -> None:
        layer.data[place.coordinate] = value

    return property(read, write, doc=f"Value of layer {layer.name} here.")


def _bare_grid(dimensions: tuple[int, int]) -> TissueGrid:
    grid = TissueGrid.__new__(TissueGrid)
    grid._lay_out(dimensions)
    return grid


def _place_at(grid: TissueGrid, coordinate: tuple[int, int]) -> Place:
    return grid[coordinate]
