import numpy as np
import pytest

from tests.rules.made import LAYOUT, gate, rule, tissue
from tme_sim.numerics.jit import BLOCK, set_threads
from tme_sim.rules.evaluate import decide, evaluate
from tme_sim.rules.signals import SignalTable, gather_signals, signal_names, sources_of
from tme_sim.rules.tables import compile_rules
from tme_sim.state.codes import APOPTOSIS

SIGNALS = signal_names(LAYOUT)
BEHAVIOURS = ("HIF", "STAT3", "migration", "phagocytosis")
BASE = np.array([[0.2, 0.0, 1.0, 0.0], [0.0, 0.3, 0.0, 2.0]])
TABLE = SignalTable.compile(
    SIGNALS, LAYOUT, cargo_decay_per_min={"pERK": 0.1, "pAKT": 0.2}, cargo_gain={"pERK": 3.0}
)


def crowd(side=50):
    """A tissue of two types, some dead, some sites free, everything that can be sensed drawn."""
    rng = np.random.default_rng(3)
    sites = rng.permutation(side * side)[: side * side * 4 // 5]
    made = tissue(sites, rng.integers(0, 2, len(sites)), shape=(1, side, side))
    for name in ("variables", "cargo", "docked", "drug", "damage", "exposure"):
        made.cells[name][:] = rng.random(made.cells[name].shape)
    made.fields[:], made.vessel[:] = rng.random(made.fields.shape), rng.random(made.vessel.shape) < 0.1
    made.vessel_distance_um[:] = 100.0 * rng.random(made.vessel.shape)
    made.cells["death"][rng.random(made.cells.n) < 0.1] = APOPTOSIS
    return made, rng.random(made.cells.n)


def decided(made, energy, tables):
    out = np.full((len(BEHAVIOURS), made.cells.n), np.nan)
    sources = sources_of(made, TABLE, energy)
    decide(made.cells.n, tables.arrays, TABLE.source, TABLE.column, TABLE.factor, sources, out)
    return out.T


@pytest.mark.parametrize("signal", SIGNALS)
def test_signals_read_in_place_give_what_gathered_ones_give(signal):
    made, energy = crowd(20)
    rules = [
        rule(signal, "HIF", half_max=2.0, hill=2.0),
        rule("il6", "migration", up=False, to=0.1, gates=[gate(signal, threshold=0.5, hill=4.0)], cell="hsc"),
        rule(signal, "phagocytosis", up=False, to=0.0, dead=True, cell="hsc"),
    ]
    tables = compile_rules(rules, LAYOUT.cell_types, SIGNALS, BEHAVIOURS, BASE)
    signals = np.zeros((made.cells.n, len(SIGNALS)))
    gather_signals(made, TABLE, energy, signals)
    expected = np.zeros((made.cells.n, len(BEHAVIOURS)))
    evaluate(tables, made.cells["type"], made.cells.alive(), signals, expected)
    assert np.ptp(expected[:, 0]) > 0.0 or signal in ("time", "contact dead")
    assert np.array_equal(decided(made, energy, tables), expected)


def test_decisions_depend_neither_on_threads_nor_on_the_order_of_rows():
    made, energy = crowd()
    assert made.cells.n > BLOCK
    rules = [rule(name, "STAT3", hill=1.5, cell=kind) for name in SIGNALS for kind in LAYOUT.cell_types]
    tables = compile_rules(rules, LAYOUT.cell_types, SIGNALS, BEHAVIOURS, BASE)
    first = decided(made, energy, tables)
    set_threads(3)
    assert decided(made, energy, tables).tobytes() == first.tobytes()
    set_threads(1)
    order = np.random.default_rng(1).permutation(made.cells.n)
    made.cells.permute(order)
    assert np.array_equal(decided(made, energy[order], tables), first[order])
