"""Made physiologies: one cell type, a few variables, one drug; rules given by a test."""

from dataclasses import replace

import numpy as np

from tme_sim.rules.energy import Energy, PumpCosts
from tme_sim.rules.expression import Expression
from tme_sim.rules.physiology import Physiology
from tme_sim.rules.rule import Gate, Rule
from tme_sim.rules.signals import SignalTable
from tme_sim.rules.tables import compile_rules
from tme_sim.state.layout import Layout

LAYOUT = Layout(("tumour",), ("A", "B"), ("oxygen", "il6", "egf", "D"), ("exo",), ("pERK",), ("D",))
BASE = {
    "influx D": 4 / 60, "efflux D": 4 / 60, "metabolism D": 0.1 / 60, "damage by D": 0.2 / 60,
    "repair of D": 0.03 / 60, "death from D": 0.1 / 60, "cycle entry": 0.09 / 60,
}  # fmt: skip
BEHAVIOURS = ("A", "B", *BASE)
EXTRA_SIGNALS = (
    "energy",
    "held pERK",
    "arriving pERK",
    "contact tumour",
    "drug D",
    "damage D",
    "exposure D",
    "age",
)


def acts(signal, behaviour, to, *, up=True, half_max=1.0, hill=2.0, gates=(), evidence=("S0-01",)):
    """Return a rule of tumour cells."""
    made = tuple(Gate(*gate) for gate in gates)
    return Rule("tumour", signal, up, behaviour, to, half_max, hill, made, evidence, "assumed", None, "")


def made_physiology(*rules, table=None, base=None, traits=None, others=(), pumps=None):
    """Return the physiology of tumour cells with these rules; traits by name, each with what it multiplies and ids.

    ``others`` names further cell types, alike but for the rules of their own; ``pumps`` are variables, each with
    the ATP that it costs and its ids.
    """
    traits = traits or {}
    layout = replace(LAYOUT, traits=tuple(traits), cell_types=(*LAYOUT.cell_types, *others))
    types = len(layout.cell_types)
    signals = (*LAYOUT.fields, *LAYOUT.variables, *EXTRA_SIGNALS, *(f"trait {name}" for name in traits))
    signal_table = SignalTable.compile(
        signals, layout, cargo_decay_per_min={"pERK": 0.01}, cargo_gain={"pERK": 1.0}
    )
    values = {**dict.fromkeys(BEHAVIOURS, 0.0), **BASE, **(base or {})}
    tables = compile_rules(
        rules,
        layout.cell_types,
        signals,
        BEHAVIOURS,
        np.array([[values[name] for name in BEHAVIOURS]] * types),
    )
    metabolism = np.zeros((types, 13)) if table is None else table
    pumps = pumps or {}
    costs = PumpCosts(
        np.array([layout.variables.index(name) for name in pumps], np.int64),
        np.array([[cost for cost, _ in pumps.values()]] * types).reshape(types, len(pumps)),
        tuple(ids for _, ids in pumps.values()),
    )
    energy = Energy(metabolism, (0, -1, -1), (-1, -1, -1, -1), 1.0, ("S0-11",), costs)
    n = len(traits)
    columns = np.array([BEHAVIOURS.index(effect) for effect, _ in traits.values()], np.int64)
    expression = Expression(
        np.ones(n),
        np.zeros(n, np.int64),
        np.arange(n),
        columns,
        np.ones(n, bool),
        tuple(ids for _, ids in traits.values()),
    )
    return Physiology(tables, signal_table, energy, layout, expression)
