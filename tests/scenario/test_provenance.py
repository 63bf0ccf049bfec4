import pytest

from tests.scenario.made import DATA, SMALL
from tme_sim.scenario.load import load_scenario, read_scenario
from tme_sim.scenario.provenance import numbers_of


@pytest.fixture(scope="module")
def numbers():
    return {cited.key: cited for cited in numbers_of(load_scenario(DATA / "relay.yaml"))}


def test_number_has_its_own_source_or_that_of_its_block(numbers):
    assert numbers["cargo.pAKT.half_life"].why == "as pERK"
    assert numbers["cargo.pERK.half_life"].why == "phosphatases act within hours"
    assert numbers["cells.tumour.metabolism.glucose_max"].source == "assumed"
    assert numbers["cells.tumour.base.ERK"].source is None


def test_range_travels_with_the_number(numbers):
    assert numbers["fields.oxygen.diffusion"].number.range == (1667 * 60, 2800 * 60)


def test_default_is_told_from_what_is_stated(numbers):
    assert numbers["fields.oxygen.start"].given
    assert not numbers["cells.hsc.clearance"].given
    assert not numbers["resistance.threshold"].given


def test_every_key_can_be_overridden_with_what_is_written():
    scenario = read_scenario(SMALL)
    overrides = [f"{cited.key}={cited.number.written}" for cited in numbers_of(scenario)]
    assert len(overrides) > 40
    assert read_scenario(SMALL, overrides) == scenario
