"""Loops of vesicles, L9 to L12: each works in its stated direction, and is silent when a link is cut."""

from functools import cache

import numpy as np
import pytest

from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.processes.base import Context
from tme_sim.state.ledger import FIELD_ACCOUNTS, POOL_ACCOUNTS

SMALL = ("grid.size=[300 um, 300 um]", "tissue.tumour.nodules.0.radius=60 um", "resistance=")
IMMUNE = ("tissue.t_cell.density=8 %", "tissue.dendritic.density=8 %", "tissue.macrophage.density=8 %")


@cache
def lived(*overrides, steps=40):
    """Return a small niche after some hours."""
    model = TumorMicroenvironment("vesicle_niche", [*SMALL, *overrides])
    for _ in range(steps):
        model.step()
    return model


def mean(model, group, name, kind):
    """Return the mean of a variable, cargo or drug over the living cells of a type."""
    cells, layout = model.tissue.cells, model.tissue.layout
    names = {"variables": layout.variables, "cargo": layout.cargo, "drug": layout.drugs}[group]
    return float(cells[group][cells.of_type(kind), names.index(name)].mean())


def behaviour(model, name, kind):
    """Return the mean of a behaviour that living cells of a type would show now."""
    tissue, sense = model.tissue, next(p for p in model.processes if p.name == "sense")
    columns = {word: k for k, word in enumerate(sense.physiology.tables.behaviours)}
    context = Context(
        model.config, tissue.clock.dt_min, tissue.clock.step, model.seed, np.zeros((0, 0)), columns
    )
    sense.step(tissue, context)
    return float(context.of(name)[tissue.cells.of_type(kind)].mean())


def pool(model, name):
    """Return the books of a pool."""
    column = model.tissue.layout.pools.index(name)
    return dict(zip(POOL_ACCOUNTS, model.tissue.ledger.pools[column], strict=True))


def measured(model, name):
    return measures_for(model.tissue.layout)[name].of(model.tissue, model.measure_context)


def taken(model, name):
    """Return internalised vesicles of a pool by recipient."""
    layout = model.tissue.layout
    into = model.tissue.ledger.flux[layout.pools.index(name)].sum(axis=0)
    return dict(zip(layout.cell_types, into, strict=True))


# L9: drug leaves the donor in its vesicles.
DRUG = "drugs.SN38.schedule.0.from=0 d"
NO_EXPORT = "vesicles.tumour_vesicle.exports.SN38=0"


def test_export_in_vesicles_relieves_the_donor_of_drug():
    with_, without = lived(DRUG), lived(DRUG, NO_EXPORT)
    share = mean(with_, "drug", "SN38", "tumour") / mean(without, "drug", "SN38", "tumour")
    assert 0.8 < share < 0.95  # export of 0.5 /h beside an efflux of 4 /h
    assert abs(measured(with_, "SN38_imbalance")) < 1e-9


def test_export_is_silent_without_vesicles_or_packing():
    cut = lived(DRUG, "interventions.no_tumour_vesicles.active=true")
    assert mean(cut, "drug", "SN38", "tumour") == pytest.approx(
        mean(lived(DRUG, NO_EXPORT), "drug", "SN38", "tumour"), rel=1e-9
    )
    assert cut.tissue.loads.sum() == 0.0


# L10: tumour vesicles blunt killers, or arm them through dendritic cells.
GIVEN = (
    "interventions.given_vesicles.active=true", "interventions.given_vesicles.from=0 d",
    "interventions.given_vesicles.amount=100000",
)  # fmt: skip
DEAF_DENDRITIC = "vesicles.vesicle.taken_up_by.dendritic=0 /h"
DEAF_ESCAPE = (
    "vesicles.vesicle.taken_up_by.t_cell=0 /h",
    "vesicles.vesicle.taken_up_by.macrophage=0 /h",
    "vesicles.fibroblast_exosome.taken_up_by.macrophage=0 /h",
)


@cache
def killing(name, *cuts):
    return behaviour(
        lived(*IMMUNE, *GIVEN, f"hypotheses.immune={name}", *cuts, steps=60), "killing tumour", "t_cell"
    )


def test_tumour_vesicles_blunt_or_arm_killers_as_the_hypothesis_says():
    base = killing("none")
    assert killing("escape") < 0.5 * base
    assert killing("attack") > 1.5 * base
    assert killing("escape") < killing("escape + attack") < killing("attack")


def test_attack_is_silent_when_dendritic_cells_are_deaf():
    assert killing("attack", DEAF_DENDRITIC) == pytest.approx(killing("none"), rel=1e-9)


def test_escape_is_silent_when_t_cells_and_macrophages_are_deaf():
    assert killing("escape", *DEAF_ESCAPE) == pytest.approx(killing("none"), rel=1e-9)


def test_attack_by_killers_is_recorded_as_the_cause_of_death():
    model = lived(*IMMUNE, *GIVEN, "hypotheses.immune=attack", steps=60)
    assert measured(model, "deaths_by_killing") > 0
    assert (
        measured(
            lived(*IMMUNE, "cells.t_cell.base.killing tumour=0 /h", "hypotheses.immune=none"),
            "deaths_by_killing",
        )
        == 0
    )


# L11: vesicles of T cells make stellate cells break matrix down.
MANY = (
    "cells.t_cell.base.release t_cell_vesicle=20000 /h",
    "fields.ecm.digested_by.mmp.rate=0.5 /h",
    *IMMUNE,
)


def test_t_cell_vesicles_make_stellate_cells_break_matrix_down():
    many, deaf = lived(*MANY, steps=80), lived(*MANY, "interventions.deaf_hsc.active=true", steps=80)
    assert mean(many, "variables", "fibrolysis", "hsc") > 0.05
    assert mean(deaf, "variables", "fibrolysis", "hsc") == 0.0
    start = float(many.config.fields["ecm"].start)
    assert start - many.tissue.field("ecm").mean() > 1.1 * (start - deaf.tissue.field("ecm").mean())


def test_fibrolysis_is_no_return_to_rest():
    many, deaf = lived(*MANY, steps=80), lived(*MANY, "interventions.deaf_hsc.active=true", steps=80)
    assert mean(many, "variables", "activation", "hsc") >= 0.9 * mean(deaf, "variables", "activation", "hsc")


# L12: vesicles that fall apart free FGF2 and IL-1beta.
def test_vesicles_that_fall_apart_feed_akt_and_p65():
    more = (
        "cells.tumour.base.release tumour_vesicle=600 /h",
        "cells.macrophage.base.release macrophage_vesicle=600 /h",
    )
    some, many = lived(), lived(*more)
    assert mean(many, "variables", "AKT", "tumour") > mean(some, "variables", "AKT", "tumour")
    assert mean(many, "variables", "P65", "hsc") > mean(some, "variables", "P65", "hsc")


L12 = {
    ("P65", "hsc"): ("macrophage", "il1b", "il1b_p65"),
    ("AKT", "tumour"): ("tumour", "fgf2", "fgf2_akt"),
}


@pytest.mark.parametrize("end", L12)
@pytest.mark.parametrize("link", ["whole", "freeing", "answer"])
def test_l12_is_silent_where_a_link_is_cut(end, link):
    """More vesicles of one donor raise what its factor feeds; not where they free none, nor where none answers."""
    donor, factor, rule = L12[end]
    cut = {
        "whole": (),
        "freeing": (f"vesicles.{donor}_vesicle.frees=",),
        "answer": (f"rules.{rule}.half_max=1e15 ng/mL",),
    }[link]
    more = f"cells.{donor}.base.release {donor}_vesicle=600 /h"
    some, many = lived(*cut), lived(*cut, more)
    assert pool(many, f"{donor}_vesicle")["decayed"] > 1.5 * pool(some, f"{donor}_vesicle")["decayed"]
    factors = [model.tissue.field(factor).sum() for model in (some, many)]
    rise = mean(many, "variables", *end) - mean(some, "variables", *end)
    assert (factors[1] > 5.0 * factors[0]) == (link != "freeing")
    assert (rise > 0.3) == (link == "whole")
    assert (
        abs(rise) < 1e-4 or link == "whole"
    )  # endothelium that takes up more frees slightly more FGF2 itself


def test_leaderless_factors_come_from_vesicles_alone():
    empty = tuple(
        f"vesicles.{kind}_vesicle.frees=" for kind in ("tumour", "endothelial", "macrophage", "dendritic")
    )
    full, cut = lived(), lived(*empty)
    for name in ("fgf2", "il1b"):
        assert full.tissue.field(name).sum() > 0.0
        assert cut.tissue.field(name).sum() == 0.0
    assert mean(cut, "variables", "AKT", "tumour") < mean(full, "variables", "AKT", "tumour")


# Matrix, homing, blood.
def test_enzyme_in_fibroblast_exosomes_digests_matrix():
    quiet = ("vesicles.fibroblast_exosome.frees.mmp=100", "tissue.fibroblast.density=8 %")
    cut = "cells.fibroblast.base.release fibroblast_exosome=0 /h"
    assert lived(*quiet).tissue.field("ecm").mean() < 0.999 * lived(*quiet, cut).tissue.field("ecm").mean()


def homing(*integrins):
    """Return the share that hsc and macrophages take of few vesicles: many would fill all cells alike."""
    carried = f"vesicles.tumour_vesicle.integrins=[{', '.join(integrins)}]"
    few = "interventions.given_vesicles.amount=300"
    into = taken(lived(carried, *GIVEN, few), "tumour_vesicle")
    return (into["hsc"] + into["macrophage"]) / sum(into.values())


def test_liver_homing_vesicles_find_liver_cells():
    assert homing("aVb5") > 1.5 * homing()


def test_lung_homing_vesicles_miss_liver_cells():
    assert homing("a6b4") < 0.7 * homing()


def test_tumour_vesicles_home_to_the_liver_by_their_integrins():
    """S3-63: the vesicles of the scenario bear the integrin that goes with homing to the liver."""
    few = "interventions.given_vesicles.amount=300"
    into = taken(lived(*GIVEN, few), "tumour_vesicle")
    assert (into["hsc"] + into["macrophage"]) / sum(into.values()) > 1.5 * homing()


def test_every_kind_of_cell_sheds_vesicles_of_its_own():
    """S3-47."""
    model = lived(*IMMUNE, *GIVEN, "tissue.hepatocyte.density=8 %")
    for kind in ("tumour", "endothelial", "macrophage", "hsc", "hepatocyte", "t_cell", "dendritic"):
        assert pool(model, f"{kind}_vesicle")["released"] > 0.0, kind


def test_most_vesicles_fall_apart_and_set_free_what_they_held():
    """S3-51: ten molecules of FGF2 for each vesicle that decayed, and no other source."""
    model = lived(steps=120)
    decayed = {kind: pool(model, f"{kind}_vesicle")["decayed"] for kind in ("tumour", "endothelial")}
    assert decayed["tumour"] > 0.5 * pool(model, "tumour_vesicle")["released"]
    freed = model.tissue.ledger.fields[
        model.tissue.layout.fields.index("fgf2"), FIELD_ACCOUNTS.index("secreted")
    ]
    molecules = freed * model.tissue.grid.molecules_per_nm(whole_site=False)
    assert molecules == pytest.approx(10.0 * sum(decayed.values()), rel=1e-9)


def test_recipients_hold_protein_and_mirna():
    """S3-61: both arrive, a hundred proteins for each copy of an unselected miRNA."""
    held = [mean(lived(*GIVEN), "cargo", name, "hsc") for name in ("tmv_protein", "tmv_miRNA")]
    assert held[0] > 10.0
    assert held[1] == pytest.approx(0.00825 * held[0], rel=0.1)


def test_without_tumour_vesicles_neither_escape_nor_attack_is_felt():
    """S3-113: with the one knob both signs are gone."""
    both = (*IMMUNE, "hypotheses.immune=escape + attack", "resistance=")
    on, off = lived(*both, steps=80), lived(*both, "interventions.no_tumour_vesicles.active=true", steps=80)
    for kind in ("t_cell", "dendritic"):
        assert mean(on, "cargo", "tmv_protein", kind) > 0.0
        assert mean(off, "cargo", "tmv_protein", kind) == 0.0


def test_cells_that_shed_vesicles_also_take_them_in():
    model = lived(*IMMUNE, *GIVEN, "tissue.hepatocyte.density=8 %")
    into = taken(model, "tumour_vesicle")
    for kind in ("tumour", "endothelial", "macrophage", "hsc", "hepatocyte", "t_cell", "dendritic"):
        assert pool(model, f"{kind}_vesicle")["released"] > 0.0
        assert into[kind] > 0.0, kind


def test_liquid_biopsy_adds_up_to_what_left_through_vessels():
    model = TumorMicroenvironment("vesicle_niche", SMALL)
    left = 0.0
    for _ in range(10):
        model.step()
        left += measured(model, "tumour_vesicle_leaving") * model.clock.dt_min / 60.0
    assert left > 0.0
    assert left == pytest.approx(pool(model, "tumour_vesicle")["left_vessel"], rel=1e-12)


def test_vesicles_reach_blood_only_where_vessels_wash_them_out():
    assert pool(lived(), "tumour_vesicle")["left_vessel"] > 0.0
    assert pool(lived("vesicles.vesicle.vessel=0 /h"), "tumour_vesicle")["left_vessel"] == 0.0


def test_longer_lived_vesicles_reach_blood_in_a_larger_share():
    short, long = (pool(lived(f"vesicles.vesicle.half_life={h} h"), "tumour_vesicle") for h in (1, 12))
    assert long["left_vessel"] / long["released"] > 1.5 * short["left_vessel"] / short["released"]


def test_off_target_share_counts_the_other_recipients():
    model = lived("vesicles.tumour_vesicle.targets=[hsc, macrophage]")
    into = taken(model, "tumour_vesicle")
    aimed = (into["hsc"] + into["macrophage"]) / sum(into.values())
    assert measured(model, "tumour_vesicle_off_target") == pytest.approx(1.0 - aimed)


# Controls.
def state(model):
    cells = model.tissue.cells
    return [
        cells[name][np.argsort(cells["id"])].tobytes()
        for name in ("id", "site", "death", "variables", "stage")
    ]


def test_vesicles_without_cargo_change_nothing():
    assert state(lived()) == state(lived("cells.hepatocyte.base.release hepatocyte_vesicle=0 /h"))


def test_same_cargo_in_vesicles_of_normal_cells_does_the_same():
    normal = (
        "cells.hepatocyte.base.release hepatocyte_vesicle=3000 /h",
        "vesicles.hepatocyte_vesicle.cargo={tmv_protein: 1}",
    )
    assert mean(lived(*normal), "cargo", "tmv_protein", "macrophage") > mean(
        lived(), "cargo", "tmv_protein", "macrophage"
    )
