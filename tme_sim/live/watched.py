"""A run that is watched: it steps, records, takes changes at any moment, and can be saved."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tme_sim.analysis.overview import save_overview
from tme_sim.live.offers import Knob, Offer, in_force, knobs_of, offers_of, start, stop
from tme_sim.model.mesa_base import STEP_LOCK
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.record.machine import machine_facts
from tme_sim.record.recorder import Recorder
from tme_sim.record.session import recorder_of
from tme_sim.record.writer import write_run
from tme_sim.scenario.load import read_scenario
from tme_sim.scenario.resolved import resolved_yaml
from tme_sim.scenario.scenario import Scenario


@dataclass(frozen=True)
class Change:
    """Something that a reader did to the running model.

    Attributes
    ----------
    minutes : float
        Simulated time.
    label : str
        For people.
    replays : bool
        Whether the exported scenario does the same at the same time when it is run from its start.
    """

    minutes: float
    label: str
    replays: bool


class WatchedRun:
    """One model with its recorder; every method may be called from any thread.

    Parameters
    ----------
    scenario : Scenario
        What a reset goes back to.
    folder : Path
        Where the files lie that the scenario names.
    """

    def __init__(self, scenario: Scenario, folder: Path = Path()):
        self.scenario, self.folder = scenario, folder
        self._begin(scenario)

    def _begin(self, scenario: Scenario) -> None:
        with self.lock:  # laying a tissue runs kernels too
            self.model = TumorMicroenvironment(scenario)
            self.recorder: Recorder = recorder_of(self.model)
            self.changes: list[Change] = []
            self.recorder.start(self.model)

    @property
    def lock(self) -> threading.RLock:
        """The one lock of the process; hold it while reading the tissue."""
        return STEP_LOCK

    def step(self) -> bool:
        """Advance by one step if the model runs; return whether it goes on."""
        with self.lock:
            if self.model.running:
                self.model.step()
                self.recorder.observe(self.model.tissue)
            return self.model.running

    def reset(self, seed: int, values: Mapping[str, float]) -> None:
        """Start anew from the scenario with a seed and with the values of sliders, by key."""
        settings = [f"seed={seed}", *self.settings(values)]
        scenario = read_scenario(resolved_yaml(self.scenario), settings, folder=self.folder)
        self._begin(scenario)

    def settings(self, values: Mapping[str, float]) -> list[str]:
        """Return the settings of sliders that are not where the scenario has them."""
        knobs = {knob.key: knob for knob in self.knobs}
        return [knobs[key].setting(value) for key, value in values.items() if value != knobs[key].value]

    @property
    def knobs(self) -> list[Knob]:
        """Sliders, at the values of the scenario."""
        return knobs_of(self.scenario)

    @property
    def offers(self) -> list[Offer]:
        """Interventions that can be started."""
        return offers_of(self.scenario)

    def is_on(self, offer: Offer) -> bool:
        """Return whether an intervention is in force; a dose is over by itself."""
        return not offer.is_dose and in_force(self.model.config, offer.key, self.model.minutes) is not None

    def toggle(self, offer: Offer) -> Change:
        """Start an intervention, or end it where it is in force."""
        with self.lock:
            now, config = self.model.minutes, self.model.config
            name = None if offer.is_dose else in_force(config, offer.key, now)
            if name is None:
                _, settings = start(config, offer, now)
                word = offer.label if offer.is_dose else f"{offer.label} on"
            else:
                settings, word = stop(config, name, now), f"{offer.label} off"
            return self._change(settings, word, replays=True)

    def turn(self, knob: Knob, value: float) -> Change | None:
        """Give a number another value from now on; None where it only counts from the next start."""
        if knob.founding:
            return None
        with self.lock:
            word = f"{knob.label}: {value:g} {knob.unit}".rstrip()
            settings = [knob.setting(value)]
            group, name, *_ = knob.key.split(".")
            if group == "interventions":
                running = in_force(self.model.config, name, self.model.minutes)
                if running not in (None, name):  # it was started again under another name
                    settings.append(knob.of(name, running).setting(value))
            return self._change(tuple(settings), word, replays=self.model.clock.step == 0)

    def _change(self, settings: tuple[str, ...], label: str, *, replays: bool) -> Change:
        model = self.model
        model.go_on(read_scenario(model.resolved_yaml, settings, folder=self.folder))
        self.recorder.context = model.measure_context
        self.recorder.attach(model)
        change = Change(model.minutes, label, replays)
        self.changes.append(change)
        return change

    def exported(self) -> str:
        """Return the scenario with the changes made; it says which of them a run from the start cannot repeat."""
        with self.lock:
            text, changes = self.model.resolved_yaml, list(self.changes)
            step, minutes = self.model.clock.step, self.model.minutes
        lines = [
            f"# {self.scenario.scenario}, exported from the live page after {step} steps ({minutes:g} min)."
        ]
        lines += [f"#   {change.minutes:g} min: {change.label}" for change in changes]
        lost = [change for change in changes if not change.replays]
        if lost:
            lines.append(
                "# A run of this file has from its start what was changed by sliders on the way, so it is"
            )
            lines.append("# another run than the one on the page.")
        else:
            lines.append("# A run of this file repeats the run on the page.")
        return "\n".join([*lines, text])

    def saved(self, path: Path) -> None:
        """Write the run so far as a run file."""
        with self.lock:
            recording = self.recorder.twin(self.model).finish()
        write_run(recording, path, force=True, provenance=machine_facts(0.0))

    def run_file(self) -> bytes:
        """Return the bytes of the run file so far."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.h5"
            self.saved(path)
            return path.read_bytes()

    def overview(self) -> bytes:
        """Return the overview picture of the run so far, a PNG."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.h5"
            self.saved(path)
            return save_overview(path, path.with_suffix(".png")).read_bytes()

    def course(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the times (minutes) and the measures kept so far, by name."""
        with self.lock:
            return self.recorder.course
