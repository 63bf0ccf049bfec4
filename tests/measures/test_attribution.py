from dataclasses import replace

import numpy as np
import pytest

from tests.measures.made_assay import EXPOSURE, assay_of, tumour
from tests.rules.made_physiology import BASE, acts, made_physiology
from tme_sim.measures.attribution import (
    INHERITED,
    INTERVENTIONS,
    MEMORY,
    _useful,
    attribute,
    evidence_of,
    routes_of,
)
from tme_sim.measures.registry import measures_for
from tme_sim.measures.resistance import assess
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.processes.acts_on_cells import Express, Inhibit, Scale
from tme_sim.processes.interventions import Interventions
from tme_sim.processes.switch import Switch

DEATH = BASE["death from D"]


def attributed(*rules, base=None, n=1, **state):
    """Return contributions by route, the attribution, and the ratio of the cells."""
    physiology = made_physiology(*rules, base=base)
    tissue, assay, rows = tumour(n, **{"oxygen": 40.0, **state}), assay_of(physiology), np.arange(n)
    found = attribute(assay, EXPOSURE, tissue, rows, rules)
    share = dict(zip(found.routes, found.contribution.T, strict=True))
    ratio = assess(assay, EXPOSURE, tissue, rows).ratio
    assert np.allclose(found.contribution.sum(axis=1), 1.0 - ratio, atol=1e-6)
    return share, found, ratio


def protects(signal, **more):
    """Return a rule by which a signal far above its half-max takes the killing away."""
    return acts(signal, "death from D", 0.0, up=False, half_max=1e-3, **more)


def test_one_cause_carries_all():
    share, found, _ = attributed(protects("il6"), il6=1.0, egf=1.0)
    assert share["il6"].item() == pytest.approx(1.0, abs=1e-4)
    assert share["egf"].item() == pytest.approx(0.0, abs=1e-12)
    assert share[MEMORY].item() == pytest.approx(0.0, abs=1e-12)


def test_two_redundant_causes_carry_equal_halves():
    share, _, ratio = attributed(protects("il6"), protects("egf"), il6=1.0, egf=1.0)
    assert share["il6"].item() == pytest.approx(share["egf"].item(), rel=1e-9)
    assert share["il6"].item() == pytest.approx(0.5, abs=1e-3)


def test_product_of_two_causes_is_shared_equally():
    rule = protects("il6", gates=[("egf", True, 1e-3, 4.0)])
    share, _, _ = attributed(rule, il6=1.0, egf=1.0)
    assert share["il6"].item() == pytest.approx(0.5, abs=1e-3)
    assert share["egf"].item() == pytest.approx(0.5, abs=1e-3)


def test_chain_is_carried_by_its_first_link():
    rules = (
        acts("il6", "A", 1.0, half_max=0.01, evidence=("S0-08",)),
        acts("A", "B", 1.0, half_max=0.01, evidence=("S0-09",)),
        acts("B", "death from D", 0.0, up=False, half_max=0.01, evidence=("S0-12",)),
        acts("egf", "A", 1.0, half_max=1e9, evidence=("S0-99",)),
    )
    share, found, _ = attributed(*rules, il6=1.0, A=0.9999, B=0.9998)
    assert share["il6"].item() == pytest.approx(1.0, abs=0.01)
    assert abs(share[MEMORY].item()) < 0.01
    assert found.evidence["il6"] == ("S0-08", "S0-09", "S0-12")


def test_variable_held_above_its_settled_value_is_memory():
    share, _, ratio = attributed(acts("A", "death from D", 0.0, up=False, half_max=0.01), A=1.0)
    assert set(share) == {MEMORY}
    assert share[MEMORY].item() == pytest.approx(1.0 - ratio.item(), rel=1e-9)
    assert share[MEMORY].item() > 0.99


def test_inherited_base_of_a_naive_cell_is_no_protection():
    share, _, ratio = attributed(il6=1.0)
    assert ratio.item() == pytest.approx(1.0)
    assert np.allclose([values.item() for values in share.values()], 0.0)


def test_sensitising_route_counts_negative():
    share, _, ratio = attributed(acts("il6", "death from D", 2 * DEATH, half_max=1e-3), il6=1.0)
    assert share["il6"].item() == pytest.approx(1.0 - ratio.item())
    assert share["il6"].item() < -0.5


def test_hypoxia_that_arrests_is_carried_by_oxygen():
    arrest = acts("oxygen", "cycle entry", BASE["cycle entry"], half_max=4.0)
    share, _, ratio = attributed(arrest, base={"cycle entry": 0.0}, oxygen=0.5)
    assert ratio.item() < 0.5
    assert share["oxygen"].item() == pytest.approx(1.0 - ratio.item(), rel=1e-9)


def test_each_cell_is_attributed_to_its_own_cause():
    share, _, _ = attributed(protects("il6"), protects("egf"), n=3, il6=[1.0, 0.0, 0.0], egf=[0.0, 1.0, 0.0])
    assert np.allclose(share["il6"], [1.0, 0.0, 0.0], atol=1e-4)
    assert np.allclose(share["egf"], [0.0, 1.0, 0.0], atol=1e-4)


def test_cargo_held_and_arriving_is_one_route():
    routes = routes_of(made_physiology(), "D")
    assert len(routes["cargo pERK"]) == 2
    assert len(routes["drug history"]) == 3
    assert "contacts" in routes
    assert not {"D", "A", "B", "energy", "age"} & set(routes)


def test_cells_nothing_reached_have_only_memory():
    physiology = made_physiology()
    tissue = tumour(2, oxygen=40.0)
    found = attribute(assay_of(physiology), EXPOSURE, tissue, np.arange(2))
    assert found.routes == (MEMORY,)


def test_many_routes_are_sampled_and_still_add_up(monkeypatch):
    rules = (protects("il6"), protects("egf"), acts("D", "A", 1.0, half_max=1.0))
    exact, _, _ = attributed(*rules, il6=1.0, egf=1.0)
    monkeypatch.setattr("tme_sim.measures.attribution.MAX_ROUTES", 1)
    sampled, _, _ = attributed(*rules, il6=1.0, egf=1.0)  # checks the sum
    assert {name: values.item() for name, values in sampled.items()} == pytest.approx(
        {name: values.item() for name, values in exact.items()}, abs=1e-9
    )


def test_route_without_a_way_to_the_effect_costs_no_subset(monkeypatch):
    """Only routes from which a rule leads to the effect count towards the limit."""
    monkeypatch.setattr("tme_sim.measures.attribution.MAX_ROUTES", 0)
    monkeypatch.setattr("tme_sim.measures.attribution._sampled", None)
    share, _, _ = attributed(acts("egf", "A", 1.0, half_max=1.0), il6=1.0, egf=1.0)
    assert share["il6"].item() == share["egf"].item() == 0.0


@pytest.mark.parametrize(("stellate", "useful"), [(True, False), (False, True)])
def test_routes_are_followed_inside_the_type_of_the_cell(stellate, useful, monkeypatch):
    """What a stellate cell makes of a factor is no way to a tumour cell's death, though the names join up."""
    monkeypatch.setattr("tme_sim.measures.attribution.MAX_ROUTES", 0)
    monkeypatch.setattr(
        "tme_sim.measures.attribution._sampled", lambda kill, n: np.full((1, n), np.nan)
    )  # called for what is followed
    first = replace(acts("il6", "A", 1.0, evidence=("S0-08",)), cell="hsc" if stellate else "tumour")
    rules = (first, acts("A", "death from D", 0.0, up=False, evidence=("S0-12",)))
    physiology = made_physiology(*rules, others=("hsc",))
    tissue = tumour(1, layout=physiology.layout, oxygen=40.0, il6=1.0)
    found = attribute(assay_of(physiology), EXPOSURE, tissue, np.arange(1), rules)
    share = dict(zip(found.routes, found.contribution[0], strict=True))
    assert np.isnan(share["il6"]) == useful
    assert found.evidence["il6"] == (("S0-08", "S0-12") if useful else ())


def test_energy_of_another_type_is_no_way_to_the_effect():
    table = np.zeros((2, 13))
    table[1] = [0, -1, 15 * 60, 1, 0, 1, 0, 1, 3, 2, 5, 1e5, 1300]  # stellate cells alone have a metabolism
    rule = acts("energy", "death from D", 0.0, up=False)
    physiology = made_physiology(rule, replace(rule, cell="hsc"), table=table, others=("hsc",))
    assert _useful(physiology, "D", 1) >= {"oxygen", "A"}
    assert not _useful(physiology, "D", 0) & {"oxygen", "A"}


def inherited(*rules, pump, effect="death from D", **state):
    """Return shares and ratio of a cell with a trait that multiplies an effect."""
    physiology = made_physiology(*rules, traits={"pump": (effect, ("S3-15",))})
    tissue = tumour(1, layout=physiology.layout, oxygen=40.0, **state)
    tissue.cells.column("pump")[:] = pump
    assay = assay_of(physiology)
    found = attribute(assay, EXPOSURE, tissue, np.arange(1), rules)
    ratio = assess(assay, EXPOSURE, tissue, np.arange(1)).ratio
    assert found.contribution.sum() == pytest.approx(1.0 - ratio.item(), abs=1e-9)
    return dict(zip(found.routes, found.contribution[0].tolist(), strict=True)), found


def test_inherited_trait_is_a_route_of_its_own_with_its_mechanisms():
    share, found = inherited(pump=0.0)
    assert share[INHERITED] == pytest.approx(1.0, abs=1e-9)
    assert share[MEMORY] == pytest.approx(0.0, abs=1e-9)
    assert found.evidence[INHERITED] == ("S3-15",)


def test_neutral_trait_carries_nothing():
    share, _ = inherited(pump=1.0)
    assert INHERITED not in share


def test_trait_and_field_that_each_suffice_share_equally():
    share, _ = inherited(protects("il6"), pump=0.0, il6=1.0)
    assert share[INHERITED] == pytest.approx(0.5, abs=1e-3)
    assert share["il6"] == pytest.approx(0.5, abs=1e-3)


def test_trait_that_starts_a_chain_carries_it():
    rules = (
        acts("trait pump", "A", 1.0, half_max=10.0, hill=4.0),
        acts("A", "death from D", 0.0, up=False, half_max=0.01),
    )
    share, _ = inherited(*rules, pump=100.0, effect="efflux D", A=1.0)
    assert share[INHERITED] > 0.95


def treated(*rules, act, n=1, minutes=60.0, **state):
    """Return contributions by route under an intervention, made as ``act(switch, column of A)``, and the ratio."""
    physiology = made_physiology(*rules)
    tissue = tumour(n, **{"oxygen": 40.0, **state})
    tissue.clock.step = round(minutes / tissue.clock.dt_min)
    switch = Switch("x", 0.0, 60.0)
    column, rows = physiology.behaviour["A"], np.arange(n)
    timeline = Interventions(np.zeros(4), (), [act(switch, column)])
    assay = replace(assay_of(physiology), held=lambda tissue, rows: timeline.held(tissue, rows, (column,)))
    found = attribute(assay, EXPOSURE, tissue, rows, rules)
    ratio = assess(assay, EXPOSURE, tissue, rows).ratio
    assert np.allclose(found.contribution.sum(axis=1), 1.0 - ratio, atol=1e-6)
    return dict(zip(found.routes, found.contribution.T, strict=True)), ratio


CHAIN = (
    acts("il6", "A", 1.0, half_max=0.01),
    acts("A", "B", 1.0, half_max=0.01),
    acts("B", "death from D", 0.0, up=False, half_max=0.01),
)


def knocked_out(switch, column):
    return Scale(switch, column, (), 0.0)


def test_route_through_a_knocked_out_variable_carries_nothing():
    share, ratio = treated(*CHAIN, act=knocked_out, il6=1.0)
    assert ratio == pytest.approx(1.0)
    assert [share[route].item() for route in ("il6", INTERVENTIONS, MEMORY)] == pytest.approx([0.0] * 3)


def test_route_of_which_one_way_is_knocked_out_leaves_all_to_the_other():
    share, _ = treated(*CHAIN, protects("egf"), act=knocked_out, il6=1.0, egf=1.0)
    assert share["egf"].item() == pytest.approx(1.0, abs=1e-3)
    assert [share[route].item() for route in ("il6", INTERVENTIONS, MEMORY)] == pytest.approx([0.0] * 3)


def test_forced_expression_is_a_cause_of_its_own():
    share, ratio = treated(*CHAIN, act=lambda s, c: Express(s, c, (), 1.0), A=1.0, B=0.9999)
    assert ratio.item() < 0.01
    assert share[INTERVENTIONS].item() == pytest.approx(1.0, abs=0.01)
    assert share[MEMORY].item() == pytest.approx(0.0, abs=1e-6)


def test_inhibitor_acts_at_its_level_in_the_place_of_each_cell():
    """What it leaves of A decides how much of the chain is left to IL-6: all, where there is no inhibitor."""
    share, _ = treated(
        *CHAIN, act=lambda s, c: Inhibit(s, c, (), 2, 1e-6, 4.0, 0.0), n=2, il6=1.0, egf=[0.0, 1.0],
        A=[0.9999, 0.0], B=[0.9999, 0.0],
    )  # fmt: skip
    assert share["il6"] == pytest.approx([1.0, 0.0], abs=1e-2)
    assert np.abs(share[MEMORY]).max() < 1e-2


def test_knock_down_of_what_a_naive_cell_has_sensitises():
    kept = acts("oxygen", "A", 1.0, half_max=1.0)
    share, ratio = treated(kept, acts("A", "death from D", 0.0, up=False), act=knocked_out, A=0.0)
    assert share[INTERVENTIONS].item() == pytest.approx(1.0 - ratio.item())
    assert ratio.item() > 1.1


@pytest.mark.parametrize("minutes", [0.0, 66.0])
def test_intervention_that_was_not_on_in_the_last_step_is_not_held(minutes):
    share, _ = treated(*CHAIN, act=knocked_out, minutes=minutes, il6=1.0, A=0.9999, B=0.9999)
    assert INTERVENTIONS not in share
    assert share["il6"].item() == pytest.approx(1.0, abs=1e-2)


def test_evidence_of_il6_in_the_flagship_is_the_relay_from_stat3_to_survival():
    model = TumorMicroenvironment(
        "s0_relay",
        ["grid.size=[400 um, 400 um]", "tissue.tumour.nodules=[{centre: middle, radius: 60 um}]"],
    )
    physiology = model.physiology
    columns = routes_of(physiology, "SN38")["il6"]
    found = evidence_of(tuple(model.config.active_rules()), ["tumour"], columns, physiology, "SN38")
    assert {"S0-08", "S0-09", "S0-10", "S0-11", "S0-12"} <= set(found)
    assert not {"S0-03", "S0-05", "S0-06", "S0-07"} & set(found)


def test_mechanisms_on_the_way_are_those_of_tumour_cells():
    """FGF2 feeds Akt of tumour cells (S3-53) and the cycle of endothelium (S2-05), which protects no tumour cell."""
    small = ["grid.size=[400 um, 400 um]", "tissue.tumour.nodules.0.radius=60 um"]
    model = TumorMicroenvironment("liver_metastasis", small)
    ways = {row["route"]: row["evidence"].split() for row in model.route_rows}
    assert "S3-53" in ways["fgf2"]
    assert "S2-05" not in ways["fgf2"]


def test_il6_carries_nothing_in_the_flagship_under_a_stat3_inhibitor():
    """STAT3 is 0 in all cells, and what IL-6 did through it is neither IL-6's nor memory's."""
    small = ["grid.size=[300 um, 300 um]", "tissue.tumour.nodules.0.radius=60 um"]
    shares = {}
    for active in ("false", "true"):
        changes = [*small, f"interventions.stat3_inhibitor.active={active}"]
        model = TumorMicroenvironment("liver_metastasis", changes)
        for _ in range(2):
            model.step()
        tissue = model.tissue
        tissue.field("il6")[:] = 1.0
        tissue.cells.column("STAT3")[:] = 0.0
        rows = model.measure_context.fresh().tumour_rows(tissue)[:5]
        found = attribute(model.assay, model.assay.exposures[0], tissue, rows)
        shares[active] = dict(zip(found.routes, np.abs(found.contribution).max(axis=0), strict=True))
    assert shares["false"]["il6"] > 0.1
    assert INTERVENTIONS not in shares["false"]
    assert shares["true"]["il6"] == pytest.approx(0.0, abs=1e-6)
    assert shares["true"][INTERVENTIONS] < 0.2


def test_interventions_on_variables_are_a_measure_and_a_route_with_their_mechanisms():
    small = ["grid.size=[300 um, 300 um]", "tissue.tumour.nodules.0.radius=60 um"]
    plain = TumorMicroenvironment("hcc_sorafenib", small)
    treated = TumorMicroenvironment("hcc_sorafenib", [*small, "interventions.akt_inhibitor.active=true"])
    name = "attribution_interventions_sorafenib"
    assert name in measures_for(treated.tissue.layout)
    assert name not in measures_for(plain.tissue.layout)
    rows = {row["route"]: row["evidence"] for row in treated.route_rows}
    assert rows[INTERVENTIONS] == "S3-22 S3-23"
    assert INTERVENTIONS not in {row["route"] for row in plain.route_rows}
