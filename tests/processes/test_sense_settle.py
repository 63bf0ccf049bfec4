import numpy as np
import pytest
from made_matter import made_context

from tests.measures.made_assay import tumour
from tests.rules.made_physiology import acts, made_physiology
from tme_sim.processes.acts_on_cells import Scale
from tme_sim.processes.base import ProcessError
from tme_sim.processes.interventions import Interventions
from tme_sim.processes.sense import Sense
from tme_sim.processes.settle import SORT_EVERY_STEPS, Settle
from tme_sim.processes.switch import Switch
from tme_sim.state.codes import APOPTOSIS, REMOVED


def sensed(physiology, tissue, *interventions):
    context = made_context(tissue, {})
    Sense(physiology, Interventions(np.zeros(4), [], list(interventions))).step(tissue, context)
    return context.behaviours


def test_cells_act_on_what_they_feel_and_the_dead_do_nothing():
    physiology = made_physiology(acts("il6", "A", 1.0))
    tissue = tumour(3, il6=[0.0, 1.0, 1.0])
    tissue.cells["death"][2] = APOPTOSIS
    behaviours = sensed(physiology, tissue)
    assert behaviours[:, physiology.behaviour["A"]] == pytest.approx([0.0, 0.5, 0.0])
    assert not behaviours[2].any()


def test_interventions_act_after_the_rules():
    physiology = made_physiology(acts("il6", "A", 1.0))
    halved = Scale(Switch("x"), physiology.behaviour["A"], (), 0.5)
    behaviours = sensed(physiology, tumour(1, il6=1.0), halved)
    assert behaviours[0, physiology.behaviour["A"]] == pytest.approx(0.25)


def test_behaviours_are_never_negative():
    physiology = made_physiology(base={"A": -0.5})
    assert sensed(physiology, tumour(1)).min() == 0.0


def test_behaviour_that_is_not_finite_is_refused_with_its_cell():
    physiology = made_physiology(acts("il6", "A", 1.0))
    with pytest.raises(ProcessError, match=r"step 0 \(0.00 h\): sense: A of tumour cell 2 is nan"):
        sensed(physiology, tumour(2, il6=[0.0, np.nan]))


def test_step_ends_with_the_gone_removed_and_the_clock_moved():
    tissue = tumour(3)
    tissue.cells["death"][:] = (0, REMOVED, APOPTOSIS)
    Settle().step(tissue, made_context(tissue, {}))
    assert set(tissue.cells["id"]) == {1, 3}
    assert tissue.clock.step == 1
    tissue.check()


def test_rows_are_sorted_by_site_now_and_then():
    tissue = tumour(5)
    tissue.cells.permute(np.array([4, 2, 0, 1, 3]))
    tissue.clock.step = SORT_EVERY_STEPS - 1
    Settle().step(tissue, made_context(tissue, {}))
    assert np.array_equal(tissue.cells["site"], np.sort(tissue.cells["site"]))
    tissue.check()
