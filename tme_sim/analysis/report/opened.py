"""A run as its report needs it: the file, its scenario, its moments and one section of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tme_sim.analysis.section import Section, section_of
from tme_sim.analysis.timeline import doses
from tme_sim.measures.measure import tumour_types
from tme_sim.record.reader import Run
from tme_sim.scenario.faults import ScenarioError
from tme_sim.scenario.load import read_scenario
from tme_sim.scenario.observation import ResistanceSpec
from tme_sim.scenario.scenario import Scenario


def scenario_of(run: Run) -> Scenario | None:
    """Return the scenario of a run; None where this version cannot read it, as one written by another version."""
    try:
        return read_scenario(run.scenario_yaml)
    except ScenarioError:
        return None


@dataclass(frozen=True)
class OpenedRun:
    """An open run with what several chapters share."""

    run: Run

    @cached_property
    def scenario(self) -> Scenario | None:
        """The scenario as it was run; None where this version cannot read it."""
        return scenario_of(self.run)

    @cached_property
    def resistant_below(self) -> float:
        """Share of a naive cell's log-kill below which a cell counts as resistant."""
        return float(self.observed.threshold)

    @cached_property
    def observed(self) -> ResistanceSpec:
        """How resistance was measured; the defaults where the scenario does not say."""
        given = self.scenario.resistance if self.scenario is not None else None
        return given or ResistanceSpec.model_validate({})

    @cached_property
    def last(self) -> Section:
        """The middle plane at the end."""
        return section_of(self.run)

    @cached_property
    def drugs(self) -> tuple[str, ...]:
        """Drugs whose resistance was measured at the end."""
        return tuple(drug for drug in self.run.layout.drugs if f"resistance_{drug}" in self.run.cells())

    def living(self, minutes: float | None = None) -> Any:
        """Return the living tumour cells of a snapshot, a DataFrame with the columns of `Run.cells`."""
        cells = self.run.cells(minutes)
        return cells[(cells["death"] == "alive") & cells["type"].isin(self.tumour)]

    @cached_property
    def tumour(self) -> tuple[str, ...]:
        """Cell types that make up the tumour."""
        return tumour_types(self.run.layout)

    @cached_property
    def series_days(self) -> np.ndarray:
        """Times of the series, days."""
        return self.run.timeseries.index.to_numpy(float) / 1440.0

    @cached_property
    def _series(self) -> dict[str, np.ndarray]:
        frame = self.run.timeseries
        return dict(zip(map(str, frame), frame.to_numpy(float).T, strict=True))

    def series(self, name: str) -> np.ndarray | None:
        """Return a measure through time; None where the run has none or never a value."""
        values = self._series.get(name)
        return values if values is not None and np.isfinite(values).any() else None

    def doses(self, drug: str | None) -> list[tuple[float, float]]:
        """Return the days with a drug in the blood."""
        return doses(self.run.timeseries.index.to_numpy(float), self.series(f"{self.field_of(drug)}_plasma"))

    def field_of(self, drug: str | None) -> str | None:
        """Return the field that a drug is in; its own name where the scenario is not known."""
        spec = self.scenario.drugs.get(drug) if self.scenario is not None and drug is not None else None
        return (spec.field if spec is not None else None) or drug

    def moments(self, most: int) -> list[float]:
        """Return at most so many snapshots, evenly spread from the first to the last, minutes."""
        times = self.run.snapshot_minutes
        at = np.unique(np.linspace(0, len(times) - 1, min(most, len(times))).round().astype(int))
        return [float(times[i]) for i in at]
