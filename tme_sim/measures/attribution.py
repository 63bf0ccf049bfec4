"""Which mechanism made a cell resistant: Shapley values of the root routes of its state.

A route is one field, one cargo, one docked pool, the contacts, the drug's own history, or what the cell has
inherited (all heritable traits together). For every subset of
routes, those in it keep what the cell feels, the others are set to what a naive cell feels, the intracellular
variables settle, and the log-kill under the reference exposure is worked out. The Shapley value of a route is its
average contribution to protection, in units of the naive cell's log-kill; what the cell's present variables hold
beyond the settled state is reported apart as memory:

    Σ routes + memory = 1 − log-kill / naive log-kill

What interventions of the last step do to the targets of variables (knock-downs, inhibitors at the level in the cell's
place, forced expression) is held fixed for every subset, so that a route through what is switched off carries nothing.
The naive cell of the ratio is an untreated one; what the interventions alone make of it, all together, in naive
surroundings, is a cause of its own, ``interventions``, and comes before all routes. A route cannot share in that.

With more than ``MAX_ROUTES`` routes that differ from naive and can reach the drug's effect, the average runs over
``ORDERS`` orders in which the routes join, each followed by its reverse, instead of over all of them; the sum stays
exact (Castro, Gómez & Tejada 2009, doi:10.1016/j.cor.2008.04.004).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, batched, pairwise
from math import factorial

import numpy as np

from tme_sim.measures.resistance import Assay, ReferenceExposure
from tme_sim.numerics.philox import uniforms
from tme_sim.rules.physiology import Change, Physiology
from tme_sim.rules.rule import Rule
from tme_sim.state.codes import STREAM_ORDERS
from tme_sim.state.tissue import Tissue

MEMORY = "memory"
MAX_ROUTES = 10
ORDERS = 64
_TOGETHER = 16  # subsets worked out at a time
INHERITED = "inherited traits"
INTERVENTIONS = "interventions"
_HISTORY = ("drug", "damage", "exposure")
_EFFECTS = ("influx", "efflux", "metabolism", "damage by", "repair of", "death from")


@dataclass(frozen=True)
class Attribution:
    """Contributions to the protection of some cells.

    Attributes
    ----------
    routes : tuple of str
        Route names, then ``interventions`` where they act on variables; the last is ``memory``.
    contribution : float64 (n, n_routes)
        Protection by each route; positive protects, negative sensitises.
    evidence : dict
        Mechanism ids on the way from each route to the drug's effect.
    """

    routes: tuple[str, ...]
    contribution: np.ndarray
    evidence: dict[str, tuple[str, ...]]


def routes_of(physiology: Physiology, drug: str) -> dict[str, tuple[int, ...]]:
    """Return signal columns by route, for the signals that any rule or the metabolism can see."""
    layout = physiology.layout
    routes: dict[str, list[int]] = {}
    for column, name in enumerate(physiology.signals.names):
        if name in layout.variables or name in ("energy", "age", "time"):
            continue
        word, _, rest = name.partition(" ")
        if name in layout.fields:
            route = name
        elif word in ("held", "arriving"):
            route = f"cargo {rest}"
        elif word in _HISTORY:
            route = "drug history"
        elif word == "trait":
            route = INHERITED
        elif word == "contact" or name == "free neighbours":
            route = "contacts"
        else:
            route = name
        if name != drug:
            routes.setdefault(route, []).append(column)
    return {route: tuple(columns) for route, columns in routes.items()}


def attribute(
    assay: Assay, exposure: ReferenceExposure, tissue: Tissue, rows: np.ndarray, rules: tuple[Rule, ...] = ()
) -> Attribution:
    """Attribute the protection of the cells in ``rows`` to routes.

    Routes that reach no cell (every signal as in a naive cell) are left out; those from which no rule leads to the
    drug's effect have a contribution of 0.
    """
    physiology = assay.physiology
    cell_type = tissue.cells["type"][rows]
    own = physiology.read(tissue)[0][rows]
    naive = assay.naive_signals(len(rows))
    routes = {
        name: columns
        for name, columns in routes_of(physiology, exposure.drug).items()
        if len(rows) and np.abs(own[:, list(columns)] - naive[:, list(columns)]).max() > 0.0
    }
    useful = set().union(*(_useful(physiology, exposure.drug, int(kind)) for kind in np.unique(cell_type)))
    acting = [i for i, columns in enumerate(routes.values()) if useful & _names(physiology, columns)]
    held = None if assay.held is None else assay.held(tissue, rows)
    kill = _Kill(assay, exposure, cell_type, own, naive, [list(routes.values())[i] for i in acting], held)
    present = assay.log_kill(
        exposure,
        assay.parameters(exposure, physiology.act(cell_type, np.ones(len(rows), bool), own)),
        cell_type,
    )
    every = (1 << len(acting)) - 1
    start = kill.of(0) if held is None else _Kill(assay, exposure, cell_type, own, naive, [], None).of(0)
    shapley = np.zeros((len(rows), len(routes)))
    shapley[:, acting] = -(_shapley if len(acting) <= MAX_ROUTES else _sampled)(kill, len(acting))
    by_interventions = [] if held is None else [start - kill.of(0)]
    memory = kill.of(every) - present
    cells = [physiology.tables.cell_types[kind] for kind in np.unique(cell_type)]
    return Attribution(
        (*routes, *([] if held is None else [INTERVENTIONS]), MEMORY),
        np.column_stack([shapley, *by_interventions, memory]) / np.maximum(start, 1e-12)[:, None],
        {
            name: evidence_of(rules, cells, columns, physiology, exposure.drug)
            for name, columns in routes.items()
        },
    )


class _Kill:
    """Settled log-kill of every subset of routes that is asked for; bit i of a subset means that route i is on.

    ``held`` is what interventions do in all of them.
    """

    def __init__(
        self,
        assay: Assay,
        exposure: ReferenceExposure,
        cell_type: np.ndarray,
        own: np.ndarray,
        naive: np.ndarray,
        routes: list[tuple[int, ...]],
        held: Change | None,
    ):
        self._given = (assay, exposure, cell_type, own, naive, routes)
        self._held = held
        self._known: dict[int, np.ndarray] = {}

    def of(self, subset: int) -> np.ndarray:
        """Return the log-kill of every cell, float64 (n,)."""
        self.prepare([subset])
        return self._known[subset]

    def prepare(self, subsets: Iterable[int]) -> None:
        """Work out subsets together: a round of settling costs about the same for one as for some."""
        missing = [subset for subset in dict.fromkeys(subsets) if subset not in self._known]
        assay, exposure, cell_type, own, naive, routes = self._given
        for chosen in batched(missing, _TOGETHER):
            signals = np.tile(naive, (len(chosen), 1))
            for block, subset in zip(np.split(signals, len(chosen)), chosen, strict=True):
                for i, columns in enumerate(routes):
                    if subset >> i & 1:
                        block[:, list(columns)] = own[:, list(columns)]
            kinds = np.tile(cell_type, len(chosen))
            behaviours = assay.physiology.settle(kinds, signals, self._change)
            kill = assay.log_kill(exposure, assay.parameters(exposure, behaviours), kinds)
            self._known |= dict(zip(chosen, np.split(kill, len(chosen)), strict=True))

    def _change(self, rows: np.ndarray, io_behaviours: np.ndarray) -> None:
        """Let interventions act on the cells of every subset."""
        if self._held is not None:
            self._held(rows % len(self._given[2]), io_behaviours)


def _shapley(value: _Kill, n_routes: int) -> np.ndarray:
    """Return Shapley values, float64 (n, n_routes), from every subset."""
    value.prepare(range(1 << n_routes))
    out = np.zeros((len(value.of(0)), n_routes))
    for route in range(n_routes):
        for subset in range(1 << n_routes):
            if subset >> route & 1:
                continue
            size = subset.bit_count()
            weight = factorial(size) * factorial(n_routes - size - 1) / factorial(n_routes)
            out[:, route] += weight * (value.of(subset | 1 << route) - value.of(subset))
    return out


def _sampled(value: _Kill, n_routes: int) -> np.ndarray:
    """Return Shapley values, float64 (n, n_routes), from orders drawn once and for all, and their reverses."""
    orders = []
    for number in range(ORDERS // 2):
        order = np.argsort(uniforms(0, np.arange(n_routes), number, STREAM_ORDERS, 0), kind="stable").tolist()
        orders += [order, order[::-1]]
    paths = [list(accumulate((1 << route for route in order), initial=0)) for order in orders]
    value.prepare(subset for path in paths for subset in path)
    out = np.zeros((len(value.of(0)), n_routes))
    for order, path in zip(orders, paths, strict=True):
        for route, (before, after) in zip(order, pairwise(path), strict=True):
            out[:, route] += value.of(after) - value.of(before)
    return out / ORDERS


def _names(physiology: Physiology, columns: tuple[int, ...]) -> set[str]:
    """Return the names of signals."""
    return {physiology.signals.names[column] for column in columns}


def _effects(drug: str) -> set[str]:
    """Return the behaviours that decide the survival of a cell under a drug."""
    return {f"{word} {drug}" for word in _EFFECTS} | {"cycle entry"}


def _trait_links(physiology: Physiology, kind: int) -> list[tuple[set[str], str, tuple[str, ...]]]:
    """Return (signal, behaviour, mechanism ids) of every effect of a trait in one cell type."""
    expression, traits = physiology.expression, physiology.layout.traits
    return [
        ({f"trait {traits[trait]}"}, physiology.tables.behaviours[column], expression.evidence[trait])
        for of, trait, column in zip(expression.kind, expression.trait, expression.behaviour, strict=True)
        if of == kind
    ]


def _useful(physiology: Physiology, drug: str, kind: int) -> set[str]:
    """Return every signal from which rules, the metabolism or traits of one cell type lead to the drug's effect."""
    tables, rules = physiology.tables, physiology.tables.arrays
    links = [(signals, behaviour) for signals, behaviour, _ in _trait_links(physiology, kind)]
    for response in range(rules.type_start[kind], rules.type_start[kind + 1]):
        first, _, last = rules.span[response]
        gates = slice(rules.gate_start[first], rules.gate_start[last])
        signals = {
            tables.signals[signal] for signal in (*rules.signal[first:last], *rules.gate_signal[gates])
        }
        links.append((signals, tables.behaviours[rules.behaviour[response]]))
    links += [(signals, "energy") for signals, _ in physiology.energy.links(physiology.layout, kind)]
    return _reach(_effects(drug), [({end}, start) for starts, end in links for start in starts])


def evidence_of(
    rules: tuple[Rule, ...],
    cells: Iterable[str],
    columns: tuple[int, ...],
    physiology: Physiology,
    drug: str,
) -> tuple[str, ...]:
    """Return the mechanism ids on a path from a route's signals to the drug's effect inside some cell types."""
    start = _names(physiology, columns)
    return tuple(sorted(set().union(*(_on_the_way(rules, cell, start, physiology, drug) for cell in cells))))


def _on_the_way(
    rules: tuple[Rule, ...], cell: str, start: set[str], physiology: Physiology, drug: str
) -> set[str]:
    """Return the mechanism ids on a path from some signals to the drug's effect in one cell type."""
    effects, kind, energy = _effects(drug), physiology.tables.cell_types.index(cell), physiology.energy
    links = [
        ({rule.signal, *(gate.signal for gate in rule.gates)}, rule.behaviour, rule.evidence)
        for rule in rules
        if rule.cell == cell
    ]
    links += [(signals, "energy", ids) for signals, ids in energy.links(physiology.layout, kind)]
    links += _trait_links(physiology, kind)
    forward = _reach(start, [(s, b) for s, b, _ in links])
    useful = _reach(effects, [({b}, signal) for s, b, _ in links for signal in s])
    return {
        i
        for signals, behaviour, ids in links
        if signals & forward and behaviour in useful | effects
        for i in ids
    }


def _reach(start: set[str], links: list[tuple[set[str], str]]) -> set[str]:
    """Return every name that can be reached from ``start``."""
    reached = set(start)
    while True:
        more = {end for starts, end in links if starts & reached} - reached
        if not more:
            return reached
        reached |= more
