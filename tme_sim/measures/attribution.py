"""Which mechanism made a cell resistant: Shapley values of the routes by which the outside reaches it.

A route is one field, one cargo, one docked pool, the contacts, or the drug's own history. For every subset of
routes, those in it keep what the cell feels, the others are set to what a naive cell feels, the intracellular
variables settle, and the log-kill under the reference exposure is worked out. The Shapley value of a route is its
average contribution to protection, in units of the naive cell's log-kill; what the cell's present variables hold
beyond the settled state is reported apart as memory:

    Σ routes + memory = 1 − log-kill / naive log-kill
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np

from tme_sim.measures.resistance import Assay, ReferenceExposure
from tme_sim.rules.physiology import Physiology
from tme_sim.rules.rule import Rule
from tme_sim.state.tissue import Tissue

MEMORY = "memory"
MAX_ROUTES = 10
_HISTORY = ("drug", "damage", "exposure")
_EFFECTS = ("influx", "efflux", "metabolism", "damage by", "repair of", "death from")


@dataclass(frozen=True)
class Attribution:
    """Contributions to the protection of some cells.

    Attributes
    ----------
    routes : tuple of str
        Route names; the last is ``memory``.
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

    Routes that reach no cell (every signal as in a naive cell) are left out.

    Raises
    ------
    ValueError
        When more than ``MAX_ROUTES`` routes differ from naive: 2^n subsets are worked out.
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
    if len(routes) > MAX_ROUTES:
        raise ValueError(
            f"attribution over {len(routes)} routes; expected at most {MAX_ROUTES}: {', '.join(routes)}"
        )
    kill = _kill_of_subsets(assay, exposure, cell_type, own, naive, list(routes.values()))
    present = assay.log_kill(
        exposure,
        assay.parameters(exposure, physiology.act(cell_type, np.ones(len(rows), bool), own)),
        cell_type,
    )
    reference = np.maximum(kill[0], 1e-12)
    shapley = _shapley(-kill / reference, len(routes))
    memory = (kill[-1] - present) / reference
    return Attribution(
        (*routes, MEMORY),
        np.column_stack([shapley, memory]),
        {
            name: evidence_of(rules, name, columns, physiology, exposure.drug)
            for name, columns in routes.items()
        },
    )


def _kill_of_subsets(
    assay: Assay,
    exposure: ReferenceExposure,
    cell_type: np.ndarray,
    own: np.ndarray,
    naive: np.ndarray,
    routes: list[tuple[int, ...]],
) -> np.ndarray:
    """Return the settled log-kill of every subset of routes, float64 (2^n_routes, n); bit i means route i is on."""
    out = np.empty((1 << len(routes), len(cell_type)))
    for subset in range(1 << len(routes)):
        signals = naive.copy()
        for i, columns in enumerate(routes):
            if subset >> i & 1:
                signals[:, list(columns)] = own[:, list(columns)]
        behaviours = assay.physiology.settle(cell_type, signals)
        out[subset] = assay.log_kill(exposure, assay.parameters(exposure, behaviours), cell_type)
    return out


def _shapley(value: np.ndarray, n_routes: int) -> np.ndarray:
    """Return Shapley values, float64 (n, n_routes), of a game given for every subset, float64 (2^n_routes, n)."""
    out = np.zeros((value.shape[1], n_routes))
    for route in range(n_routes):
        for subset in range(value.shape[0]):
            if subset >> route & 1:
                continue
            size = subset.bit_count()
            weight = factorial(size) * factorial(n_routes - size - 1) / factorial(n_routes)
            out[:, route] += weight * (value[subset | 1 << route] - value[subset])
    return out


def evidence_of(
    rules: tuple[Rule, ...], route: str, columns: tuple[int, ...], physiology: Physiology, drug: str
) -> tuple[str, ...]:
    """Return the mechanism ids of the rules on a path from a route's signals to the drug's effect."""
    effects = {f"{word} {drug}" for word in _EFFECTS} | {"cycle entry"}
    energy_inputs = physiology.energy.inputs(physiology.layout)
    links = [
        ({rule.signal, *(gate.signal for gate in rule.gates)}, rule.behaviour, rule.evidence)
        for rule in rules
    ]
    links.append((energy_inputs, "energy", physiology.energy.evidence))
    forward = _reach({physiology.signals.names[c] for c in columns}, [(s, b) for s, b, _ in links])
    useful = _reach(effects, [({b}, signal) for s, b, _ in links for signal in s])
    found = {
        i
        for signals, behaviour, ids in links
        if signals & forward and behaviour in useful | effects
        for i in ids
    }
    return tuple(sorted(found))


def _reach(start: set[str], links: list[tuple[set[str], str]]) -> set[str]:
    """Return every name that can be reached from ``start``."""
    reached = set(start)
    while True:
        more = {end for starts, end in links if starts & reached} - reached
        if not more:
            return reached
        reached |= more
