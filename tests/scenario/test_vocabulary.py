import pytest

from tests.scenario.made import SMALL
from tme_sim.scenario.load import read_scenario
from tme_sim.scenario.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def words():
    return read_scenario(SMALL).vocabulary


@pytest.mark.parametrize(
    ("signal", "unit"),
    [
        ("oxygen", "mmHg"),
        ("il6", "nM"),
        ("HIF", "1"),
        ("held pERK", "1"),
        ("arriving pERK", "1/min"),
        ("docked exosome", "1"),
        ("drug SN38", "nM"),
        ("damage SN38", "1"),
        ("exposure SN38", "nM*min"),
        ("contact tumour", "1"),
        ("contact dead", "1"),
        ("free neighbours", "1"),
        ("distance to vessel", "um"),
        ("energy", "1"),
        ("age", "min"),
        ("time", "min"),
    ],
)
def test_signal_has_its_unit(words, signal, unit):
    assert words.signals[signal].scale.internal == unit


@pytest.mark.parametrize(
    ("behaviour", "unit", "base"),
    [
        ("HIF", "1", 0),
        ("secretion il6", "molecules/min", 0),
        ("uptake oxygen", "mmHg/min", 0),
        ("uptake il6", "1/min", 0),
        ("release exosome", "1/min", 0),
        ("uptake exosome", "1", 1),
        ("cycle entry", "1/min", 0),
        ("apoptosis", "1/min", 0),
        ("necrosis", "1/min", 0),
        ("death from SN38", "1/min", 0),
        ("damage by SN38", "1/min", 0),
        ("repair of SN38", "1/min", 0),
        ("influx SN38", "1/min", 0),
        ("efflux SN38", "1/min", 0),
        ("metabolism SN38", "1/min", 0),
        ("transition to hsc", "1/min", 0),
        ("recruitment hsc", "1/min", 0),
        ("phagocytosis", "1/min", 0),
        ("migration", "um/min", 0),
        ("chemotaxis to il6", "1", 0),
    ],
)
def test_behaviour_has_its_unit_and_base(words, behaviour, unit, base):
    word = words.behaviours[behaviour]
    assert (word.scale.internal, word.base) == (unit, base)


def test_no_word_is_left_out(words):
    assert len(words.signals) == 3 + 2 + 2 + 1 + 3 + 3 + 2 * 2 + 6
    assert len(words.behaviours) == 2 + 3 * 3 + 2 + 6 + 2 + 2 + 2 + 8


def test_field_in_mass_units_carries_its_molar_mass(words):
    assert words.signals["il6"].scale.molar_mass_kda == 20.0


@pytest.mark.parametrize(
    "raw", [None, [], 3, {"fields": 3}, {"fields": {"a": []}}, {"drugs": {"a": {"field": []}}}]
)
def test_sketch_of_malformed_data_does_not_fail(raw):
    assert Vocabulary.sketch(raw).behaviours
