"""The experiment file: a scenario, arms, sweeps, replicates; read and checked with the place of every fault."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from tme_sim.record.manifest import REPLICATES
from tme_sim.record.schedule import ScheduleError, wall_time_s
from tme_sim.scenario.block import Block, Count, Flag
from tme_sim.scenario.faults import Fault, ScenarioError, dotted, problem, shown
from tme_sim.scenario.load import find_file
from tme_sim.scenario.merge import place_of, plain
from tme_sim.scenario.messages import findings_of
from tme_sim.scenario.source import Node, read_file

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
Name = Annotated[str, Field(pattern=f"^{NAME}$")]
Positive = Annotated[int, Field(strict=True, ge=1, le=10**6)]


def as_text(value: Any) -> str:
    """Return a value as an override writes it: ``8 nM``, ``[1 mm, 1 mm]``, ``true``."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _texts(raw: Any) -> Any:
    if not isinstance(raw, dict):
        raise problem(f"got {shown(raw)}; expected settings such as {{time.duration: 5 d}}")
    return {str(key): as_text(value) for key, value in raw.items()}


Settings = Annotated[dict[str, str], BeforeValidator(_texts)]


class Arm(Block):
    """One arm: what it changes of the scenario."""

    settings: Settings = Field({}, description="Settings by dotted key; default: none.")
    activate: tuple[str, ...] = Field((), description="Interventions switched on; default: none.")
    deactivate: tuple[str, ...] = Field((), description="Interventions switched off; default: none.")

    def overrides(self) -> dict[str, str]:
        """Return settings by key, interventions among them."""
        switched = {f"interventions.{name}.active": "true" for name in self.activate}
        switched |= {f"interventions.{name}.active": "false" for name in self.deactivate}
        return {**self.settings, **switched}


def _list_of_texts(raw: Any) -> Any:
    if not isinstance(raw, list) or not raw:
        raise problem(f"got {shown(raw)}; expected a list of at least one value")
    return [as_text(value) for value in raw]


def _number_as_text(raw: Any) -> Any:
    return as_text(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else raw


Quantity = Annotated[str, BeforeValidator(_number_as_text)]


# What each kind of axis needs, and what it may have besides: anything else would be passed over in silence.
_DRAWN = frozenset(("method", "seed"))
_KINDS = {
    "key with values": (frozenset(("key", "values")), frozenset()),
    "key with from, to and points, scale": (
        frozenset(("key", "start", "to", "points")),
        frozenset(("scale",)),
    ),
    "draws with ranges, scale, method, seed": (frozenset(("draws", "ranges")), _DRAWN | {"scale"}),
    "draws with assumed, method, seed": (frozenset(("draws", "assumed")), _DRAWN),
    "table": (frozenset(("table",)), frozenset()),
}
_ASSUMED = [{"draws": 128, "assumed": True}]  # what the word alone stands for


class Sweep(Block):
    """One axis of an experiment; several axes are crossed.

    One of: ``key`` with ``values``; ``key`` with ``from``, ``to`` and ``points``; ``draws`` with ``ranges`` or
    ``assumed``; ``table``.
    """

    key: str | None = Field(None, description="Dotted key that is swept; default: none.")
    values: Annotated[list[str], BeforeValidator(_list_of_texts)] | None = Field(
        None, description="Its values; default: none."
    )
    start: Quantity | None = Field(None, alias="from", description="First value, with unit; default: none.")
    to: Quantity | None = Field(None, description="Last value, with unit; default: none.")
    points: Positive | None = Field(None, description="How many values from first to last; default: none.")
    scale: Literal["linear", "log"] = Field("linear", description="Spacing of values; default: linear.")
    draws: Positive | None = Field(None, description="How many points are drawn; default: none.")
    method: Literal["latin_hypercube", "sobol"] = Field(
        "latin_hypercube", description="How points are drawn; default: latin_hypercube."
    )
    ranges: dict[str, tuple[Quantity, Quantity]] | None = Field(
        None, description="Lowest and highest value by key; default: none.", min_length=1
    )
    assumed: Literal[True] | None = Field(
        None, description="Draw every number with a documented range; default: none."
    )
    seed: Count = Field(0, description="Seed of the draws; default: 0.")
    table: str | None = Field(None, description="CSV file with a column per key; default: none.")

    @model_validator(mode="after")
    def _is_one_kind(self) -> Sweep:
        given = {name for name in self.model_fields_set if getattr(self, name) is not None}
        if not any(needed <= given <= needed | allowed for needed, allowed in _KINDS.values()):
            names = ", ".join(sorted("from" if name == "start" else name for name in given)) or "nothing"
            raise problem(f"got {names}; expected exactly one of: {'; '.join(_KINDS)}")
        return self


def _axes(raw: Any) -> Any:
    return _ASSUMED if raw == "assumed" else raw


def _wall_time(text: str) -> str:
    try:
        wall_time_s(text)
    except ScheduleError as error:
        raise problem(str(error)) from None
    return text


class Experiment(Block):
    """A declared experiment."""

    experiment: Name = Field(description="Its name.")
    title: str = Field("", description="One line for readers; default: none.")
    scenario: str = Field(description="Scenario file beside the experiment, or the name of one.")
    settings: Settings = Field({}, description="Settings of every run; default: none.")
    arms: dict[Name, Arm] = Field(
        {"control": Arm.model_validate({})},
        description="Arms by name, the control first; default: one.",
        min_length=1,
    )
    sweep: Annotated[list[Sweep], BeforeValidator(_axes)] = Field(
        [], description="Axes, crossed with each other and with the arms, or assumed; default: none."
    )
    converge: dict[str, Annotated[list[str], BeforeValidator(_list_of_texts)]] = Field(
        {},
        description="Keys refined one at a time, coarse to fine, the first one being the base, and replicates: rising "
        "numbers of runs; default: none.",
    )
    tolerance: Annotated[float, Field(gt=0.0, lt=1.0)] = Field(
        0.05, description="Relative change below which a measure counts as converged; default: 0.05."
    )
    replicates: Positive = Field(1, description="Runs per arm and point; default: 1.")
    first_seed: Count = Field(1, description="Seed of the first replicate; default: 1.")
    common_random_numbers: Flag = Field(
        True, description="Whether a replicate has the same seed in every arm and point; default: true."
    )
    measures: list[str] | None = Field(None, min_length=1, description="Measures to keep; default: all.")
    report: list[str] = Field(
        [], description="Measures shown at the end, by name; default: resistant fractions."
    )
    checkpoint: Annotated[str, AfterValidator(_wall_time)] = Field(
        "5min", description="Wall time between checkpoints, or never; default: 5min."
    )

    @model_validator(mode="after")
    def _sweeps_or_converges(self) -> Experiment:
        if self.converge and self.sweep:
            raise problem("converge and sweep exclude each other")
        if REPLICATES in self.converge:
            counts = [int(text) if text.isdecimal() else 0 for text in self.converge[REPLICATES]]
            if counts != sorted(set(counts)) or counts[0] < 2:
                raise problem(
                    "converge.replicates: expected whole numbers above 1, rising, such as [5, 10, 20]"
                )
            if "replicates" in self.model_fields_set:
                raise problem("replicates and converge.replicates exclude each other")
        return self

    @property
    def runs_per_point(self) -> int:
        """Runs of each arm and point: ``replicates``, or the largest number whose convergence is asked for."""
        return int(self.converge[REPLICATES][-1]) if REPLICATES in self.converge else self.replicates


def find_experiment(path_or_name: str | Path) -> Path:
    """Return the file of an experiment, given as a path or as the name of one in the package.

    Raises
    ------
    ScenarioError
        When there is none.
    """
    return find_file(path_or_name, "experiments", "experiment")


def load_experiment(path: Path) -> tuple[Experiment, Node]:
    """Return an experiment and the places of its parts.

    Raises
    ------
    ScenarioError
        With every fault of the file itself.
    """
    root = read_file(path)
    if not isinstance(root.value, dict):
        raise ScenarioError([Fault(str(root.mark), "", "expected keys and values, such as experiment: NAME")])
    try:
        return Experiment.model_validate(plain(root)), root
    except ValidationError as error:
        faults = [
            Fault(
                str(place_of(root, found.path, of_key=found.at_key)),
                dotted(found.path),
                found.reason,
                found.suggestion,
            )
            for found in findings_of(error, Experiment)
        ]
        raise ScenarioError(faults) from None
