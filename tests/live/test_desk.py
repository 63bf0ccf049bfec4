"""One tab's desk: what the model refuses is told, and the run stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.conftest import SMALL
from tme_sim.live.desk import Desk
from tme_sim.live.watched import WatchedRun
from tme_sim.scenario.load import load_scenario

WIDE = "adjustable=[tissue.tumour.nodules.0.radius, time.step, seed]"


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(WatchedRun(load_scenario("s0_relay", [*SMALL, WIDE])))
    yield made
    made.close()


@pytest.mark.parametrize("radius", [0.0, 330.0])
def test_refused_start_is_told_and_leaves_the_run(desk: Desk, radius: float) -> None:
    model = desk.run.model
    desk.player.step()
    desk.reset(2, {"tissue.tumour.nodules.0.radius": radius})
    assert "nodules" in desk.note.value
    assert desk.run.model is model
    desk.player.step()
    assert model.clock.step == 2
    assert "nodules" in desk.note.value  # until something else is changed
    desk.reset(2, {})
    assert (desk.note.value, desk.run.model.seed) == ("", 2)


def test_step_and_seed_count_from_the_next_start(desk: Desk) -> None:
    knobs = {knob.key: knob for knob in desk.run.knobs}
    for key in ("time.step", "seed"):
        assert knobs[key].founding
        assert desk.run.turn(knobs[key], knobs[key].high) is None
    desk.reset(1, {"time.step": 12.0})
    assert desk.run.model.clock.dt_min == 12.0
