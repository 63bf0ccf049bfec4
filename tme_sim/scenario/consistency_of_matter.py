"""Checks of metabolism, drugs, interventions and vesicles against the fields and pools that they name."""

from __future__ import annotations

from collections.abc import Iterator

from tme_sim.scenario.checks import Finding
from tme_sim.scenario.consistency_of_space import axes_of
from tme_sim.scenario.dosing import PLACES
from tme_sim.scenario.faults import Path, nearest, shown
from tme_sim.scenario.scenario import Scenario


def metabolism_findings(scenario: Scenario) -> Iterator[Finding]:
    """Yield fields that a metabolism needs and that are missing or of the wrong kind."""
    for name, cell in scenario.cells.items():
        block = cell.metabolism
        if block is None:
            continue
        needed = ["oxygen", "glucose"] + ["lactate"] * (block.lactate_max > 0)
        for field in needed:
            if field not in scenario.fields:
                reason = f"metabolism needs a field named {field}"
                yield Finding(
                    ("cells", name, "metabolism"), reason, nearest(field, scenario.fields), at_key=True
                )
            elif (scenario.fields[field].internal_unit == "mmHg") != (field == "oxygen"):
                expected = "mmHg" if field == "oxygen" else "a concentration"
                reason = f"got {scenario.fields[field].unit}; metabolism expects {field} in {expected}"
                yield Finding(("fields", field, "unit"), reason)
            elif scenario.fields[field].half_saturation is None:
                reason = f"no half_saturation; the metabolism of {name} cells needs that of {field}"
                yield Finding(("fields", field), reason)


def drug_findings(scenario: Scenario) -> Iterator[Finding]:
    """Yield drugs that share or misfit their field, or never reach it."""
    owner: dict[str, str] = {}
    for name, drug in scenario.drugs.items():
        field = scenario.fields[drug.field]
        if drug.field in owner:
            yield Finding(
                ("drugs", name, "field"), f"{drug.field} is the field of {owner[drug.field]} already"
            )
        owner.setdefault(drug.field, name)
        if field.internal_unit != "nM":
            yield Finding(
                ("drugs", name, "field"), f"{drug.field} is in {field.unit}; expected a concentration"
            )
        if drug.is_given and field.vessel is None and not field.boundary.fixed:
            reason = f"is never felt: fields.{drug.field} has no vessel block through which the drug enters"
            yield Finding(("drugs", name, "schedule" if drug.schedule else "plasma_curve"), reason)
        yield from _doses(scenario, name)
        yield from _shares(scenario, name)


def _doses(scenario: Scenario, drug: str) -> Iterator[Finding]:
    """A dose per surface or weight needs the patient's."""
    for i, dose in enumerate(scenario.drugs[drug].schedule):
        for key, size in (("dose", dose.dose), ("at_most", dose.at_most)):
            needed = PLACES.get(size.unit) if size is not None else None
            if needed is not None and getattr(scenario.patient, needed, None) is None:
                reason = f"got {size}; patient.{needed} is not declared"
                yield Finding(("drugs", drug, "schedule", i, key), reason)


def _shares(scenario: Scenario, name: str) -> Iterator[Finding]:
    """What is free in a matrix that is nowhere must not stand for the one that is there.

    Where both are given the other one is for scenarios that share the drug, and does no harm.
    """
    drug = scenario.drugs[name]
    given = [matrix for matrix in drug.unbound.MATRICES if matrix in drug.unbound.model_fields_set]
    dish = scenario.grid.medium is not None
    there = {"medium"} if dish else {"plasma", "tissue"}
    there |= {"plasma"} if drug.is_given else set()
    there |= {drug.reference.total_in} if drug.reference is not None else set()
    for act in scenario.interventions.values():
        there |= {"medium"} if drug.field in (act.medium or {}) else set()
    instead, place = ("medium", "dish") if dish else ("plasma", "tissue fed by plasma")
    for matrix in given:
        if matrix not in there and instead not in given:
            reason = f"counts for nothing: this is a {place}; write {instead}, or both"
            yield Finding(("drugs", name, "unbound", matrix), reason, at_key=True)


def intervention_findings(scenario: Scenario) -> Iterator[Finding]:
    """Yield interventions whose target cannot feel them, or that lie outside the grid."""
    for name, act in scenario.interventions.items():
        path: Path = ("interventions", name)
        if act.kind == "set_supply" and scenario.fields[act.target or ""].vessel is None:
            reason = f"is never felt: fields.{act.target} has no vessel block"
            yield Finding((*path, "target"), reason)
        if act.kind == "clamp" and scenario.fields[act.target or ""].solve != "steady":
            reason = f"fields.{act.target} is transient; a clamp holds steady fields, exchange_medium replaces others"
            yield Finding((*path, "target"), reason)
        if act.loaded_with is not None and act.loaded_with not in scenario.vesicles[act.target or ""].exports:
            reason = f"vesicles.{act.target} has no exports of {act.loaded_with}"
            yield Finding((*path, "loaded_with"), reason)
        if act.kind in ("change_dose", "wash_out") and not scenario.drugs[act.target or ""].is_given:
            yield Finding(
                (*path, "target"), f"{act.target} is never given: it has neither schedule nor curve"
            )
        if act.at is not None and act.at != "middle":
            axes = axes_of(scenario)
            if len(act.at) != len(axes):
                yield Finding((*path, "at"), f"has {len(act.at)} coordinates; the grid has {len(axes)}")
            elif any(x >= length for x, (_, length) in zip(act.at, axes, strict=True)):
                yield Finding((*path, "at"), f"got {shown(act.at)}; outside the grid")


def donor_findings(scenario: Scenario) -> Iterator[Finding]:
    """Only the donor of a pool releases it: the flux matrix is exact because of it."""
    donors = {f"release {name}": pool.donor for name, pool in scenario.vesicles.items()}
    for kind, cell in scenario.cells.items():
        for behaviour, value in cell.base.items():
            if value > 0 and donors.get(behaviour, kind) != kind:
                reason = f"only {donors[behaviour]} releases this pool; declare another pool for {kind}"
                yield Finding(("cells", kind, "base", behaviour), reason, at_key=True)
    for i, rule in enumerate(scenario.rules):
        if donors.get(rule.behaviour, rule.cell) != rule.cell:
            reason = f"only {donors[rule.behaviour]} releases this pool; declare another pool for {rule.cell}"
            yield Finding(("rules", i, "cell"), reason)


def matrix_findings(scenario: Scenario) -> Iterator[Finding]:
    """What vesicles set free must stay where it falls, and one field at most hinders them."""
    drug_fields = {drug.field for drug in scenario.drugs.values()}
    for name, pool in scenario.vesicles.items():
        for freed in pool.frees:
            field, path = scenario.fields[freed], ("vesicles", name, "frees", freed)
            if field.solve == "steady" or field.internal_unit != "nM":
                yield Finding(path, f"{freed} must be a concentration with solve: transient", at_key=True)
            elif freed in drug_fields:
                yield Finding(path, f"{freed} is the field of a drug; write exports", at_key=True)
    for name, field in scenario.fields.items():
        for enzyme in field.digested_by:
            path = ("fields", name, "digested_by", enzyme)
            if scenario.fields[enzyme].internal_unit != "nM":
                yield Finding(path, f"{enzyme} must be a concentration", at_key=True)
        if field.digested_by and (field.solve == "steady" or name in drug_fields):
            reason = "expected a field with solve: transient that is no drug's"
            yield Finding(("fields", name, "digested_by"), reason, at_key=True)
    hindering = [name for name, field in scenario.fields.items() if field.hinders_vesicles is not None]
    for name in hindering[1:]:
        reason = f"{hindering[0]} hinders vesicles already"
        yield Finding(("fields", name, "hinders_vesicles"), reason, at_key=True)
