import math

import pytest

from tme_sim.scenario.units import Scale, UnitError, to_internal


@pytest.mark.parametrize(
    ("text", "internal", "value"),
    [
        ("20 um", "um", 20.0),
        ("2 mm", "um", 2000.0),
        ("100 nm", "um", 0.1),
        ("3 µm", "um", 3.0),
        ("2 h", "min", 120.0),
        ("1 d", "min", 1440.0),
        ("30 s", "min", 0.5),
        ("60 /h", "1/min", 1.0),
        ("60 1/h", "1/min", 1.0),
        ("60 vesicles/h", "1/min", 1.0),
        ("2000 um^2/s", "um^2/min", 120000.0),
        ("15 mmHg/s", "mmHg/min", 900.0),
        ("5 mM", "nM", 5e6),
        ("8 nM", "nM", 8.0),
        ("1 umol/L", "nM", 1000.0),
        ("2 nM*h", "nM*min", 120.0),
        ("21 kDa", "kDa", 21.0),
        ("392 g/mol", "kDa", 0.392),
        ("5 molecules/s", "molecules/min", 300.0),
        ("3 fmol/h/cell", "molecules/min", 3e-15 * 6.02214076e23 / 60),
        ("5 %", "1", 0.05),
        ("1e-4", "1", 1e-4),
        ("0.5 1", "1", 0.5),
    ],
)
def test_quantity_is_converted_to_its_internal_unit(text, internal, value):
    assert math.isclose(to_internal(text, Scale(internal)), value, rel_tol=1e-15)


def test_same_time_in_different_units_is_the_same_float():
    scale = Scale("min")
    for n in range(1, 200):
        days = to_internal(f"{n / 10} d", scale)
        assert days == to_internal(f"{n * 24}e-1 h", scale)
        assert days == to_internal(f"{n * 144} min", scale)


def test_mass_concentration_is_divided_by_the_molar_mass():
    assert to_internal("1 ng/mL", Scale("nM", 20.0)) == 0.05


def test_mass_unit_without_molar_mass_is_an_error():
    with pytest.raises(UnitError, match="molar_mass"):
        to_internal("1 ng/mL", Scale("nM"))


@pytest.mark.parametrize(
    "text", ["2", "2 um", "2 hours ago", "h", "2 h; import os", "2**9 h", "1 h" * 200, "", "2 h^99"]
)
def test_what_is_no_time_is_an_error(text):
    with pytest.raises(UnitError):
        to_internal(text, Scale("min"))


def test_unknown_unit_suggests_the_nearest():
    with pytest.raises(UnitError) as caught:
        to_internal("2 ngg/mL", Scale("nM", 1.0))
    assert caught.value.suggestion == "ng/mL"


@pytest.mark.parametrize("text", ["1e999 h", "-1e400 h", "1e-999999999 h", "1e99999999999 h"])
def test_exponent_out_of_range_is_refused_at_once(text):
    with pytest.raises(UnitError):
        to_internal(text, Scale("min"))


def test_minutes_are_not_metres_and_days_not_deci():
    with pytest.raises(UnitError):
        to_internal("5 m", Scale("min"))
    assert to_internal("1 d", Scale("min")) == 1440.0
