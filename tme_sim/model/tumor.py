"""The model: a tissue, the processes of a step, and Mesa's face to both."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import mesa
import numpy as np

from tme_sim.measures.attribution import INTERVENTIONS, evidence_of, routes_of
from tme_sim.measures.condition import Condition, parse_condition
from tme_sim.measures.measure import Context as MeasureContext
from tme_sim.measures.measure import tumour_types
from tme_sim.measures.registry import measures_for
from tme_sim.measures.resistance import EXTRA
from tme_sim.model import assemble, timeline
from tme_sim.model.first_dose import BeforeDrug, note_first_doses
from tme_sim.model.first_tissue import found_cells, lay_tissue
from tme_sim.model.mesa_base import CellModel
from tme_sim.model.specs import Numbers
from tme_sim.model.washout import classify
from tme_sim.numerics.compartments import body_of
from tme_sim.processes.base import Context, Process
from tme_sim.processes.registry import processes_for
from tme_sim.rules.physiology import Change
from tme_sim.scenario.drug import DrugSpec
from tme_sim.scenario.load import load_scenario
from tme_sim.scenario.resolved import resolved_json, resolved_yaml
from tme_sim.scenario.scenario import Scenario, layout_of
from tme_sim.state.clock import Clock
from tme_sim.state.ledger import DRUG_ACCOUNTS
from tme_sim.state.tissue import Tissue

NUMERICS_VERSION = "8"


class _OnTissue:
    """A condition bound to what measures know; called with a tissue."""

    def __init__(self, condition: Condition, context: MeasureContext):
        self.condition, self.context = condition, context

    def __call__(self, tissue: Tissue) -> bool:
        return self.condition(tissue, self.context)


class TumorMicroenvironment(CellModel):
    """A tumour in its tissue, stepped by `step`, watched and driven as any Mesa model.

    Parameters
    ----------
    config : Scenario, str or Path
        A loaded scenario, a file, or the name of a scenario of the package.
    overrides : sequence of str
        ``key.path=value``; only with a file or name.
    rng : int, optional
        Seed of the run, 0 to 2^64 − 1; default: the scenario's.
    processes : sequence of Process
        Your own processes, run after pathways and before fate, behind registered ones (`processes.registry`).

    Attributes
    ----------
    config : Scenario
    clock : Clock
        Simulated time in minutes; Mesa's own ``time`` counts steps.
    processes : list of Process
        In the order of a step.
    stop_reason : str
        Why the run ended; empty while it runs.
    warnings : list of str
    before_drug : dict of str to BeforeDrug
        How cells resisted each drug just before its first dose, for drugs that have come; no process reads it.

    Raises
    ------
    ScenarioError, PlacementError, PlanError
        When the scenario is wrong, does not fit its grid, or its processes do not fit together.
    """

    def __init__(
        self,
        config: Scenario | str | Path = "liver_metastasis",
        overrides: Sequence[str] | None = None,
        rng: int | None = None,
        processes: Sequence[Process] = (),
    ):
        self.config = config if isinstance(config, Scenario) else load_scenario(config, overrides or ())
        self.seed = int(self.config.seed if rng is None else rng)
        super().__init__(rng=self.seed % 2**32)
        self._own_processes = (*processes_for(self.config), *processes)
        self.stop_reason, self.origin = "", ""
        self.warnings: list[str] = []
        self.before_drug: dict[str, BeforeDrug] = {}
        self._assemble()
        self.tissue = lay_tissue(self._numbers, self.assay, self.seed)
        self.datacollector = mesa.DataCollector(
            model_reporters={"minutes": "minutes", "cells": "living_cells"}
        )

    def _assemble(self) -> None:
        """Compile everything that follows from the scenario alone."""
        layout = layout_of(self.config)
        self._numbers = Numbers(self.config, layout, self.config.vocabulary, self.config.lattice())
        self.drug_fields = {name: drug.field for name, drug in self.config.drugs.items()}
        self.physiology = assemble.physiology_of(self._numbers)
        self.assay = assemble.assay_of(self._numbers, self.physiology, self._held)
        extras = {EXTRA: self.assay} if self.config.resistance is not None and self.assay.exposures else {}
        self.measure_context = MeasureContext(
            drug_fields=self.drug_fields,
            washout_per_min={name: float(pool.vessel) for name, pool in self.config.vesicles.items()},
            targets={name: pool.targets for name, pool in self.config.vesicles.items()},
            extras=extras,
        )
        resistance = self.config.resistance
        stands = None if resistance is None else resistance.before
        self._stands_for_dose_min = math.inf if stands is None else float(stands)
        self._measures = measures_for(layout)
        found = partial(found_cells, self._numbers, self.assay)
        making = timeline.Making(self._numbers, self._condition, found)
        self.interventions = timeline.interventions_of(making)
        self._stops = [self._condition(stop.text) for stop in self.config.stop]
        self._edge = self._condition("edge reached")
        self.processes = assemble.processes_of(
            self._numbers, self.physiology, self.interventions, found, self._own_processes
        )

    def _condition(self, text: str) -> _OnTissue:
        return _OnTissue(parse_condition(text, self._measures), self.measure_context)

    def _held(self, tissue: Tissue, rows: np.ndarray) -> Change | None:
        """Return what the interventions of the last step do to the variables of the cells in ``rows``."""
        columns = [self._numbers.column[name] for name in tissue.layout.variables]
        return self.interventions.held(tissue, rows, columns)

    def step(self) -> None:
        """Advance the tissue by one step."""
        context = self.new_context()
        for process in self.processes:
            process.step(self.tissue, context)
            if process is self.interventions:
                self.step_registered_agents()
                note_first_doses(
                    self.tissue, self.measure_context, self.assay, self.drug_fields, self._stands_for_dose_min,
                    self.before_drug,
                )  # fmt: skip
        self.datacollector.collect(self)
        self._judge()

    def new_context(self) -> Context:
        """Return what the processes of the next step will share, behaviours still to be sensed."""
        return Context(
            scenario=self.config,
            dt_min=self.clock.dt_min,
            step=self.clock.step,
            seed=self.seed,
            behaviours=np.zeros((0, len(self._numbers.behaviours))),
            names=self._numbers.column,
            extra_decay=np.zeros(len(self.tissue.layout.fields)),
        )

    @property
    def numbers(self) -> Numbers:
        """The scenario with its layout and grid, as processes were made from it."""
        return self._numbers

    def _judge(self) -> None:
        """Stop at the end of the time or when a stop condition holds; warn once when the tumour meets the edge."""
        if not self.warnings and self._edge(self.tissue):
            self.warnings.append(
                f"the tumour meets the edge of the grid at {self.clock.days:.2f} d; growth is no longer free"
            )
        held = next((stop for stop in self._stops if stop(self.tissue)), None)
        if held is not None:
            self.stop_reason = held.condition.text
        elif self.clock.step >= self.config.time.n_steps:
            self.stop_reason = "duration reached"
        if self.stop_reason:
            self.running = False

    def go_on(self, config: Scenario) -> None:
        """Go on from the present state under another scenario.

        A longer or shorter duration alone makes the run that had it from the start; anything else makes a branch,
        which `numerics_version` tells of, so that it never passes for a run under ``config`` from the start.

        Raises
        ------
        ValueError
            When names, grid, step, seed or the compartments of a drug differ: the state would not fit; when the
            duration is over already; when classes are asked for of a drug that has come under another reference.
        """
        _refuse_other_state(self.config, config)
        _refuse_other_reference(self, config)
        if config.time.n_steps < self.clock.step:
            raise ValueError(
                f"time.duration: {config.time.n_steps * float(config.time.step):g} min; expected at least the "
                f"{self.clock.minutes:g} min that the state has run"
            )
        if resolved_json(_lasting(config, self.config)) != resolved_json(self.config):
            digest = hashlib.sha256(resolved_json(self.config).encode()).hexdigest()[:16]
            self.origin += f"+{self.clock.step} steps under {digest}"
        self.config = config
        self.running, self.stop_reason = True, ""
        altered = {*self.tissue.layout.altered, *layout_of(config).altered}  # what was measured before stays
        self.tissue.layout = replace(
            self.tissue.layout, altered=tuple(name for name in config.variables if name in altered)
        )
        self._assemble()
        self._judge()

    @property
    def clock(self) -> Clock:
        """Simulated time."""
        return self.tissue.clock

    @property
    def minutes(self) -> float:
        """Simulated time, minutes."""
        return self.clock.minutes

    @property
    def living_cells(self) -> int:
        """Number of living cells."""
        return int(self.tissue.cells.alive().sum())

    @property
    def title(self) -> str:
        """One line for people."""
        return self.config.title or self.config.scenario

    @property
    def numerics_version(self) -> str:
        """Raised with every change that alters results; names added processes, and what a branch comes from."""
        return _version(self._own_processes) + self.origin

    @property
    def resolved_yaml(self) -> str:
        """The scenario with every default filled in, loadable again."""
        return resolved_yaml(self.config)

    @property
    def resolved_json(self) -> str:
        """The scenario in canonical form, for hashing."""
        return resolved_json(self.config)

    @property
    def rule_rows(self) -> list[dict[str, str]]:
        """Rules in force, one mapping of words per rule."""
        return [
            {
                "cell": rule.cell,
                "signal": rule.signal,
                "effect": "increases" if rule.increases else "decreases",
                "behaviour": rule.behaviour,
                "to": f"{rule.saturation:.9g}",
                "half_max": f"{rule.half_max:.9g}",
                "hill": f"{rule.hill:.9g}",
                "while": "; ".join(
                    f"{g.signal} {'above' if g.above else 'below'} {g.threshold:.9g} hill {g.hill:.9g}"
                    for g in rule.gates
                ),
                "hypothesis": rule.hypothesis or "",
                "basis": rule.basis,
                "evidence": " ".join(rule.evidence),
                "why": rule.why or "",
            }
            for rule in self.config.active_rules()
        ]

    @property
    def route_rows(self) -> list[dict[str, str]]:
        """Routes by which the outside reaches a cell's answer to each drug, with the mechanisms on the way."""
        physiology, tumour = self.physiology, tumour_types(self._numbers.layout)
        cells = [name for name in physiology.tables.cell_types if name in tumour]
        altered = self._numbers.layout.altered
        acts = [act for act in self.config.active_interventions().values() if act.target in altered]
        cited = sorted({i for act in acts for i in act.evidence})
        rules = self.config.active_rules()
        return [
            {
                "drug": exposure.drug,
                "route": route,
                "evidence": " ".join(evidence_of(rules, cells, columns, physiology, exposure.drug)),
            }
            for exposure in self.assay.exposures
            for route, columns in routes_of(physiology, exposure.drug).items()
        ] + [
            {"drug": exposure.drug, "route": INTERVENTIONS, "evidence": " ".join(cited)}
            for exposure in self.assay.exposures
            if altered
        ]

    @property
    def classes(self) -> dict[str, dict[str, np.ndarray]]:
        """Classes of resistance now, by drug, from a drug-free branch of this model; empty without a ``washout``."""
        resistance = self.config.resistance
        if resistance is None or resistance.washout is None:
            return {}
        return classify(self, float(resistance.washout))

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs: scenario, state and Mesa's part; compiled parts are made again."""
        state = super().__getstate__()
        for name in _COMPILED:
            state.pop(name, None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._assemble()


_COMPILED = (
    "_numbers",
    "drug_fields",
    "physiology",
    "assay",
    "measure_context",
    "_measures",
    "interventions",
    "_stops",
    "_edge",
    "processes",
)


def numerics_version(scenario: Scenario) -> str:
    """Return the version of a run of this scenario from its start."""
    return _version(processes_for(scenario))


def _version(own: Sequence[Process]) -> str:
    return "+".join((NUMERICS_VERSION, *sorted(process.name for process in own)))


def _lasting(config: Scenario, other: Scenario) -> Scenario:
    """Return ``config`` with the duration of ``other``."""
    time = config.time.model_copy(update={"duration": other.time.duration})
    return config.model_copy(update={"time": time})


def _refuse_other_state(old: Scenario, new: Scenario) -> None:
    faults = []
    if replace(layout_of(old), altered=()) != replace(layout_of(new), altered=()):
        faults.append("names of cell types, variables, fields, vesicles, cargo or drugs differ")
    if old.lattice() != new.lattice():
        faults.append("the grid differs")
    if float(old.time.step) != float(new.time.step):
        faults.append("the step differs")
    if old.seed != new.seed:
        faults.append("the seed differs")
    faults += [
        f"the compartments of {name} differ"
        for name, drug in old.drugs.items()
        if name in new.drugs and _compartments(drug) not in ((), _compartments(new.drugs[name]))
    ]
    if faults:
        raise ValueError(f"{'; '.join(faults)}: the state would not fit, start a new run")


def _refuse_other_reference(model: TumorMicroenvironment, new: Scenario) -> None:
    """Refuse classes of resistance to a drug that came while resistance to it was judged otherwise, or not at all."""
    if new.resistance is None or new.resistance.washout is None:
        return
    old, ledger = model.config.resistance, model.tissue.ledger
    same_air = old is not None and float(old.normoxia) == float(new.resistance.normoxia)
    late = []
    for exposure in assemble.exposures_of(new):
        known = model.before_drug.get(exposure.drug)
        supplied = ledger.drugs[
            model.tissue.layout.drugs.index(exposure.drug), DRUG_ACCOUNTS.index("supplied")
        ]
        if known is not None and not (same_air and known.exposure == exposure):
            late.append(f"{exposure.drug} at {known.minutes / 1440.0:g} d")
        elif known is None and supplied > 0.0:
            late.append(exposure.drug)
    if late:
        raise ValueError(
            f"resistance.washout: classes ask who resisted before the first dose ({', '.join(late)}), which was judged "
            "by another reference or not at all; branch from a state before it, or start a new run"
        )


def _compartments(drug: DrugSpec) -> tuple[str, ...]:
    """Return the names of a drug's compartments, none for levels that are imposed."""
    return () if drug.kinetics is None else body_of(drug.kinetics.body()).names
