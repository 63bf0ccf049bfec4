import pytest

from tests.scenario.made import changed, faults
from tme_sim.scenario.load import read_scenario
from tme_sim.scenario.resolved import resolved_yaml

DONORS = ("{donor: tumour,", "{donor: [tumour, hsc],")
TARGET = ("target: exosome", "target: hsc_exosome")


def shared(*more):
    return changed(DONORS, TARGET, *more)


def test_list_of_donors_makes_one_pool_each_with_all_else_shared():
    pools = read_scenario(shared()).vesicles
    assert {name: pool.donor for name, pool in pools.items()} == {
        "tumour_exosome": "tumour",
        "hsc_exosome": "hsc",
    }
    same = [pool.model_dump(exclude={"donor"}) for pool in pools.values()]
    assert same[0] == same[1]


@pytest.mark.parametrize("place", ["before", "after"])
def test_what_is_said_of_one_donors_pool_lies_over_the_shared_block(place):
    own = "hsc_exosome: {half_life: 9 h}"
    where = (
        ("vesicles:\n", f"vesicles:\n  {own}\n") if place == "before" else ("vessels:", f"  {own}\nvessels:")
    )
    pools = read_scenario(shared(where)).vesicles
    assert (pools["hsc_exosome"].half_life, pools["tumour_exosome"].half_life) == (540, 120)
    assert pools["hsc_exosome"].donor == "hsc"


def test_override_reaches_all_donors_or_one():
    overrides = ["vesicles.exosome.half_life=1 h", "vesicles.hsc_exosome.detach=2 /h"]
    pools = read_scenario(shared(), overrides).vesicles
    assert [(float(p.half_life), round(p.detach * 60)) for p in pools.values()] == [(60.0, 0), (60.0, 2)]


def test_resolved_scenario_names_every_pool_and_loads_back():
    scenario = read_scenario(shared())
    assert read_scenario(resolved_yaml(scenario)).vesicles == scenario.vesicles


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        (("[tumour, hsc]", "[tumour, fish]"), "fish_exosome.donor: got fish; there is no such cell type"),
        (("[tumour, hsc]", "[]"), "vesicles.exosome.donor"),
        (("[tumour, hsc]", "[tumour, 3]"), "vesicles.exosome.donor"),
        (("half_life: 2 h, cargo", "half_life: 2 km, cargo"), "hsc_exosome.half_life"),
    ],
)
def test_fault_in_a_shared_block_stands_at_its_line(pair, text):
    found = faults(changed(DONORS, pair))
    assert any(text in fault and fault.startswith("<text>:18:") for fault in found), found


def test_shared_block_itself_is_no_pool():
    assert "did you mean" in "".join(faults(changed(DONORS)))
