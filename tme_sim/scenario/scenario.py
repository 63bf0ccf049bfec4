"""The scenario: everything that a run needs to know, checked and in internal units."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from tme_sim.rules.rule import Rule
from tme_sim.scenario.block import Block, NewName, Words, default
from tme_sim.scenario.checks import alternatives
from tme_sim.scenario.condition import Stop
from tme_sim.scenario.drug import DrugSpec
from tme_sim.scenario.heredity import FITNESS, HereditySpec
from tme_sim.scenario.intervention import KINDS, Intervention
from tme_sim.scenario.kinetics import Patient
from tme_sim.scenario.life import CellSpec, VariableSpec
from tme_sim.scenario.matter import FieldSpec
from tme_sim.scenario.observation import RecordSpec, ResistanceSpec
from tme_sim.scenario.rule_text import RuleSpec
from tme_sim.scenario.space import GridSpec, TimeSpec, TissueSpec, VesselSpec
from tme_sim.scenario.units import Scale
from tme_sim.scenario.vesicle import CargoSpec, IntegrinSpec, PoolSpec
from tme_sim.scenario.vocabulary import FieldScale, Vocabulary
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout

Seed = Annotated[int, Strict(), Field(ge=0, lt=2**64)]


class Scenario(Block):
    """A whole scenario; frozen, all numbers in µm, min, mmHg, nM, vesicles, molecules.

    Every number is a `Sourced` float. Read one with `load_scenario` or `read_scenario`.
    """

    scenario: NewName = Field(description="Name of the scenario.")
    title: str = Field("", description="One line for people; default: empty.")
    documents: tuple[str, ...] = Field(
        (), description="Keys of the documents that it implements; default: none."
    )
    calibrated: Words = Field((), description="Notes: what was fitted, and to what; default: none.")
    assumed: Words = Field((), description="Notes: what rests on assumptions; default: none.")
    unknown: Words = Field((), description="Notes: what nobody knows and the run decides; default: none.")
    clock: Literal["cell_line", "patient"] = Field(
        "cell_line", description="Growth clock that the numbers follow, for people; default: cell_line."
    )
    use: Words = Field(
        (), description="Libraries merged below this file, first one lowest; empty once merged."
    )
    grid: GridSpec = Field(description="Size and spacing of the lattice.")
    time: TimeSpec = Field(description="Step and duration.")
    seed: Seed = Field(1, description="Seed of all random numbers, 0 to 2^64 - 1; default: 1.")
    hypotheses: dict[str, str] = Field(
        {}, description="Chosen name of each set of alternative rules, or several, `a + b`; default: none."
    )
    variables: dict[NewName, VariableSpec] = Field({}, description="Intracellular variables; default: none.")
    cargo: dict[NewName, CargoSpec] = Field({}, description="Kinds of cargo; default: none.")
    cells: dict[NewName, CellSpec] = Field(description="Types of cells.", min_length=1)
    fields: dict[NewName, FieldSpec] = Field({}, description="Dissolved substances; default: none.")
    integrins: dict[NewName, IntegrinSpec] = Field(
        {}, description="What the surface of vesicles may carry; default: none."
    )
    vesicles: dict[NewName, PoolSpec] = Field({}, description="Pools of vesicles; default: none.")
    vessels: VesselSpec | None = Field(None, description="Vessels; default: none.")
    tissue: TissueSpec = default({}, "Cells at the start")
    patient: Patient | None = Field(None, description="Whose doses are per weight or surface; default: none.")
    drugs: dict[NewName, DrugSpec] = Field({}, description="Drugs; default: none.")
    interventions: dict[NewName, Intervention] = Field(
        {}, description="Interventions by name; default: none."
    )
    resistance: ResistanceSpec | None = Field(
        None, description="How resistance is measured; default: not measured."
    )
    rules: tuple[RuleSpec, ...] = Field((), description="Rules; default: none.")
    stop: tuple[Stop, ...] = Field(
        (),
        description='Ends a run early: extinct, edge reached, or as "tumour_cells > 20000"; default: never.',
    )
    adjustable: tuple[str, ...] = Field((), description="Dotted keys offered as sliders; default: none.")
    record: RecordSpec = default({}, "What is kept of a run")

    @property
    def notes(self) -> dict[str, tuple[str, ...]]:
        """What is calibrated, assumed and unknown, for people."""
        return {"calibrated": self.calibrated, "assumed": self.assumed, "unknown": self.unknown}

    @property
    def vocabulary(self) -> Vocabulary:
        """All signals and behaviours, with units."""
        fields = {
            name: FieldScale(
                Scale(field.internal_unit, None if field.molar_mass is None else float(field.molar_mass)),
                field.half_saturation is not None,
            )
            for name, field in self.fields.items()
        }
        return Vocabulary(
            tuple(self.cells),
            tuple(self.variables),
            fields,
            tuple(self.vesicles),
            tuple(self.cargo),
            {name: fields[drug.field].level for name, drug in self.drugs.items()},
            tuple(self.integrins),
            tuple(name for block in self.heredity().values() for name in block.traits),
        )

    def heredity(self) -> dict[str, HereditySpec]:
        """Return what is inherited, by cell type, for the types that inherit anything."""
        return {name: cell.heredity for name, cell in self.cells.items() if cell.heredity is not None}

    def in_force(self, rule: RuleSpec) -> bool:
        """Return whether the chosen hypotheses put a rule in force."""
        if rule.hypothesis is None:
            return True
        group, _, name = rule.hypothesis.partition(".")
        return name in alternatives(self.hypotheses.get(group, ""))

    def active_rules(self) -> tuple[Rule, ...]:
        """Return the rules in force, in internal units, in the order of the scenario."""
        return tuple(rule.row() for rule in self.rules if self.in_force(rule))

    def active_interventions(self) -> dict[str, Intervention]:
        """Return the interventions that are switched on."""
        return {name: act for name, act in self.interventions.items() if act.active}

    def base_value(self, cell: str, behaviour: str) -> float:
        """Return the value of a behaviour in a cell type without rules, in its internal unit."""
        declared = self.cells[cell].base.get(behaviour)
        return self.vocabulary.behaviours[behaviour].base if declared is None else float(declared)

    def lattice(self) -> Grid:
        """Return the grid of the state."""
        grid = self.grid
        height = 0.0 if grid.medium is None else float(grid.medium.height)
        return Grid(grid.shape, float(grid.spacing), float(grid.interstitial_fraction), height)


def layout_of(scenario: Scenario) -> Layout:
    """Return which name lives in which column: the order in which the scenario declares them."""
    blocks = scenario.heredity().values()
    costly = (FITNESS,) if any(block.costly for block in blocks) else ()
    vessels = scenario.vessels
    acts = scenario.active_interventions().values()
    altered = {act.target for act in acts if KINDS[act.kind].target == "variables"}
    return Layout(
        cell_types=tuple(scenario.cells),
        variables=tuple(scenario.variables),
        fields=tuple(scenario.fields),
        pools=tuple(scenario.vesicles),
        cargo=tuple(scenario.cargo),
        drugs=tuple(scenario.drugs),
        traits=(*(name for block in blocks for name in block.traits), *costly),
        clones=tuple(name for block in blocks for name in block.clones),
        walls=(vessels.cell,) if vessels is not None else (),
        growing=(vessels.cell,) if vessels is not None and vessels.sprouting is not None else (),
        loads=tuple(f"{drug} in {name}" for name, pool in scenario.vesicles.items() for drug in pool.exports),
        steady=tuple(name for name, field in scenario.fields.items() if field.solve == "steady"),
        dosed=tuple(name for name, drug in scenario.drugs.items() if drug.kinetics is not None),
        altered=tuple(name for name in scenario.variables if name in altered),
    )
