import copy
import math
import pickle
import time

import pytest

from tests.scenario.made import DATA, SMALL
from tme_sim.rules.rule import Gate
from tme_sim.scenario.load import load_scenario, read_scenario
from tme_sim.scenario.scenario import layout_of


@pytest.fixture(scope="module")
def relay():
    return load_scenario(DATA / "relay.yaml")


def test_numbers_are_in_internal_units(relay):
    assert relay.fields["oxygen"].diffusion == 120000
    assert relay.fields["oxygen"].background_uptake == 450
    assert relay.fields["glucose"].start == 5e6
    assert relay.fields["oxygen"].boundary.fixed == {"x_high": 10}
    assert relay.vesicles["tumour_normoxic_exosome"].diameter == 0.1
    assert relay.cells["tumour"].base["uptake glucose"] == pytest.approx(2e6 / 60)
    assert relay.time.n_steps == 480


def test_grid_is_written_x_y_and_stored_z_y_x(relay):
    assert relay.grid.shape == (1, 20, 30)
    assert relay.lattice().spacing_um == 20.0


def test_layout_follows_the_order_of_the_file(relay):
    layout = layout_of(relay)
    assert layout.cell_types == ("tumour", "hsc", "activated_hsc", "endothelial", "macrophage")
    assert layout.fields == ("oxygen", "glucose", "lactate", "il6", "SN38")
    assert layout.variables[:2] == ("HIF", "ERK")
    assert (layout.pools, layout.cargo, layout.drugs) == (
        ("tumour_normoxic_exosome",),
        ("pERK", "pAKT"),
        ("SN38",),
    )


def test_active_rules_are_those_of_the_chosen_hypothesis(relay):
    assert [rule.hypothesis for rule in relay.active_rules() if rule.hypothesis] == ["stat3_gate.gated"]
    other = load_scenario(DATA / "relay.yaml", ["hypotheses.stat3_gate=ungated"])
    assert [rule.hypothesis for rule in other.active_rules() if rule.hypothesis] == ["stat3_gate.ungated"]


def test_rule_comes_out_in_internal_units(relay):
    rule = relay.active_rules()[2]
    assert rule.half_max == 1 / 21
    assert rule.gates == (Gate("HIF", True, 0.5, 4.0), Gate("oxygen", False, 10.0, 8.0))
    assert relay.active_rules()[0].saturation == 1.0
    assert type(rule.half_max) is float


def test_base_value_falls_back_on_the_vocabulary(relay):
    assert relay.base_value("hsc", "uptake tumour_normoxic_exosome") == 1.0
    assert relay.base_value("hsc", "apoptosis") == 0.0
    assert relay.base_value("tumour", "migration") == 0.05


def test_only_interventions_that_are_switched_on_are_active(relay):
    assert list(relay.active_interventions()) == ["late"]
    assert relay.interventions["late"].when.measure == "tumour_cells"


def test_scenario_is_frozen(relay):
    with pytest.raises(ValueError, match="frozen"):
        relay.seed = 2


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copied_scenario_is_equal(relay, clone):
    assert clone(relay) == relay


def test_data_file_is_a_path_beside_the_scenario(relay):
    file = relay.tissue.from_file
    assert file.read_text().startswith("x_um")
    assert (file.written, len(file.sha256)) == ("cells.csv", 64)


def test_diffusion_of_a_vesicle_is_stokes_einstein_times_hindrance(relay):
    pool = relay.vesicles["tumour_normoxic_exosome"]
    free_um2_per_s = 1.380649e-23 * 310.15 / (3 * math.pi * 0.6913e-3 * 1e-7) * 1e12
    assert free_um2_per_s == pytest.approx(6.57, abs=0.01)
    assert pool.diffusion_um2_per_min == pytest.approx(free_um2_per_s * 60 * 0.076)


def test_half_life_gives_the_rate_of_decay(relay):
    assert relay.fields["il6"].decay_per_min == pytest.approx(math.log(2) / 120)
    assert relay.fields["oxygen"].decay_per_min == 0.0


def test_field_starts_at_the_level_of_its_vessels():
    assert read_scenario(SMALL).fields["oxygen"].start == 40
    assert read_scenario(SMALL).fields["il6"].start == 0


def test_field_in_mass_units_is_shown_in_them(relay):
    assert relay.fields["il6"].shown_per_internal == pytest.approx(21.0)


def test_scenario_loads_in_a_fraction_of_a_second():
    load_scenario(DATA / "relay.yaml")
    began = time.perf_counter()
    load_scenario(DATA / "relay.yaml")
    assert time.perf_counter() - began < 0.3


@pytest.mark.parametrize("name", ["liver_metastasis", "liver_metastasis.yaml"])
def test_scenario_of_the_package_is_found_by_name(name):
    assert load_scenario(name).scenario == "liver_metastasis"
