import pytest

from tests.record.made_tissue import LAYOUT, made_tissue
from tme_sim.measures.condition import ConditionError, parse_condition
from tme_sim.measures.registry import measures_for

MEASURES = measures_for(LAYOUT)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("tumour_cells > 100", True),
        ("tumour_cells>1e3", False),
        ("tumour_cells <= 106", True),
        ("deaths == 3", True),
        ("deaths != 3", False),
        ("tumour_diameter >= 100 um", True),
        ("tumour_diameter >= 100 µm", True),
        ("hypoxic_share_5 > 50 %", True),
        ("hypoxic_share_5 > 60%", False),
        ("extinct", False),
        ("edge  reached", False),
    ],
)
def test_condition_holds_as_it_reads(text, holds):
    assert parse_condition(text, MEASURES)(made_tissue()) is holds


def test_extinct_holds_without_tumour_cells():
    tissue = made_tissue()
    tissue.cells["death"][:] = 1
    assert parse_condition("extinct", MEASURES)(tissue)


def test_nan_fulfils_no_condition():
    tissue = made_tissue()
    tissue.cells["death"][:] = 1
    assert not parse_condition("tumour_oxygen_mean != 3", MEASURES)(tissue)


def test_condition_sees_the_tissue_as_it_is_now():
    tissue, condition = made_tissue(), parse_condition("oxygen_max > 30 mmHg", MEASURES)
    assert condition(tissue)
    tissue.field("oxygen")[...] = 1.0
    assert not condition(tissue)


def test_misspelt_name_gets_a_suggestion():
    with pytest.raises(ConditionError, match=r"did you mean .*tumour_cells"):
        parse_condition("tumor_cells > 500", MEASURES)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ConditionError, match="known: .*births"):
        parse_condition("zzzzzz > 500", MEASURES)


def test_wrong_unit_names_the_right_one():
    with pytest.raises(ConditionError, match="tumour_diameter is in um"):
        parse_condition("tumour_diameter > 1 mm", MEASURES)


@pytest.mark.parametrize(
    "text", ["", "tumour_cells", "tumour_cells > many", "tumour_cells = 4", "> 3", "4 < births"]
)
def test_wrong_form_is_refused_with_the_right_one(text):
    with pytest.raises(ConditionError):
        parse_condition(text, MEASURES)
