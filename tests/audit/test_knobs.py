"""Interventions of the liver cancer that the documents name, at work on one cell."""

import numpy as np
import pytest

from tests.physics.made_cell import MadeCell
from tme_sim.audit.of_scenario import bench_of
from tme_sim.model.specs import Numbers
from tme_sim.model.timeline import BUILDERS, Making
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.processes.switch import Switch
from tme_sim.scenario.load import load_scenario
from tme_sim.scenario.scenario import layout_of

FREE_TROUGH_NM = 34.5


class TreatedCell(MadeCell):
    """A made cell on which interventions of its scenario act."""

    def __init__(self, scenario, *names, drug=0.0, **held):
        super().__init__(scenario)
        self.hold(drug_sorafenib=drug)
        self.acts = [act for name in names for act in acts_of(scenario, name)]
        physiology, rules = self.physiology, self.physiology.act

        def act(kind, alive, signals):
            behaviours = rules(kind, alive, signals)
            for one in self.acts:
                one.modify(None, kind, behaviours)
            return behaviours

        physiology.act = act

    def death_rate(self):
        return float(self.behaviours[0, self.physiology.behaviour["death from sorafenib"]])


def acts_of(scenario, name):
    numbers = Numbers(scenario, layout_of(scenario), scenario.vocabulary, scenario.lattice())
    making = Making(numbers, condition_of=None, found=None)
    act = scenario.interventions[name]
    return BUILDERS[act.kind](making, act, Switch(name), 0)


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("hcc_sorafenib")


def lived(scenario, *names, days=4.0, drug=FREE_TROUGH_NM):
    cell = TreatedCell(scenario, *names, drug=drug)
    cell.live(days)
    return cell


def test_akt_inhibitor_makes_cells_die_faster_of_the_drug(scenario):
    """S3-22."""
    assert lived(scenario, "akt_inhibitor").death_rate() > 1.01 * lived(scenario).death_rate()


def test_akt_inhibitor_reverses_what_cells_acquired(scenario):
    """S3-23: a month under the drug makes Akt high and death slow; the inhibitor undoes it, and more."""
    fresh, adapted = lived(scenario), lived(scenario, days=30.0)
    assert adapted.variables["AKT"] > fresh.variables["AKT"]
    assert adapted.death_rate() < fresh.death_rate()
    adapted.acts = acts_of(scenario, "akt_inhibitor")
    adapted.live(4.0)
    assert adapted.death_rate() > fresh.death_rate()


def test_wnt_inhibitor_clears_stemness(scenario):
    """S3-34."""
    treated, control = (lived(scenario, *names, days=15.0, drug=0.0) for names in (("wnt_inhibitor",), ()))
    for name in ("BCAT", "CSC"):
        assert treated.variables[name] < control.variables[name]


def test_rock_inhibitor_acts_on_tumour_and_fibroblasts(scenario):
    """S3-R15."""
    (act,) = acts_of(scenario, "rock_inhibitor")
    types = layout_of(scenario).cell_types
    kinds = np.array([types.index(name) for name in ("tumour", "fibroblast")], np.int16)
    behaviours = np.ones((2, len(bench_of(scenario).physiology.tables.behaviours)))
    act.modify(None, kinds, behaviours)
    assert behaviours[:, act.column].tolist() == [0.1, 0.1]


def test_silencing_usp22_lowers_the_pump_that_it_keeps_up():
    """S3-99: with pumps that USP22 keeps up; without that link the knob does nothing."""
    for link, works in (("pumps", True), ("none", False)):
        scenario = load_scenario("hcc_sorafenib", [f"hypotheses.usp22={link}"])
        treated, control = lived(scenario, "usp22_silencing", days=8.0), lived(scenario, days=8.0)
        assert (treated.variables["ABCB1"] < control.variables["ABCB1"]) is works


def test_egfr_knock_down_slows_growth(scenario):
    """S3-107."""
    treated, control = (lived(scenario, *names, drug=0.0) for names in (("egfr_inhibitor",), ()))
    column = treated.physiology.behaviour["cycle entry"]
    assert treated.behaviours[0, column] < 0.98 * control.behaviours[0, column]


@pytest.mark.parametrize(
    ("name", "factor", "readout"),
    [
        ("mek_inhibitor", "hgf", "cycle entry"),
        ("met_inhibitor", "hgf", "AKT"),
        ("stat3_inhibitor", "il6", "MCL1"),
    ],
)
def test_inhibitor_reaches_what_lies_below_its_target(scenario, name, factor, readout):
    cells = [TreatedCell(scenario, *names) for names in ((name,), ())]
    for cell in cells:
        cell.hold(**{factor: 1.0})
        cell.live(4.0)
    column = cells[0].physiology.behaviour[readout]
    treated, control = (cell.behaviours[0, column] for cell in cells)
    assert treated < 0.9 * control


def test_half_dose_halves_the_level_in_plasma():
    """S3-12."""
    small = (
        "grid.size=[300 um, 300 um]",
        "tissue.tumour.nodules.0.radius=60 um",
        "drugs.sorafenib.schedule.0.from=0 d",
    )
    half = ("interventions.half_dose.active=true", "interventions.half_dose.from=0 d")
    levels = []
    for settings in (small, (*small, *half)):
        model = TumorMicroenvironment("hcc_sorafenib", settings)
        model.step()
        levels.append(model.tissue.plasma[model.tissue.layout.fields.index("sorafenib")])
    assert levels[1] == pytest.approx(0.5 * levels[0])
    assert levels[0] > 0.0
