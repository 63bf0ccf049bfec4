import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.made import gate, rule
from tme_sim.numerics.jit import BLOCK, set_threads
from tme_sim.rules.evaluate import evaluate
from tme_sim.rules.tables import RuleError, compile_rules

SIGNALS = ("x", "y", "z")
numbers = st.floats(0.01, 50.0)
rules_on_b = st.lists(
    st.builds(
        rule,
        st.sampled_from(SIGNALS),
        up=st.booleans(),
        to=st.floats(0.0, 10.0),
        half_max=numbers,
        hill=st.sampled_from([1.0, 2.0, 4.0, 0.5, 3.0, 2.7]),
        gates=st.lists(
            st.builds(
                gate,
                st.sampled_from(SIGNALS),
                above=st.booleans(),
                threshold=numbers,
                hill=st.sampled_from([1.0, 2.0, 4.0, 1.5]),
            ),
            max_size=2,
        ),
    ),
    max_size=6,
)
signal_rows = st.tuples(*(st.floats(0.0, 100.0) for _ in SIGNALS))


def value(rules, row, *, base=0.5, alive=True):
    tables = compile_rules(rules, ("tumour",), SIGNALS, ("b",), np.array([[base]]))
    out = np.full((1, 1), np.nan)
    evaluate(tables, np.zeros(1, np.int16), np.array([alive]), np.array([row], float), out)
    return out[0, 0]


def twin(rules, row, base):
    """The grammar in plain Python."""
    signals = dict(zip(SIGNALS, row, strict=True))

    def factor(g):
        t = (max(signals[g.signal], 0) / g.threshold) ** g.hill
        return t / (1 + t) if g.above else 1 / (1 + t)

    result = base
    for up in (True, False):
        chosen = [r for r in rules if r.increases == up]
        terms = [
            math.prod(map(factor, r.gates)) * (max(signals[r.signal], 0) / r.half_max) ** r.hill
            for r in chosen
        ]
        pull = sum((r.saturation - result) * t for r, t in zip(chosen, terms, strict=True))
        result += pull / (1 + sum(terms))
    return result


def physicell(rules, row, base):
    """The original: one saturation per behaviour and direction."""
    signals = dict(zip(SIGNALS, row, strict=True))
    result = base
    for up in (True, False):
        chosen = [r for r in rules if r.increases == up]
        total = sum((signals[r.signal] / r.half_max) ** r.hill for r in chosen)
        if chosen:
            result += (chosen[0].saturation - result) * total / (1 + total)
    return result


@given(rules_on_b, signal_rows, st.floats(0.0, 10.0))
def test_evaluate_agrees_with_plain_twin(rules, row, base):
    assert value(rules, row, base=base) == pytest.approx(twin(rules, row, base), rel=1e-9, abs=1e-9)


@given(rules_on_b, signal_rows, st.floats(0.0, 10.0), st.floats(0, 10), st.floats(0, 10))
def test_evaluate_equals_physicell_when_saturations_agree_and_nothing_is_gated(rules, row, base, top, bottom):
    shared = [
        rule(r.signal, up=r.increases, to=top if r.increases else bottom, half_max=r.half_max, hill=r.hill)
        for r in rules
    ]
    assert value(shared, row, base=base) == pytest.approx(physicell(shared, row, base), rel=1e-9, abs=1e-9)


@given(rules_on_b, signal_rows, st.floats(0.0, 10.0))
def test_evaluate_stays_between_base_and_saturations(rules, row, base):
    ends = [base, *(r.saturation for r in rules)]
    assert min(ends) - 1e-9 <= value(rules, row, base=base) <= max(ends) + 1e-9


@given(rules_on_b, signal_rows, st.floats(0.0, 100.0))
def test_evaluate_rises_with_signal_when_saturations_agree(rules, row, more):
    ups = [rule("x", to=10.0, half_max=r.half_max, hill=r.hill, gates=r.gates[:0]) for r in rules]
    assert value(ups, (row[0] + more, *row[1:])) >= value(ups, row) - 1e-9


@given(rules_on_b, signal_rows, st.floats(0.0, 100.0))
def test_evaluate_falls_with_signal_of_down_rules(rules, row, more):
    downs = [rule("x", up=False, to=0.0, half_max=r.half_max, hill=r.hill) for r in rules]
    assert value(downs, (row[0] + more, *row[1:])) <= value(downs, row) + 1e-9


@given(rules_on_b, signal_rows, st.randoms())
def test_evaluate_gives_same_bytes_whatever_order_rules_are_written_in(rules, row, random):
    mixed = list(rules)
    random.shuffle(mixed)
    assert value(mixed, row) == value(rules, row)


@pytest.mark.parametrize("hill", [1.0, 2.0, 4.0, 3.0, 2.5, 0.5])
def test_evaluate_reaches_half_way_at_half_max(hill):
    assert value([rule(to=2.5, half_max=3.0, hill=hill)], (3.0, 0, 0)) == pytest.approx(1.5)


def test_evaluate_down_acts_on_up_modulated_value():
    rules = [rule("x", to=1.0), rule("y", up=False, to=0.0)]
    assert value(rules, (1.0, 1.0, 0.0), base=0.0) == pytest.approx(0.25)


def test_evaluate_saturates_at_infinite_signal():
    assert value([rule(to=2.0, hill=8.0), rule("y", to=2.0)], (np.inf, 1.0, 0.0)) == pytest.approx(2.0)


def test_evaluate_counts_negative_signal_as_zero():
    assert value([rule(hill=1.0)], (-3.0, 0.0, 0.0)) == 0.5


def test_evaluate_lets_nan_through():
    assert np.isnan(value([rule()], (np.nan, 0.0, 0.0)))


def test_gate_closed_silences_rule():
    closed = rule(to=1.0, gates=[gate("y", threshold=10.0, hill=4.0)])
    assert value([closed], (5.0, 0.0, 0.0)) == 0.5


def test_gate_below_opens_as_signal_falls():
    gated = rule(to=1.0, gates=[gate("y", above=False, threshold=10.0, hill=4.0)])
    assert value([gated], (5.0, 1.0, 0.0)) > value([gated], (5.0, 30.0, 0.0))


def test_dead_cell_has_zero_where_no_rule_is_marked_dead():
    assert value([rule()], (5.0, 0.0, 0.0), alive=False) == 0.0


def test_dead_cell_follows_rules_marked_dead_alone():
    rules = [rule("x", to=1.0, dead=True), rule("y", to=1.0)]
    assert value(rules, (1.0, 99.0, 0.0), alive=False) == pytest.approx(0.75)


def test_rule_marked_dead_acts_on_living_cell_too():
    assert value([rule("x", to=1.0, dead=True)], (1.0, 0.0, 0.0)) == pytest.approx(0.75)


def test_evaluate_reads_rules_of_own_type_only():
    rules = [rule(cell="tumour", to=1.0), rule(cell="hsc", to=9.0)]
    tables = compile_rules(rules, ("tumour", "hsc", "inert"), ("x",), ("a", "b"), np.zeros((3, 2)))
    out = np.zeros((3, 2))
    evaluate(tables, np.array([0, 1, 2], np.int16), np.ones(3, bool), np.ones((3, 1)), out)
    assert out == pytest.approx(np.array([[0, 0.5], [0, 4.5], [0, 0]]))


def test_evaluate_does_not_depend_on_threads():
    n = 3 * BLOCK + 17
    signals = np.random.default_rng(1).random((n, 3))
    tables = compile_rules(
        [rule(hill=2.5), rule("y", up=False, to=0.1)], ("tumour",), SIGNALS, ("b",), [[0.2]]
    )
    outs = []
    for threads in (1, 2, 4):
        set_threads(threads)
        out = np.empty((n, 1))
        evaluate(tables, np.zeros(n, np.int16), np.ones(n, bool), signals, out)
        outs.append(out.tobytes())
    set_threads(1)
    assert len(set(outs)) == 1


def test_compile_names_every_fault_at_once():
    bad = [rule("nope"), rule(half_max=0.0), rule(gates=[gate("zip", threshold=-1.0)]), rule(to=np.inf)]
    with pytest.raises(RuleError) as caught:
        compile_rules(bad, ("tumour",), SIGNALS, ("b",), [[0.0]])
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert "'nope' is unknown" in lines[0]
