"""What the processes are told of vesicles."""

import pytest

from tests.scenario.made import changed
from tme_sim.model.specs import Numbers, pool_specs
from tme_sim.scenario.load import read_scenario
from tme_sim.scenario.scenario import layout_of


def specs_of(*pairs):
    scenario = read_scenario(changed(*pairs))
    return pool_specs(Numbers(scenario, layout_of(scenario), scenario.vocabulary, scenario.lattice()))


def test_integrins_multiply_docking_on_the_cells_they_name():
    one = ("vessels:", "integrins: {a: {docking: {hsc: 3}}, b: {docking: {hsc: 0.5, tumour: 7}}}\nvessels:")
    plain = specs_of(one)[0].docking_per_min
    bound = specs_of(one, ("diameter: 100 nm,", "diameter: 100 nm, integrins: [a, b],"))[0].docking_per_min
    assert bound == pytest.approx((plain[0] * 7, plain[1] * 1.5))
    assert plain == pytest.approx((0.0, 0.1 / 60))
