"""The two clocks against the growth law of a population that divides and dies (Euler and Lotka)."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from tme_sim.model.assemble import assay_of, physiology_of
from tme_sim.model.specs import Numbers
from tme_sim.scenario.load import load_scenario
from tme_sim.scenario.scenario import layout_of


def doubling_hours(name, *overrides):
    """Return the doubling time of naive tumour cells: 1 = 2 r/(r + µ + d) exp(−(µ + d) T), doubling ln 2/µ."""
    scenario = load_scenario(name, overrides)
    numbers = Numbers(scenario, layout_of(scenario), scenario.vocabulary, scenario.lattice())
    kind = numbers.layout.cell_types.index("tumour")
    naive = assay_of(numbers, physiology_of(numbers)).naive_behaviours(np.array([kind], np.int16))[0]
    r, d = (60.0 * naive[numbers.column[word]] for word in ("cycle entry", "apoptosis"))
    d += 60.0 * naive[numbers.column["necrosis"]]
    stages = scenario.cells["tumour"].cycle
    hours = float(stages.S + stages.G2M) / 60.0
    births = brentq(lambda b: r + b - 2.0 * r * math.exp(-b * hours), 0.0, 2.0)
    return math.log(2) / (births - d), d / births


@pytest.mark.parametrize(
    ("library", "shortest", "longest"),
    [("clock_cell_line", 20.0, 72.0), ("clock_patient", 70.0 * 24.0, 300.0 * 24.0)],
)
def test_well_supplied_cells_double_within_the_range_of_their_clock(library, shortest, longest):
    hours, _ = doubling_hours("s0_relay", f"use=[liver_cells, sn38, il6, s0_relay, {library}]")
    assert shortest < hours < longest


def test_most_births_are_lost_in_patients():
    _, lost = doubling_hours("s0_relay", "use=[liver_cells, sn38, il6, s0_relay, clock_patient]")
    assert 0.97 < lost < 0.99


def test_library_sets_the_word_for_people():
    assert load_scenario("lung_angiogenesis").clock == "cell_line"
    patient = "use=[liver_cells, fgf2, polarisation, angiogenesis, exosome_talk, matrix, myeloid, lung, clock_patient]"
    assert load_scenario("lung_angiogenesis", [patient]).clock == "patient"
