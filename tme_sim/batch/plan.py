"""From an experiment to its runs: every arm, point and replicate with its scenario, seed and id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tme_sim.batch.experiment import Experiment, find_experiment, load_experiment
from tme_sim.batch.sweep import MOST_POINTS, Point, SweepError, converging, points_of
from tme_sim.measures.condition import suggestion
from tme_sim.measures.registry import measures_for
from tme_sim.model.tumor import TumorMicroenvironment, numerics_version
from tme_sim.record.identity import run_id
from tme_sim.scenario.faults import Fault, ScenarioError, dotted
from tme_sim.scenario.load import load_scenario, names_of_package
from tme_sim.scenario.merge import place_of
from tme_sim.scenario.resolved import resolved_json
from tme_sim.scenario.scenario import Scenario, layout_of
from tme_sim.scenario.source import Node

MOST_RUNS = 1_000_000


@dataclass(frozen=True)
class Planned:
    """One run of an experiment.

    Attributes
    ----------
    index : int
        Its place in the experiment.
    arm : str
    point : mapping
        Swept settings by key; empty without sweeps.
    replicate : int
        From 0.
    seed : int
    variant : int
        Which of the plan's scenarios it runs.
    run_id : str
        Names its file.
    """

    index: int
    arm: str
    point: Point
    replicate: int
    seed: int
    variant: int
    run_id: str


@dataclass(frozen=True)
class Plan:
    """An experiment ready to run.

    Attributes
    ----------
    scenarios : tuple of Scenario
        One per arm and point.
    runs : tuple of Planned
        Replicate by replicate, so that a batch broken off has some of every arm.
    overrides : tuple of str
        ``key=value`` on top of the settings of every run.
    """

    experiment: Experiment
    scenarios: tuple[Scenario, ...]
    runs: tuple[Planned, ...]
    overrides: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Swept keys, in order."""
        return tuple(dict.fromkeys(key for run in self.runs for key in run.point))

    @property
    def plan_id(self) -> str:
        """Identity of the batch: what runs, and what is kept of it."""
        kept = json.dumps(self.experiment.measures)
        parts = [*(f"{run.arm} {dict(run.point)} {run.run_id}" for run in self.runs), kept]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    def scenario(self, run: Planned) -> Scenario:
        """Return the scenario of a run, with its seed."""
        return self.scenarios[run.variant].model_copy(update={"seed": run.seed})


def make_plan(path_or_name: str | Path, overrides: tuple[str, ...] = ()) -> Plan:
    """Read an experiment and check every scenario it asks for.

    Parameters
    ----------
    overrides : tuple of str
        ``key=value`` on top of every run.

    Raises
    ------
    ScenarioError
        With every fault of the experiment, else of all scenarios that it asks for.
    """
    path = find_experiment(path_or_name)
    experiment, root = load_experiment(path)
    config = _scenario_file(experiment, path.parent)
    common = tuple(f"{key}={value}" for key, value in experiment.settings.items()) + overrides
    base = _loaded(config, common, "settings", root, names_too=True)
    _check_measures(experiment, base, root)
    try:
        points = (
            converging(experiment.converge)
            if experiment.converge
            else points_of(experiment.sweep, base, path.parent, MOST_POINTS // len(experiment.arms))
        )
    except SweepError as error:
        raise ScenarioError([Fault(str(place_of(root, ("sweep",))), "sweep", str(error))]) from None
    _refuse_clashes(experiment, points, overrides, root)
    if len(points) * len(experiment.arms) * experiment.runs_per_point > MOST_RUNS:
        reason = f"more than {MOST_RUNS:,} runs; expected fewer points or replicates"
        raise ScenarioError([Fault(str(root.mark), "", reason)])
    scenarios = _scenarios(experiment, points, config, common, base, root)
    runs = tuple(_runs(experiment, points, scenarios))
    _refuse_twins(runs, "sweep" if experiment.sweep else "converge", root)
    return Plan(experiment, tuple(scenarios), runs, overrides)


def _refuse_twins(runs: Sequence[Planned], axes: str, root: Node) -> None:
    """Refuse two points of an arm that come to the same runs, which would count twice in every mean."""
    seen: dict[tuple[str, str], Planned] = {}
    for run in runs:
        other = seen.setdefault((run.arm, run.run_id), run)
        if other is not run:
            one, two = (", ".join(f"{k}={v}" for k, v in r.point.items()) for r in (other, run))
            raise ScenarioError([Fault(str(place_of(root, (axes,))), axes, f"{one} and {two} are the same")])


def _scenarios(
    experiment: Experiment,
    points: list[Point],
    config: str | Path,
    common: tuple[str, ...],
    base: Scenario,
    root: Node,
) -> list[Scenario]:
    """Return the scenario of every arm and point; raises with every fault of any of them."""
    scenarios, faults = [], {}
    for name, arm in experiment.arms.items():
        for point in points:
            changed = {**arm.overrides(), **point}
            texts = (*common, *(f"{key}={value}" for key, value in changed.items()))
            where = {key: ("sweep",) if experiment.sweep else ("converge", key) for key in point}
            try:
                scenarios.append(_loaded(config, texts, f"arms.{name}", root, where) if changed else base)
            except ScenarioError as error:
                faults |= dict.fromkeys(error.faults)
    if faults:
        raise ScenarioError(list(faults))
    return scenarios


def _refuse_clashes(
    experiment: Experiment, points: list[Point], overrides: Sequence[str], root: Node
) -> None:
    """Refuse settings that the experiment would replace in silence: seeds, and what both an arm and an axis set."""
    seeded = "the seed of a run comes from first_seed and replicates"
    swept = set(points[0])
    axes = "sweep" if experiment.sweep else "converge"
    faults = [
        Fault(str(place_of(root, path)), dotted(path), seeded)
        for path, keys in (
            (("settings", "seed"), experiment.settings),
            ((axes, "seed"), swept),
            *((("arms", name, "settings", "seed"), arm.settings) for name, arm in experiment.arms.items()),
        )
        if "seed" in keys
    ]
    faults += [Fault("--set seed", "", seeded) for text in overrides if text.startswith("seed=")]
    for name, arm in experiment.arms.items():
        for key in arm.overrides():
            if any(key == other or key.startswith(f"{other}.") for other in swept):
                path = ("arms", name, "settings", key)
                faults.append(Fault(str(place_of(root, path)), f"arms.{name}", f"sets {key}, as {axes} does"))
    if faults:
        raise ScenarioError(faults)


def _scenario_file(experiment: Experiment, folder: Path) -> str | Path:
    beside = folder / experiment.scenario
    return beside if beside.is_file() else experiment.scenario


def _loaded(
    config: str | Path,
    overrides: tuple[str, ...],
    where: str,
    root: Node,
    swept: Mapping[str, tuple[str, ...]] = {},
    *,
    names_too: bool = False,
) -> Scenario:
    """Return a checked scenario, with the measures it names on wish; faults say which part of the experiment asked."""
    try:
        scenario = load_scenario(config, overrides)
        if not names_too:
            return scenario
        known = replace(names_of_package(), measures=frozenset(measures_for(layout_of(scenario))))
        return (
            load_scenario(config, overrides, known) if scenario.stop or scenario.interventions else scenario
        )
    except ScenarioError as error:
        places = {str(config): ("scenario",)} | {f"--set {key}": path for key, path in swept.items()}
        faults = [
            Fault(str(place_of(root, path)), dotted(path), str(fault), None)
            if (path := places.get(fault.where) or _of_settings(fault, where))
            else fault
            for fault in error.faults
        ]
        raise ScenarioError(faults) from None


def _of_settings(fault: Fault, where: str) -> tuple[str, ...]:
    """Return the part of the experiment that a fault of an override comes from; empty for one of the scenario."""
    return tuple(where.split(".")) if fault.where.startswith("--set") else ()


def _check_measures(experiment: Experiment, scenario: Scenario, root: Node) -> None:
    known = measures_for(layout_of(scenario))
    kept = known if experiment.measures is None else experiment.measures
    faults = []
    for part in ("measures", "report"):
        for i, name in enumerate(getattr(experiment, part) or ()):
            place, path = str(place_of(root, (part, i))), f"{part}[{i}]"
            if name not in known:
                faults.append(Fault(place, path, f"there is no measure {name}{suggestion(name, known)}"))
            elif name not in kept:
                faults.append(Fault(place, path, f"{name} is not among the measures that are kept"))
    if faults:
        raise ScenarioError(faults)


def _runs(experiment: Experiment, points: list[Point], scenarios: list[Scenario]) -> Iterator[Planned]:
    version = numerics_version(scenarios[0])
    texts = [json.loads(resolved_json(scenario)) for scenario in scenarios]
    index = 0
    for replicate in range(experiment.runs_per_point):
        for variant in range(len(scenarios)):
            arm, point = divmod(variant, len(points))
            shift = 0 if experiment.common_random_numbers else variant * experiment.runs_per_point
            seed = experiment.first_seed + shift + replicate
            canonical = json.dumps(
                {**texts[variant], "seed": seed}, sort_keys=True, separators=(",", ":"), ensure_ascii=True
            )
            name = list(experiment.arms)[arm]
            yield Planned(
                index, name, points[point], replicate, seed, variant, run_id(canonical, seed, version)
            )
            index += 1


def first_model(plan: Plan) -> TumorMicroenvironment:
    """Return the model of the first run: whether tissue fits grid shows only here."""
    return TumorMicroenvironment(plan.scenario(plan.runs[0]))
