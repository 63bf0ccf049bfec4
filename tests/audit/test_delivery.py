"""Rules wait for vesicles and cargo: some scenario must bring them."""

import pytest

from tests.audit.test_coverage import audit, cited
from tme_sim.audit.delivery import fed, unfed
from tme_sim.audit.of_scenario import joined_scenarios
from tme_sim.rules.rule import Gate
from tme_sim.scenario.load import load_scenario

ROBBED = ("miR25", "miR21", "lncROR", "miR494")


@pytest.fixture(scope="module")
def shipped(documented):
    return [*documented, *joined_scenarios()]


def waiting(scenarios):
    """Return ``cell: signal`` of the rules that none of some scenarios feeds."""
    rules = dict.fromkeys(rule.row() for scenario in scenarios for rule in scenario.rules)
    return {
        f"{rule.cell}: {signal}" for rule, signal in unfed(list(rules), set().union(*map(fed, scenarios)))
    }


def with_pools(scenario, change):
    pools = {name: pool.model_copy(update=change(name, pool)) for name, pool in scenario.vesicles.items()}
    return scenario.model_copy(update={"vesicles": pools})


def test_every_rule_of_the_package_gets_what_it_waits_for(shipped):
    assert waiting(shipped) == set()


def test_rules_whose_cargo_is_deleted_from_all_pools_wait(shipped):
    def robbed(name, pool):
        return {"cargo": {cargo: units for cargo, units in pool.cargo.items() if cargo not in ROBBED}}

    found = waiting([with_pools(scenario, robbed) for scenario in shipped])
    assert found == {
        *(f"tumour: held {cargo}" for cargo in ROBBED),
        "hepatocyte: held miR21",
        "endothelial: held miR494",
    }


def test_rules_of_cells_that_take_nothing_up_wait(shipped):
    def refused(name, pool):
        return {
            "taken_up_by": {cell: rate for cell, rate in pool.taken_up_by.items() if cell != "endothelial"}
        }

    found = waiting([with_pools(scenario, refused) for scenario in shipped])
    assert {"endothelial: held miR494", "endothelial: held angiogenic"} <= found
    assert all(name.startswith("endothelial: ") for name in found)


def test_what_no_cell_releases_and_nobody_gives_feeds_nothing():
    dosed = load_scenario("hcc_vesicle_therapy")
    kept = {name: act for name, act in dosed.interventions.items() if name != "give_mir214_exosome"}
    bare = dosed.model_copy(update={"interventions": kept})
    assert waiting([bare]) - waiting([dosed]) == {"tumour: held miR214"}


def test_rule_that_nothing_feeds_is_a_fault_with_its_ids():
    made = cited("M-1", signal="docked pool", cell="endothelial")
    (fault,) = audit(rules=[made], still_open=["M-1"]).faults
    assert fault.startswith("rule endothelial: docked pool increases b: nothing brings pool to endothelial")
    assert fault.endswith("cites M-1")


def test_gate_that_nothing_feeds_is_a_fault_too():
    made = cited("M-1", gates=(Gate("held tmv_protein", above=True, threshold=0.5, hill=2.0),))
    assert "nothing brings tmv_protein" in audit(rules=[made], still_open=["M-1"]).faults[0]
