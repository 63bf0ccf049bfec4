import copy
import json
import pickle

import numpy as np
import pytest
from pydantic_core import PydanticCustomError, ValidationError

from tme_sim.scenario.number import Sourced, read_number
from tme_sim.scenario.units import Scale

MIN = Scale("min")


def test_number_keeps_range_source_and_reason():
    block = {"value": "2 h", "range": ["0.5 h", "6 h"], "source": "assumed", "why": "protein turnover"}
    number = read_number(block, MIN)
    assert number == 120.0
    assert number.range == (30.0, 360.0)
    assert (number.source, number.why, number.unit) == ("assumed", "protein turnover", "min")
    assert number.plain() == block


def test_number_behaves_as_a_float():
    number = read_number("2 h", MIN)
    assert number / 2 == 60.0
    assert np.array([number, number]).dtype == np.float64
    assert json.loads(json.dumps({"x": number})) == {"x": 120.0}


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))])
def test_copied_number_keeps_its_source(clone):
    number = clone(Sourced(2.0, "min", "2 min", None, "assumed", "because"))
    assert (float(number), number.source, number.why, number.written) == (2.0, "assumed", "because", "2 min")


def test_number_made_in_code_is_written_so_that_it_reads_back():
    for value in (0.0, 1.0, 0.1, 1e-12, 1.05, 3e20):
        assert read_number(Sourced(value, "1/min").written, Scale("1/min")) == value
        assert read_number(Sourced(value).written, Scale("1")) == value


def test_plain_number_is_only_for_dimensionless():
    assert read_number(2, Scale("1")) == 2.0
    with pytest.raises(PydanticCustomError, match="without a unit"):
        read_number(2, MIN)


@pytest.mark.parametrize(
    "raw", [True, None, [], "soon", {"value": True}, float("nan"), float("inf"), 10**400]
)
def test_what_is_no_number_is_an_error(raw):
    with pytest.raises((PydanticCustomError, ValidationError)):
        read_number(raw, Scale("1"))


@pytest.mark.parametrize(
    ("limits", "raw"),
    [({"above": 0}, 0), ({"at_least": 0}, -1), ({"at_most": 1}, 1.5), ({"at_most": 1}, "101 %")],
)
def test_number_outside_its_limits_is_an_error(limits, raw):
    with pytest.raises(PydanticCustomError, match="expected [<>]"):
        read_number(raw, Scale("1"), **limits)


def test_all_faults_of_a_block_are_reported_at_once():
    with pytest.raises(ValidationError) as caught:
        read_number({"valeu": 1, "value": "2 um", "range": ["1 h"], "why": 3}, MIN)
    places = {error["loc"] for error in caught.value.errors()}
    assert places == {("valeu",), ("value",), ("range",), ("why",)}


def test_range_must_hold_the_value():
    with pytest.raises(ValidationError, match="around"):
        read_number({"value": "2 h", "range": ["3 h", "4 h"]}, MIN)
