import pytest

from tests.scenario.made import changed, faults
from tme_sim.scenario.load import read_scenario


@pytest.mark.parametrize(("chosen", "in_force"), [("open", 2), ("open + closed", 3), ("none", 1)])
def test_several_alternatives_of_a_hypothesis_can_be_in_force_together(chosen, in_force):
    scenario = read_scenario(changed(("{gate: open}", f"{{gate: {chosen}}}")))
    assert len(scenario.active_rules()) == in_force


def test_unknown_alternative_among_several_is_a_fault():
    (fault,) = faults(changed(("{gate: open}", "{gate: open + ajar}")))
    assert "got open + ajar; expected one of open, closed, none" in fault
