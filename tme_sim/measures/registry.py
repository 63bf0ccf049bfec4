"""Which measures a layout has: the built-in ones, registered ones, and those of installed packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tme_sim.measures import (
    balance,
    causes,
    chemistry,
    clones,
    ic50,
    niches,
    oxygenation,
    plasma,
    population,
    resistance,
    shape,
    vasculature,
    vesicles,
)
from tme_sim.measures.measure import CellColumn, Context, Measure, evaluate
from tme_sim.resources import entry_points
from tme_sim.state.layout import Layout

__all__ = ["CellColumn", "Context", "Measure", "cell_columns_for", "evaluate", "measures_for", "register"]

Registered = Measure | CellColumn
Family = Callable[[Layout], Iterable[Registered]]

ENTRY_POINTS = "tme_sim.measures"
_BUILT_IN: tuple[Family, ...] = (
    population.measures,
    oxygenation.measures,
    shape.measures,
    vasculature.measures,
    chemistry.measures,
    vesicles.measures,
    balance.measures,
    plasma.measures,
    resistance.measures,
    ic50.measures,
    niches.measures,
    clones.measures,
    causes.measures,
)
_registered: list[Registered | Family] = []


class MeasureError(ValueError):
    """A measure is named twice, or what was registered is not a measure."""


def register(item: Registered | Family) -> None:
    """Add a measure, a cell column, or a function from layout to several of them, for all later runs.

    Installed packages do the same without a call through the entry-point group ``tme_sim.measures``.

    Raises
    ------
    MeasureError
        When ``item`` is none of these.
    """
    if not isinstance(item, Measure | CellColumn) and not callable(item):
        raise MeasureError(f"{item!r}: expected a Measure, a CellColumn or a function of the layout")
    if item not in _registered:
        _registered.append(item)


def unregister(item: Registered | Family) -> None:
    """Take back what `register` added."""
    _registered.remove(item)


def measures_for(layout: Layout) -> dict[str, Measure]:
    """Return all measures that a layout has, by name, built-in ones first.

    Raises
    ------
    MeasureError
        When a registered measure takes the name of another one.
    """
    return _by_name(item for item in _all(layout) if isinstance(item, Measure))


def cell_columns_for(layout: Layout) -> dict[str, CellColumn]:
    """Return all registered cell columns, by name.

    Raises
    ------
    MeasureError
        When two have one name.
    """
    return _by_name(item for item in _all(layout) if isinstance(item, CellColumn))


def _all(layout: Layout) -> Iterable[Registered]:
    installed = (entry.load() for entry in entry_points(group=ENTRY_POINTS))
    for item in (*_BUILT_IN, *_registered, *installed):
        if isinstance(item, Measure | CellColumn):
            yield item
        else:
            yield from item(layout)


def _by_name[T: Registered](items: Iterable[T]) -> dict[str, T]:
    out: dict[str, T] = {}
    for item in items:
        if item.name in out:
            raise MeasureError(f"two measures are named {item.name!r}; rename one")
        out[item.name] = item
    return out
