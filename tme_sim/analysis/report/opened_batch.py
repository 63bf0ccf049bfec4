"""A batch as its report needs it: finished runs as one table, swept keys by kind, labels with units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tme_sim.analysis.convergence import levels_of
from tme_sim.analysis.report.opened import scenario_of
from tme_sim.record.batch_reader import Batch
from tme_sim.scenario.scenario import Scenario

MOST_REPORTED = 6
FEW_LEVELS = 9
_MOST_COLOURS = 7
_ALWAYS = ("tumour_cells",)
_RESISTANT = re.compile(r"resistant_fraction_(rim_|perfused_|)(?!own_oxygen|vessel_|oxygen_|clone_)(\w+)")
_DOSE = re.compile(r"drugs\.(\w+)\.schedule\.\d+\.dose")
_NICHES = {"": "", "rim_": " in the rim", "perfused_": " near vessels"}


@dataclass(frozen=True)
class OpenedBatch:
    """An open batch with what several chapters share."""

    batch: Batch

    @cached_property
    def measures(self) -> list[str]:
        """Measures that are shown: those the experiment reports, then the size of the tumour."""
        chosen = [name for name in self.batch.reported if "own_oxygen" not in name][: MOST_REPORTED - 1]
        known = [name for name in _ALWAYS if name in self.batch.measures]
        found = list(dict.fromkeys([*(name for name in chosen if self._shown(name)), *known]))
        return found or [name for name in self.batch.measures if self._has_values(name)][:1]

    def _shown(self, name: str) -> bool:
        return self._has_values(name) and not ("_vessel_" in name or "_oxygen_" in name)

    def _has_values(self, name: str) -> bool:
        return bool(np.isfinite(self.batch.ends[name].to_numpy()).any())

    @cached_property
    def table(self) -> Any:
        """One row per finished run: ``arm``, ``replicate``, swept keys, measures at its end."""
        return self.batch.table(self.measures)

    @cached_property
    def paired(self) -> Any:
        """The table with a ``replicate`` that names point and replicate, so that arms pair over all points."""
        if not self.batch.keys:
            return self.table
        keys = ["replicate", *self.batch.keys]
        return self.table.assign(replicate=self.table.groupby(keys, sort=False, dropna=False).ngroup())

    @cached_property
    def seeds_shared(self) -> bool:
        """Whether a replicate has one seed in all arms and points (``common_random_numbers``)."""
        of_replicate: Any = self.batch.design.groupby("replicate")["seed"].nunique()
        return bool((of_replicate == 1).all())

    @property
    def arms(self) -> list[str]:
        """Arms with finished runs, the control first."""
        return [arm for arm in self.batch.arms if arm in set(self.table["arm"])]

    @property
    def groups(self) -> list[list[str]]:
        """Arms in groups that one figure tells apart by colour, each with the control first."""
        control, *others = self.arms
        parts = [others[i : i + _MOST_COLOURS - 1] for i in range(0, len(others), _MOST_COLOURS - 1)]
        return [[control, *part] for part in parts or [[]]]

    def part(self, group: list[str]) -> str:
        """Return what tells the files of one group of arms from those of others."""
        return f"_{self.groups.index(group) + 1}" if len(self.groups) > 1 else ""

    def which(self, group: list[str]) -> str:
        """Return which arms a figure shows, where it does not show all."""
        if len(self.groups) == 1:
            return ""
        return f" ({group[1]}{f' to {group[-1]}' if len(group) > 2 else ''})"

    def levels(self, key: str) -> np.ndarray:
        """Return the values of a swept key, ascending."""
        return np.unique(self.table[key].to_numpy())

    @cached_property
    def numeric(self) -> list[str]:
        """Swept keys that are numbers and have more than one value."""
        return [k for k in self.batch.keys if self.table[k].dtype.kind in "fi" and len(self.levels(k)) > 1]

    @cached_property
    def crossed(self) -> list[str]:
        """Swept keys with few values each, as a grid has them; none where points were drawn or keys refined."""
        keys = [key for key in self.batch.keys if len(self.levels(key)) > 1] if not self.converge else []
        return keys if keys and all(len(self.levels(key)) <= FEW_LEVELS for key in keys) else []

    @cached_property
    def stepped(self) -> list[str]:
        """Crossed keys that are numbers with three values or more."""
        return [key for key in self.numeric if key in self.crossed and len(self.levels(key)) > 2]

    @property
    def drawn(self) -> bool:
        """Whether points were drawn rather than crossed."""
        return bool(self.batch.keys) and not self.crossed and not self.converge

    @cached_property
    def converge(self) -> dict[str, list[Any]]:
        """Values of every refined key as the table has them, coarse to fine; empty where none is refined."""
        return levels_of(self.table, self.batch.attributes.get("converge") or {})

    def label(self, measure: str) -> tuple[str, bool]:
        """Return what an axis says of a measure, with its unit, and whether it is a share."""
        unit = self.batch.units[measure]
        share = unit == "1" and any(word in measure for word in ("fraction", "share"))
        resistant = _RESISTANT.fullmatch(measure)
        if resistant:
            return f"Tumour cells{_NICHES[resistant[1]]} resistant to {resistant[2]}", True
        if measure.endswith("_cells"):
            return f"{measure.removesuffix('_cells').replace('_', ' ').capitalize()} cells", False
        words = self.batch.long_names[measure]
        text = words[:1].upper() + words[1:]
        return (text if share or unit == "1" else f"{text} ({_spelled(unit)})"), share

    @property
    def shares(self) -> list[str]:
        """Reported measures that lie between 0 and 1."""
        return [measure for measure, (_, share) in self.labels.items() if share]

    @cached_property
    def labels(self) -> dict[str, tuple[str, bool]]:
        """`label` of every measure that is shown."""
        return {name: self.label(name) for name in self.measures}

    def key_words(self, key: str) -> str:
        """Return a swept key in words: rules by what they do, the others as they are set."""
        short = key.removesuffix(".value")
        part, _, rest = short.partition(".")
        number, _, what = rest.partition(".")
        if (
            part == "rules"
            and number.isdecimal()
            and self.scenario is not None
            and int(number) < len(self.scenario.rules)
        ):
            rule = self.scenario.rules[int(number)]
            return f"{what} of {rule.cell}: {rule.signal} → {rule.behaviour}"
        dose = _DOSE.fullmatch(short)
        return f"dose of {dose[1]}" if dose else short

    def key_label(self, key: str) -> str:
        """Return a swept key in words, with its unit."""
        words = self.key_words(key)
        words = words[:1].upper() + words[1:] if " " in words else words
        return f"{words} ({self.unit(key)})" if self.unit(key) else words

    def unit(self, key: str) -> str:
        """Return the unit of a swept key; empty where it has none."""
        unit = self.batch.units.get(key, "1")
        return "" if unit == "1" else _spelled(unit)

    def level(self, key: str, value: Any) -> str:
        """Return a value of a swept key with its unit."""
        return value if isinstance(value, str) else f"{value:g} {self.unit(key)}".strip()

    @cached_property
    def replicates(self) -> tuple[int, int]:
        """Fewest and most finished runs of any arm and point."""
        sizes: Any = self.table.groupby(["arm", *self.batch.keys], sort=False, dropna=False).size()
        return int(sizes.min()), int(sizes.max())

    @cached_property
    def scenario(self) -> Scenario | None:
        """The scenario of the first run file that can be read."""
        return next(iter(self._scenarios), None)

    @cached_property
    def _scenarios(self) -> list[Scenario]:
        """One scenario per arm, of the first of its run files that can be read."""
        found, arms = [], set()
        for number in self.table.index:
            arm = self.table.at[number, "arm"]
            run = self.batch.opened(int(number)) if arm not in arms else None
            if run is not None:
                with run:
                    scenario = scenario_of(run)
                arms.add(arm)
                found += [scenario] if scenario is not None else []
        return found

    @cached_property
    def treatment_min(self) -> float:
        """When treatment starts in the first arm that has any, min; 0 where no dose is scheduled."""
        drugs = [drug for scenario in self._scenarios for drug in scenario.drugs.values()]
        return min(
            (float(dose.start) for drug in drugs for dose in drug.schedule if not dose.when), default=0.0
        )

    def series(self, measure: str) -> tuple[np.ndarray, np.ndarray]:
        """Return days (n_times,) and a measure of the finished runs, float64 (n_runs, n_times)."""
        return self.days, self.batch.timeseries[measure].to_numpy()[self.table.index]

    @property
    def days(self) -> np.ndarray:
        """Times of the series, days."""
        return self.batch.timeseries["time"].to_numpy() / 1440.0


def _spelled(unit: str) -> str:
    return unit.replace("um", "µm").replace("uM", "µM")


def named(values: Sequence[str]) -> str:
    """Return names as a sentence has them."""
    return ", ".join(str(value) for value in values)
