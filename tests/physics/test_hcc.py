"""The liver cancer under sorafenib: calibration, what drug and stroma do in tissue, controls."""

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
import yaml
from scipy.optimize import brentq

from tests.physics.made_cell import MadeCell
from tests.physics.small_hcc import held, mean_of, ratio_of, run
from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.resources import data_dir
from tme_sim.scenario.load import load_scenario
from tme_sim.state.codes import DRUG

UNTREATED = "drugs.sorafenib.schedule.0.dose=0 uM"
TREATED = "drugs.sorafenib.schedule.0.from=0 d"
FREE_NM_PER_TOTAL_UM = 5.0  # 0.5 % free


def net_growth(cell: MadeCell) -> float:
    """Return the growth rate of free cells, 1/min: that of their cycle less apoptosis."""
    entry, loss = (
        cell.behaviours[0, cell.physiology.behaviour[name]] for name in ("cycle entry", "apoptosis")
    )
    return brentq(lambda mu: mu + entry - 2.0 * entry * exp(-mu * 13 * 60), 0.0, 0.1) - loss


def relative_number(total_um: float, hours: float = 72.0) -> float:
    """Return treated over untreated cells after an exposure in a dish, well supplied with oxygen."""
    scenario = load_scenario("hcc_sorafenib")
    assay = TumorMicroenvironment("hcc_sorafenib").measure_context.extras["resistance"]
    outside = total_um * FREE_NM_PER_TOTAL_UM
    cell = MadeCell(scenario)
    control = net_growth(cell)
    rate = {
        word: cell.behaviours[0, cell.physiology.behaviour[f"{word} sorafenib"]]
        for word in ("influx", "efflux", "metabolism")
    }
    cell.hold(drug_sorafenib=rate["influx"] * outside / (rate["efflux"] + rate["metabolism"]))
    cell.live(1.0)
    exposure = replace(assay.exposures[0], dose_nm=outside, on_min=hours * 60, follow_min=hours * 60)
    kill = assay.log_kill(exposure, assay.parameters(exposure, cell.behaviours), cell.kind)[0]
    return exp(-kill - (control - net_growth(cell)) * hours * 60)


def test_naive_cells_double_as_liver_cancer_lines():
    """parameters:CELL-2: 34 to 72 h, middle 50 h."""
    assert log(2.0) / net_growth(MadeCell(load_scenario("hcc_sorafenib"))) / 60.0 == pytest.approx(
        50.0, rel=0.1
    )


def test_ic50_of_naive_cells_is_that_of_liver_cancer_lines():
    """parameters:DRUG-21, DRUG-22: 6 uM in 72 h, as a nominal total."""
    assert relative_number(6.0) == pytest.approx(0.5, abs=0.04)
    assert relative_number(2.0) > 0.85
    assert relative_number(20.0) < 0.2


def drug_deaths(model: TumorMicroenvironment) -> int:
    return sum(int((table["cause"] == DRUG).sum()) for table in model.tissue.events.deaths)


def living_vessels() -> str:
    """Return the libraries that the experiment hcc_vessels joins, as an override."""
    experiment = yaml.safe_load((data_dir("experiments") / "hcc_vessels.yaml").read_text(encoding="utf-8"))
    return f"use=[{', '.join(experiment['settings']['use'])}]"


def births(model: TumorMicroenvironment) -> float:
    return measures_for(model.tissue.layout)["tumour_births"].of(model.tissue, model.measure_context)


def test_sorafenib_slows_growth_and_raises_death():
    """S3-10, S3-03: less proliferation, less angiogenic signalling, more death, each by its own target.

    Where the drug does no damage its targets alone are left: fewer births, as many where ERK does not feel it. At the
    endothelium half a day shows the receptor, before vessels and VEGF differ.
    """
    harmless, no_erk = "drugs.sorafenib.half_max=1e15 nM", "rules.sorafenib_erk.half_max=1e15 nM"
    without, targets, deaf, under = (
        run(4.0, *arm) for arm in ((UNTREATED,), (TREATED, harmless), (TREATED, harmless, no_erk), (TREATED,))
    )
    assert births(targets) < 0.9 * births(without)
    assert births(deaf) >= births(without)
    assert mean_of(targets, "ERK") < 0.9 * mean_of(without, "ERK")
    assert drug_deaths(without) == drug_deaths(targets) == 0
    assert drug_deaths(under) > 0.2 * births(under)
    assert under.tissue.cells.of_type("tumour").sum() < 0.6 * without.tissue.cells.of_type("tumour").sum()

    no_vegfr = "rules.sorafenib_vegfr.half_max=1e15 nM"
    vegfr, blocked, spared = (
        mean_of(run(0.5, living_vessels(), *arm), "VEGFR", "endothelial")
        for arm in ((UNTREATED,), (TREATED,), (TREATED, no_vegfr))
    )
    assert blocked < 0.8 * vegfr
    assert spared == pytest.approx(vegfr, rel=0.02)


FIBROBLAST, OTHERS = "fibroblast", ("macrophage", "hepatocyte", "hsc")


def test_stroma_changes_sensitivity_by_vesicles_and_factors():
    """S3-46: co-cultures with one class of stromal cells each; means of two seeds, cells that live without drug.

    Fibroblasts make cells resist more, and not where they take up no vesicles of the tumour. A finding: the other
    classes move the ratio by less than half as much; macrophages, if at all, to the side of the drug.
    """
    bare = [UNTREATED, *(f"tissue.{kind}=null" for kind in (FIBROBLAST, *OTHERS))]
    pools = ("tumour_normoxic_exosome", "tumour_hypoxic_vesicle", "tumour_drug_vesicle", "golph3_exosome")
    deaf = [f"vesicles.{pool}.taken_up_by.fibroblast=0 /h" for pool in pools]

    def lived(*more: str) -> list[TumorMicroenvironment]:
        return [run(4.0, *bare, *more, f"seed={seed}") for seed in (1, 2)]

    def sensitivity(models: list[TumorMicroenvironment]) -> float:
        return float(np.mean([ratio_of(model) for model in models]))

    alone, together = lived(), lived(f"tissue.{FIBROBLAST}={{density: 25 %}}")
    silent = lived(f"tissue.{FIBROBLAST}={{density: 25 %}}", *deaf)
    assert all(model.tissue.field("hgf").max() > 0.0 for model in together)
    assert all(model.tissue.field("hgf").max() == 0.0 for model in (*alone, *silent))
    assert sensitivity(together) < sensitivity(alone) - 0.04
    assert sensitivity(silent) == pytest.approx(sensitivity(alone), abs=0.025)
    for kind in OTHERS:
        found = sensitivity(lived(f"tissue.{kind}={{density: 25 %}}"))
        assert found == pytest.approx(sensitivity(alone), abs=0.025), kind


def test_endothelium_of_living_vessels_takes_up_what_tumours_rich_in_golph3_send():
    """S3-87, S3-88: miR-494-3p reaches endothelium and lowers PTEN there, slightly: some copies of a hundred."""
    rich, poor = (run(1.0, living_vessels(), f"cells.tumour.base.GOLPH3={level}") for level in (1, 0))
    assert held(rich, "endothelial", "miR494") > 1.0
    assert held(poor, "endothelial", "miR494") == 0.0
    assert mean_of(rich, "PTEN", "endothelial") < mean_of(poor, "PTEN", "endothelial")


def test_vesicles_without_cargo_change_no_cell():
    """A control: they spread and enter, and nothing follows."""
    pools = load_scenario("hcc_sorafenib").vesicles
    empty = run(1.0, TREATED, *(f"vesicles.{pool}.cargo=" for pool in pools))
    blocked = run(
        1.0,
        TREATED,
        *(f"interventions.no_{pool}={{kind: block_release, target: {pool}, factor: 0}}" for pool in pools),
    )
    for name in ("site", "variables", "drug", "damage"):
        assert np.array_equal(empty.tissue.cells[name], blocked.tissue.cells[name])


def test_variables_stay_between_0_and_1_and_nothing_is_negative():
    tissue = run(3.0, TREATED, "drugs.sorafenib.schedule.0.dose=60 uM").tissue
    tissue.check()
    assert tissue.cells["variables"].min() >= 0.0
    assert tissue.cells["variables"].max() <= 1.0
    assert tissue.fields.min() >= 0.0
    assert tissue.pools.min() >= 0.0


def test_a_tumour_that_is_given_vesicles_of_resistant_cells_is_larger_under_the_drug():
    """S3-69: twins under sorafenib from the start and twins without it, one of each given vesicles every day.

    Vesicles make the drug-free tumour larger too, but less: the rest is protection.
    """
    gain = {}
    for dose in (TREATED, UNTREATED):
        without, with_ = (
            np.count_nonzero(run(5.0, dose, *given).tissue.cells.of_type("tumour"))
            for given in ((), ("interventions.given_vesicles.active=true",))
        )
        gain[dose] = with_ / without
    assert gain[TREATED] > 1.15
    assert gain[TREATED] > 1.15 * gain[UNTREATED]


def ends_of_ranges() -> list[str]:
    """Return overrides that let cells use as much drug up as DRUG-29 and DRUG-31 to DRUG-33 allow.

    Blood brings it as slowly as the range of the exchange has it; half-maxima are of what cells then hold.
    """
    scenario = load_scenario("hcc_sorafenib", [living_vessels()])
    rates = {"influx": 10.0, "efflux": 0.5, "metabolism": 0.3}
    held = (10.0 / 0.8) / (3.0 / 1.55)  # over that of a naive cell at the defaults
    half_max = {
        f"rules.{i}": rule.half_max
        for i, rule in enumerate(scenario.rules)
        if rule.signal == "drug sorafenib"
    }
    half_max["drugs.sorafenib"] = scenario.drugs["sorafenib"].half_max
    return [
        "fields.sorafenib.diffusion=10 um^2/s",
        "fields.sorafenib.vessel.exchange=1 /min",
        *(
            f"cells.{kind}.base.{word} sorafenib={rate} /h"
            for kind in ("tumour", "hepatocyte")
            for word, rate in rates.items()
        ),
        *(f"{key}.half_max={held * float(level):.6g} nM" for key, level in half_max.items()),
    ]


def supply(*overrides: str) -> float:
    """Return the drug at the tumour over that of plasma, mean of days 10 to 12 and two seeds, with living vessels."""
    found = []
    for seed in (1, 2):
        model = TumorMicroenvironment(
            "hcc_sorafenib",
            [
                living_vessels(),
                "grid.size=[800 um, 800 um]",
                "tissue.tumour.nodules.0.radius=140 um",
                "time={step: 20 min, duration: 12 d}",
                "stop=[extinct]",
                "drugs.sorafenib.schedule.0.dose=20 uM",
                *overrides,
                f"seed={seed}",
            ],
        )
        measures = measures_for(model.tissue.layout)
        while model.clock.days < 12.0:
            model.step()
            if model.clock.days >= 10.0 and model.clock.step % 72 == 0:
                at_tumour, plasma = (
                    measures[name].of(model.tissue, model.measure_context)
                    for name in ("sorafenib_at_tumour", "sorafenib_plasma")
                )
                found.append(at_tumour / plasma)
    return float(np.mean(found))


@pytest.mark.slow
def test_supply_of_drug_falls_with_vessels_only_where_cells_use_much_of_it_up():
    """S3-45, the other half: not at the defaults; where uptake, metabolism, diffusion and exchange are at ends."""
    deaf = ("rules.sorafenib_vegfr.half_max=1e15 nM", "rules.sorafenib_pdgfr.half_max=1e15 nM")
    assert supply() == pytest.approx(supply(*deaf), abs=0.005)
    ends = ends_of_ranges()
    assert supply(*ends) < supply(*ends, *deaf) - 0.04
