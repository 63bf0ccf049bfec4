from dataclasses import replace

import numpy as np
import pytest

from tests.record.made_tissue import LAYOUT, made_tissue
from tme_sim.measures.measure import Context, evaluate, tumour_types
from tme_sim.measures.registry import measures_for
from tme_sim.state.cells import Cells
from tme_sim.state.codes import G1, S
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import FIELD_ACCOUNTS


@pytest.fixture(scope="module")
def tissue():
    return made_tissue()


@pytest.fixture(scope="module")
def values(tissue):
    return evaluate(measures_for(LAYOUT), tissue)


def test_counts_leave_out_the_dead(tissue, values):
    assert values["tumour_cells"] == np.count_nonzero(tissue.cells["type"] == 0) - 3
    assert values["living_cells"] == tissue.cells.n - 3
    assert values["dead_remains"] == 3


def test_deaths_are_counted_by_cause_and_drug(values):
    assert values["deaths"] == 3
    assert values["deaths_by_apoptosis"] == 1
    assert values["deaths_by_drug"] == 2
    assert values["deaths_by_SN38"] == 2
    assert values["tumour_deaths"] == 3


def test_births_and_transitions_come_from_events(values):
    assert (values["births"], values["tumour_births"], values["transitions"]) == (2, 2, 1)


def test_stage_shares_of_the_tumour_sum_to_one(values):
    assert values["share_in_G1"] + values["share_in_S"] + values["share_in_G2M"] == pytest.approx(1.0)


def test_hypoxic_shares_fall_with_the_bound(tissue, values):
    oxygen = tissue.field("oxygen").reshape(-1)[tissue.cells["site"][tissue.cells.of_type("tumour")]]
    assert values["hypoxic_share_5"] == np.mean(oxygen < 5.0)
    assert values["hypoxic_share_10"] >= values["hypoxic_share_5"] >= values["hypoxic_share_2p5"]


def test_oxygen_quantiles_are_ordered(values):
    names = [f"tumour_oxygen_{word}" for word in ("min", "p05", "median", "p95")]
    assert sorted(names, key=values.__getitem__) == names


def test_variable_mean_is_that_of_the_type(tissue, values):
    expected = tissue.cells.column("STAT3")[tissue.cells.of_type("hsc")].mean()
    assert values["hsc_STAT3"] == pytest.approx(expected)


def test_closed_books_balance_to_rounding(values):
    for name in ("normoxic_exosome_imbalance", "hsc_vesicle_imbalance", "SN38_imbalance"):
        assert abs(values[name]) < 1e-14


def with_books_of_il6(start=0.0):
    """Return a tissue whose book of IL-6 closes: half of what cells secreted is there, half has decayed."""
    tissue = made_tissue()
    column = LAYOUT.fields.index("il6")
    present = float(tissue.fields[..., column].sum())
    tissue.ledger.fields[column] = 0.0
    tissue.ledger.start[column] = start
    tissue.ledger.fields[column, FIELD_ACCOUNTS.index("secreted")] = 2.0 * present - start
    tissue.ledger.fields[column, FIELD_ACCOUNTS.index("decayed")] = present
    return tissue, column, present


@pytest.mark.parametrize("start", [0.0, 3.0])
def test_factor_that_is_lost_shows_in_the_balance(start):
    measure = measures_for(LAYOUT)["il6_imbalance"]
    tissue, column, present = with_books_of_il6(start)
    assert present > 0.0
    assert abs(measure.of(tissue)) < 1e-14
    tissue.fields[..., column] *= 0.5
    assert measure.of(tissue) == pytest.approx(0.25)


def test_steady_field_has_no_balance():
    assert "il6_imbalance" not in measures_for(replace(LAYOUT, steady=("il6",)))


def test_given_vesicles_balance_as_released_ones_do():
    tissue = made_tissue()
    tissue.pools[0, 3, 3, 0] += 1000.0
    tissue.ledger.pools[0, 1] += 1000.0
    assert abs(measures_for(LAYOUT)["normoxic_exosome_imbalance"].of(tissue)) < 1e-14


def test_a_lost_vesicle_shows_in_the_balance():
    tissue = made_tissue()
    tissue.pools[0, 3, 3, 0] -= 1.0
    value = measures_for(LAYOUT)["normoxic_exosome_imbalance"].of(tissue)
    assert value == pytest.approx(1.0 / tissue.ledger.pools[0, 0])


def test_drug_in_a_field_of_another_name_is_found():
    layout = Layout(LAYOUT.cell_types, LAYOUT.variables, ("oxygen", "il6", "free_SN38"), *made_rest())
    tissue = made_tissue()
    tissue.layout = layout
    measure = measures_for(layout)["SN38_imbalance"]
    assert abs(measure.of(tissue, Context(drug_fields={"SN38": "free_SN38"}))) < 1e-14
    assert measure.of(tissue) > 0.01


def made_rest():
    return LAYOUT.pools, LAYOUT.cargo, LAYOUT.drugs


def test_radius_of_gyration_of_a_disc_is_its_radius_over_root_two():
    tissue = disc(radius_sites=20)
    value = measures_for(LAYOUT)["tumour_radius_of_gyration"].of(tissue)
    assert value == pytest.approx(20 * 20.0 / np.sqrt(2.0), rel=0.02)


def test_diameter_of_a_disc_is_its_diameter():
    value = measures_for(LAYOUT)["tumour_diameter"].of(disc(radius_sites=20))
    assert value == pytest.approx(2 * 20 * 20.0, rel=0.02)


def test_diameter_in_three_dimensions_is_that_of_a_ball():
    tissue = made_tissue(n=8, nz=8)
    cells = measures_for(LAYOUT)["tumour_cells"].of(tissue)
    value = measures_for(LAYOUT)["tumour_diameter"].of(tissue)
    assert np.pi / 6 * value**3 == pytest.approx(cells * 20.0**3)


def test_edge_counts_cells_on_outer_sites_only():
    tissue = disc(radius_sites=20)
    assert measures_for(LAYOUT)["tumour_edge_cells"].of(tissue) == 0
    tissue.cells.move(np.array([0]), np.array([5]))
    assert measures_for(LAYOUT)["tumour_edge_cells"].of(tissue) == 1


def test_one_vessel_in_a_section_is_one_over_its_area(values):
    assert values["vessel_density"] == pytest.approx(1.0 / 0.48**2)


def test_vessel_distance_without_vessels_is_nan():
    tissue = made_tissue()
    tissue.vessel_distance_um[...] = np.inf
    assert np.isnan(measures_for(LAYOUT)["tumour_vessel_distance"].of(tissue))


def test_tumour_types_are_known_by_name():
    layout = Layout(("tumour", "hsc", "CSC", "tumour_emt", "tumourlike"), (), (), (), (), ())
    assert tumour_types(layout) == ("tumour", "CSC", "tumour_emt")


def test_context_chooses_the_tumour_types(tissue):
    chosen = Context(tumour=("hsc",))
    assert measures_for(LAYOUT)["malignant_cells"].of(tissue, chosen) == tissue.cells.of_type("hsc").sum()


def disc(radius_sites: int):
    """Return a tissue whose only cells fill a disc."""
    tissue = made_tissue(n=64)
    grid = Grid((1, 64, 64), 20.0, 0.2)
    cells = Cells(LAYOUT, grid.n_sites)
    y, x = np.meshgrid(np.arange(64) - 31.5, np.arange(64) - 31.5, indexing="ij")
    sites = np.flatnonzero((np.hypot(x, y) < radius_sites).reshape(-1))
    cells.append(sites, type=0, stage=np.where(sites % 2, G1, S))
    tissue.cells = cells
    return tissue
