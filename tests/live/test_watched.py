"""A watched run equals an unwatched one, takes changes, and is saved without being disturbed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.live.conftest import SMALL
from tme_sim.live.offers import in_force, knobs_of, offers_of, start, stop
from tme_sim.live.watched import WatchedRun
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.record.reader import open_run, verify
from tme_sim.record.session import Session
from tme_sim.scenario.load import load_scenario, read_scenario
from tme_sim.scenario.resolved import resolved_yaml


def state(model: TumorMicroenvironment) -> list[np.ndarray]:
    cells = model.tissue.cells
    order = np.argsort(cells["id"])
    columns = (cells[name][order] for name in ("id", "site", "variables", "drug"))
    return [model.tissue.fields, model.tissue.pools, *columns]


def equal(left: TumorMicroenvironment, right: TumorMicroenvironment) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(state(left), state(right), strict=True))


def offer(run: WatchedRun, key: str):
    return next(offer for offer in run.offers if offer.key == key)


def test_saving_on_the_way_leaves_the_recording_as_an_unbroken_run_makes_it(
    run: WatchedRun, tmp_path
) -> None:
    session = Session.begin(TumorMicroenvironment("s0_relay", SMALL), tmp_path / "run.h5")
    for step in range(15):
        run.step()
        session.model.step()
        session.recorder.observe(session.model.tissue)
        if step in (3, 9):
            run.run_file()
    run.saved(tmp_path / "page.h5")
    session.finish({})
    verify(tmp_path / "page.h5")
    with open_run(tmp_path / "page.h5") as page, open_run(tmp_path / "run.h5") as alone:
        assert page.run_id == alone.run_id
        assert page.timeseries.equals(alone.timeseries)
        assert page.snapshot_minutes.tolist() == alone.snapshot_minutes.tolist()
        assert page.cells().equals(alone.cells())


def test_offers_are_the_scenarios_and_what_can_be_done_in_every_tissue(run: WatchedRun) -> None:
    keys = [offer.key for offer in run.offers]
    assert keys[0] == "dose SN38"
    assert {"block_exosomes", "anti_il6", "clamp_oxygen", "block_all_vesicles"} <= set(keys)
    assert "neutralise_il6" not in keys  # anti_il6 does it already
    hcc = [offer.key for offer in offers_of(load_scenario("hcc_sorafenib"))]
    assert {"dose sorafenib", "neutralise_il6", "half_dose"} <= set(hcc)


@pytest.mark.parametrize(
    "name",
    [
        "first_steps",
        "dish",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in (
                "s0_relay",
                "hcc_sorafenib",
                "vesicle_niche",
                "lung_angiogenesis",
                "vessel_growth",
            )
        ),
    ],
)
def test_every_offer_makes_a_scenario_that_loads(name: str) -> None:
    scenario = load_scenario(name)
    offers = offers_of(scenario)
    assert offers
    for offer_ in offers:
        called, settings = start(scenario, offer_, 720.0)
        changed = read_scenario(resolved_yaml(scenario), settings)
        if not offer_.is_dose:
            assert in_force(changed, offer_.key, 720.0) == called
            ended = read_scenario(resolved_yaml(changed), stop(changed, called, 840.0))
            assert in_force(ended, offer_.key, 840.0) is None


def test_dose_reaches_the_running_model(run: WatchedRun) -> None:
    run.step()
    assert run.model.tissue.plasma.tolist()[run.model.tissue.layout.fields.index("SN38")] == 0.0
    run.toggle(offer(run, "dose SN38"))
    run.step()
    assert run.model.tissue.plasma[run.model.tissue.layout.fields.index("SN38")] == 8.0


def test_started_ended_and_started_again_repeats_from_the_exported_scenario(run: WatchedRun) -> None:
    block = offer(run, "block_exosomes")
    for step in range(12):
        if step in (2, 5, 7):
            run.toggle(block)
        if step == 4:
            run.toggle(offer(run, "clamp_oxygen"))
        run.step()
    assert run.is_on(block)
    assert [change.label for change in run.changes] == [
        "block exosomes on", "clamp oxygen on", "block exosomes off", "block exosomes on",
    ]  # fmt: skip
    replayed = TumorMicroenvironment(read_scenario(run.exported()))
    for _ in range(12):
        replayed.step()
    assert equal(run.model, replayed)


def test_toggled_twice_without_a_step_leaves_the_run_as_it_was(run: WatchedRun) -> None:
    plain = TumorMicroenvironment("s0_relay", SMALL)
    run.step()
    for _ in range(2):
        run.toggle(offer(run, "block_exosomes"))
    assert not run.is_on(offer(run, "block_exosomes"))
    plain.step()
    for _ in range(3):
        run.step()
        plain.step()
    assert equal(run.model, plain)


def test_slider_changes_the_running_number_and_says_that_it_cannot_be_repeated(run: WatchedRun) -> None:
    knob = next(knob for knob in run.knobs if "anti_il6" in knob.key)
    run.toggle(offer(run, "anti_il6"))
    run.step()
    change = run.turn(knob, 40.0)
    assert change is not None
    assert not change.replays
    assert float(run.model.config.interventions["anti_il6"].rate) == pytest.approx(40.0 / 60.0)
    assert run.is_on(offer(run, "anti_il6"))
    assert "another run" in run.exported()


def test_slider_of_the_start_waits_for_the_reset(run: WatchedRun) -> None:
    knob = next(knob for knob in run.knobs if knob.founding)
    assert (knob.label, knob.unit, knob.low, knob.high) == ("vessels · spacing", "um", 80.0, 160.0)
    assert run.turn(knob, 120.0) is None
    before = int((run.model.tissue.vessel > 0).sum())
    run.reset(3, {knob.key: 120.0})
    assert int((run.model.tissue.vessel > 0).sum()) < before
    assert (run.model.seed, run.changes) == (3, [])
    same = TumorMicroenvironment("s0_relay", [*SMALL, "seed=3", "vessels.spacing.value=120 um"])
    assert equal(run.model, same)


def test_knobs_keep_documented_ranges_and_units() -> None:
    knobs = {
        knob.key: knob for name in ("first_steps", "hcc_sorafenib") for knob in knobs_of(load_scenario(name))
    }
    assert (knobs["drugs.toxin.half_max"].low, knobs["drugs.toxin.half_max"].high) == (0.0, 24.0)
    assert knobs["drugs.sorafenib.schedule.0.dose"].unit == "uM"
    assert knobs["drugs.toxin.half_max"].setting(99.0) == "drugs.toxin.half_max=24 nM"


def test_overview_is_a_picture(run: WatchedRun) -> None:
    assert run.overview().startswith(b"\x89PNG")
