"""Loops L4, L5, L7, L8: each acts in its direction when its first signal is raised, and not when a link is cut."""

import numpy as np
import pytest

from tests.physics.made_cell import MadeCell
from tests.physics.small_hcc import held, mean_of, run
from tme_sim.scenario.load import load_scenario

HIGH_NM = 150.0  # held by a cell in medium with 20 uM (total)


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("hcc_sorafenib")


# L7: the drug frees SHP1, which takes STAT3 away; adaptation takes SHP1 away, and STAT3 returns.


def stat3(scenario, cut=(), drug=HIGH_NM):
    """Return STAT3 before the drug, after a day and after forty days under it."""
    cell = MadeCell(scenario, cut=cut)
    before = cell.variables["STAT3"]
    cell.hold(drug_sorafenib=drug)
    return before, cell.live(1.0)["STAT3"], cell.live(39.0)["STAT3"]


def test_l7_drug_first_lowers_then_raises_stat3(scenario):
    before, early, late = stat3(scenario)
    assert early < 0.5 * before
    assert late > 1.5 * before


def test_l7_stat3_stays_low_where_adaptation_does_not_reach_shp1(scenario):
    before, _, late = stat3(scenario, cut=[("adaptation", "SHP1")])
    assert late < 0.5 * before


def test_l7_drug_does_not_lower_stat3_where_it_does_not_reach_shp1(scenario):
    before, early, _ = stat3(scenario, cut=[("drug sorafenib", "SHP1")])
    assert early == pytest.approx(before, rel=0.02)


def test_l7_is_silent_where_shp1_does_not_reach_stat3(scenario):
    before, early, late = stat3(scenario, cut=[("SHP1", "STAT3")])
    assert (early, late) == (pytest.approx(before), pytest.approx(before))


def test_l7_switch_keeps_either_state_without_drug(scenario):
    """Bistable: where a cell comes from decides, long after."""
    ends = []
    for start in ({"STAT3": 0.0, "SHP1": 0.6}, {"STAT3": 0.5, "SHP1": 0.05}):
        cell = MadeCell(scenario)
        cell.hold(**start)
        ends.append(cell.live(20.0)["STAT3"])
    assert ends[1] > 2.0 * ends[0]


# L8: the drug's history raises AKT slowly; HGF and the loss of PTEN by miR-494 feed it.


def akt(scenario, days, cut=(), **signals):
    cell = MadeCell(scenario, cut=cut)
    before = cell.variables["AKT"]
    cell.hold(**signals)
    return cell.live(days)["AKT"] - before


def test_l8_drug_raises_akt_over_days_not_hours(scenario):
    assert (
        0.0 < akt(scenario, 0.5, drug_sorafenib=HIGH_NM) < 0.1 * akt(scenario, 20.0, drug_sorafenib=HIGH_NM)
    )


def test_l8_memory_outlasts_the_drug_and_fades(scenario):
    cell = MadeCell(scenario)
    naive = cell.variables["AKT"]
    cell.hold(drug_sorafenib=HIGH_NM)
    under = cell.live(20.0)["AKT"]
    cell.hold(drug_sorafenib=0.0)
    soon, later = cell.live(2.0)["AKT"], cell.live(40.0)["AKT"]
    assert soon > naive + 0.5 * (under - naive)
    assert later < naive + 0.1 * (under - naive)


@pytest.mark.parametrize("link", [("drug sorafenib", "adaptation"), ("adaptation", "AKT")])
def test_l8_is_silent_where_a_link_is_cut(scenario, link):
    assert akt(scenario, 20.0, cut=[link], drug_sorafenib=HIGH_NM) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("signal", "link"),
    [
        ({"hgf": 0.5}, ("hgf", "MET")),
        ({"held_miR494": 2000.0}, ("held miR494", "PTEN")),
        ({"held_miR494": 2000.0}, ("PTEN", "AKT")),
    ],
)
def test_l8_is_fed_by_hgf_and_by_the_loss_of_pten(scenario, signal, link):
    assert akt(scenario, 5.0, **signal) > 0.02
    assert akt(scenario, 5.0, cut=[link], **signal) == pytest.approx(0.0, abs=1e-6)


def test_l8_raised_akt_protects(scenario):
    cell = MadeCell(scenario)
    death = cell.physiology.behaviour["death from sorafenib"]
    naive = cell.behaviours[0, death]
    cell.hold(drug_sorafenib=HIGH_NM)
    cell.live(20.0)
    assert cell.behaviours[0, death] < 0.8 * naive


# L4: the drug makes cells send vesicles with ABCB1; who takes them up pumps more.

ABCB1_LINKS = {
    "release": "interventions.block_drug_vesicles.active=true",
    "load": "vesicles.tumour_drug_vesicle.cargo.ABCB1_protein=0",
    "uptake": "vesicles.tumour_drug_vesicle.taken_up_by.tumour=0 /h",
}


@pytest.fixture(scope="module")
def l4():
    doses = {"none": "0 uM", "low": "6.9 uM", "high": "20 uM"}
    return {
        name: run(2.0, f"drugs.sorafenib.schedule=[{{dose: {dose}, for: 30 d}}]")
        for name, dose in doses.items()
    }


def test_l4_drug_brings_pumps_to_recipients_by_dose(l4):
    pumps = [held(l4[dose], "tumour", "ABCB1_protein") for dose in ("none", "low", "high")]
    assert pumps[0] == 0.0
    assert 0.0 < pumps[1] < pumps[2]


@pytest.mark.parametrize("link", ABCB1_LINKS)
def test_l4_is_silent_where_a_link_is_cut(l4, link):
    cut = run(2.0, "drugs.sorafenib.schedule=[{dose: 20 uM, for: 30 d}]", ABCB1_LINKS[link])
    assert held(cut, "tumour", "ABCB1_protein") == 0.0
    assert mean_of(cut, "ABCB1") < mean_of(l4["high"], "ABCB1")


def test_l4_pumps_fade_after_the_drug():
    model = run(2.0, "drugs.sorafenib.schedule=[{dose: 20 uM, for: 2 d}]")
    under = held(model, "tumour", "ABCB1_protein")
    while model.clock.days < 6.0:
        model.step()
    assert held(model, "tumour", "ABCB1_protein") < 0.2 * under


# L5: vesicles of the tumour educate fibroblasts; these give HGF, COMP and vesicles back.

STROMA = ["tissue.fibroblast.density=12 %", "drugs.sorafenib.schedule.0.dose=0 uM"]
L5_LINKS = {
    "education": "vesicles.tumour_normoxic_exosome.cargo.tmv_protein=0",
    "fibroblast": "interventions.caf_silence.active=true",
    "uptake": "vesicles.tumour_normoxic_exosome.taken_up_by.fibroblast=0 /h",
}


def given(amount):
    dose = f"{{kind: give_vesicles, target: tumour_normoxic_exosome, amount: {amount}, from: 0.5 d}}"
    return f"interventions.dose={dose}"


def answer(model):
    """Return the state of fibroblasts, HGF and COMP in the tissue, and what tumour cells hold of their vesicles."""
    factors = [float(model.tissue.field(name).mean()) for name in ("hgf", "comp")]
    return np.array([mean_of(model, "CAF", "fibroblast"), *factors, held(model, "tumour", "caf_protein")])


SILENT = "vesicles.{}.cargo.tmv_protein=0"
OTHERS = [SILENT.format(pool) for pool in ("tumour_hypoxic_vesicle", "golph3_exosome", "tumour_drug_vesicle")]


def test_l5_more_vesicles_of_the_tumour_make_fibroblasts_give_more():
    less, more = (answer(run(3.0, *STROMA, given(amount))) for amount in (0, 2000))
    assert np.all(more > less)
    assert np.all(less > 0.0)


@pytest.mark.parametrize("link", L5_LINKS)
def test_l5_is_silent_where_a_link_is_cut(link):
    cut = answer(run(3.0, *STROMA, *OTHERS, given(2000), L5_LINKS[link]))
    assert np.all(cut < 1e-12)


def test_l5_what_fibroblasts_give_raises_stemness_and_cycling(scenario):
    cell = MadeCell(scenario)
    before = cell.variables["CSC"], cell.behaviours[0, cell.physiology.behaviour["cycle entry"]]
    cell.hold(hgf=0.5, comp=0.5, held_caf_protein=1000.0)
    after = cell.live(5.0)["CSC"], cell.behaviours[0, cell.physiology.behaviour["cycle entry"]]
    assert np.all(np.array(after) > 1.05 * np.array(before))
