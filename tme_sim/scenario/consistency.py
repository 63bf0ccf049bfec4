"""Checks of a scenario as a whole: what each block says must fit the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tme_sim.scenario.checks import Finding
from tme_sim.scenario.condition import Condition
from tme_sim.scenario.dosing import PLACES, Dose
from tme_sim.scenario.faults import Path, nearest, shown
from tme_sim.scenario.heredity import heredity_findings
from tme_sim.scenario.intervention import Intervention
from tme_sim.scenario.matter import Boundary
from tme_sim.scenario.resolved import written
from tme_sim.scenario.rule_text import RuleSpec
from tme_sim.scenario.scenario import Scenario

_WORDS = ("extinct", "edge reached")


def check_scenario(scenario: Scenario, measures: frozenset[str] | None) -> Iterator[Finding]:
    """Yield what does not fit together."""
    yield from _vessels(scenario)
    yield from _tissue(scenario)
    yield from _boundaries(scenario)
    yield from _metabolism(scenario)
    yield from _drugs(scenario)
    yield from _interventions(scenario)
    yield from _donors(scenario)
    yield from heredity_findings(scenario.heredity())
    yield from _matrix(scenario)
    yield from _rules(scenario)
    yield from _conditions(scenario, measures)
    yield from _schedules(scenario)
    yield from _adjustable(scenario)


def _axes(scenario: Scenario) -> Sequence[tuple[str, float]]:
    return [(axis, float(length)) for axis, length in zip("xyz", scenario.grid.size, strict=False)]


def _vessels(scenario: Scenario) -> Iterator[Finding]:
    vessels = scenario.vessels
    yield from _growth_of_vessels(scenario)
    if vessels is None:
        return
    site = scenario.grid.spacing
    if vessels.radius >= site:
        yield Finding(
            ("vessels", "radius"), f"got {vessels.radius.written}; expected less than a site, {site.written}"
        )
    if vessels.spacing is None:
        return
    if vessels.spacing < site:
        yield Finding(
            ("vessels", "spacing"), f"got {vessels.spacing.written}; expected at least a site, {site.written}"
        )
    for axis, length in _axes(scenario)[:2]:
        if vessels.spacing > length:
            reason = f"got {vessels.spacing.written}; the grid is only {length:g} um long in {axis}"
            yield Finding(("vessels", "spacing"), reason)


def _growth_of_vessels(scenario: Scenario) -> Iterator[Finding]:
    """Sprouting, extension and regression act in vessel cells alone; those of growing vessels do not migrate."""
    vessels = scenario.vessels
    grows = vessels is not None and vessels.sprouting is not None
    used: list[tuple[Path, str, str]] = [
        (("rules", i, "behaviour"), rule.cell, rule.behaviour) for i, rule in enumerate(scenario.rules)
    ]
    for kind, cell in scenario.cells.items():
        used += [(("cells", kind, "base", name), kind, name) for name, value in cell.base.items() if value]
    for path, kind, behaviour in used:
        is_vessel = vessels is not None and kind == vessels.cell
        if behaviour in ("sprouting", "extension", "regression") and not is_vessel:
            reason = f"{behaviour} is never felt: {kind} is not the type of vessels.cell"
            yield Finding(path, reason, at_key=True)
        elif behaviour in ("sprouting", "extension") and not grows:
            yield Finding(path, f"{behaviour} is never felt: there is no vessels.sprouting", at_key=True)
        elif behaviour == "migration" and is_vessel and grows:
            reason = f"{kind} cells are fixed in growing vessels; write extension, the speed of tips"
            yield Finding(path, reason, at_key=True)


def _tissue(scenario: Scenario) -> Iterator[Finding]:
    axes, taken = _axes(scenario), {}
    densities = 0.0
    for kind, placement in scenario.tissue.placements.items():
        densities += placement.density or 0.0
        for i, nodule in enumerate(placement.nodules):
            centre = [length / 2 for _, length in axes] if nodule.centre == "middle" else nodule.centre
            path: Path = ("tissue", kind, "nodules", i)
            if len(centre) != len(axes):
                yield Finding((*path, "centre"), f"has {len(centre)} coordinates; the grid has {len(axes)}")
                continue
            for (axis, length), at in zip(axes, centre, strict=True):
                if at < nodule.radius or at + nodule.radius > length:
                    reason = f"reaches from {at - nodule.radius:g} to {at + nodule.radius:g} um in {axis}"
                    yield Finding(path, f"{reason}; the grid from 0 to {length:g}")
        for i, point in enumerate(placement.at):
            path = ("tissue", kind, "at", i)
            if len(point) != len(axes):
                yield Finding(path, f"has {len(point)} coordinates; the grid has {len(axes)}")
            elif any(x >= length for x, (_, length) in zip(point, axes, strict=True)):
                yield Finding(path, f"got {shown(point)}; outside the grid")
            else:
                site = tuple(int(x / scenario.grid.spacing) for x in point)
                if site in taken:
                    yield Finding(path, f"got {shown(point)}; the site is taken by a {taken[site]}")
                taken[site] = kind
    if densities > 1 + 1e-12:
        yield Finding(("tissue",), f"densities add up to {100 * densities:g} %; expected at most 100 %")


def _boundaries(scenario: Scenario) -> Iterator[Finding]:
    if scenario.grid.shape[0] > 1:
        return
    blocks: list[tuple[str, str, Boundary]] = [
        ("fields", name, f.boundary) for name, f in scenario.fields.items()
    ]
    blocks += [("vesicles", name, pool.boundary) for name, pool in scenario.vesicles.items()]
    for block, name, boundary in blocks:
        for face in boundary.fixed:
            if face.startswith("z") and not (face == "z_high" and scenario.grid.medium):
                reason = "this face of it is always no_flux"
                yield Finding((block, name, "boundary", face), f"the grid has one layer; {reason}")


def _metabolism(scenario: Scenario) -> Iterator[Finding]:
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


def _drugs(scenario: Scenario) -> Iterator[Finding]:
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


def _doses(scenario: Scenario, drug: str) -> Iterator[Finding]:
    """A dose per surface or weight needs the patient's."""
    for i, dose in enumerate(scenario.drugs[drug].schedule):
        for key, size in (("dose", dose.dose), ("at_most", dose.at_most)):
            needed = PLACES.get(size.unit) if size is not None else None
            if needed is not None and getattr(scenario.patient, needed, None) is None:
                reason = f"got {size}; patient.{needed} is not declared"
                yield Finding(("drugs", drug, "schedule", i, key), reason)


def _interventions(scenario: Scenario) -> Iterator[Finding]:
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
            axes = _axes(scenario)
            if len(act.at) != len(axes):
                yield Finding((*path, "at"), f"has {len(act.at)} coordinates; the grid has {len(axes)}")
            elif any(x >= length for x, (_, length) in zip(act.at, axes, strict=True)):
                yield Finding((*path, "at"), f"got {shown(act.at)}; outside the grid")


def _donors(scenario: Scenario) -> Iterator[Finding]:
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


def _matrix(scenario: Scenario) -> Iterator[Finding]:
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


def _rules(scenario: Scenario) -> Iterator[Finding]:
    seen: dict[tuple, int] = {}
    for i, rule in enumerate(scenario.rules):
        if not scenario.in_force(rule):
            continue
        key = (
            rule.cell,
            rule.signal,
            rule.effect,
            rule.behaviour,
            rule.dead,
            frozenset(map(str, rule.gates)),
        )
        if key in seen:
            reason = f"repeats rules[{seen[key]}]: same cell, signal, effect, behaviour and gates"
            yield Finding(("rules", i), reason)
        seen.setdefault(key, i)
        base = scenario.base_value(rule.cell, rule.behaviour)
        if rule.effect == "increases" and rule.to < base:
            reason = (
                f"got {rule.to.written}, below the base value of {rule.behaviour} in {rule.cell}; a rule that"
            )
            yield Finding(("rules", i, "to"), f"{reason} increases must lead above it")
        if rule.effect == "decreases" and rule.to > _highest(scenario, rule, base):
            reason = (
                f"got {rule.to.written}, above all that {rule.behaviour} reaches in {rule.cell}; a rule that"
            )
            yield Finding(("rules", i, "to"), f"{reason} decreases must lead below it")
        if rule.behaviour == "cycle entry" and scenario.cells[rule.cell].cycle is None:
            reason = f"{rule.cell} has no cycle; write cells.{rule.cell}.cycle"
            yield Finding(("rules", i, "behaviour"), reason)


def _highest(scenario: Scenario, rule: RuleSpec, base: float) -> float:
    ups = (
        float(other.to)
        for other in scenario.rules
        if (other.cell, other.behaviour, other.effect) == (rule.cell, rule.behaviour, "increases")
    )
    return max((base, *ups))


def _conditions(scenario: Scenario, measures: frozenset[str] | None) -> Iterator[Finding]:
    if measures is None:
        return
    conditions: list[tuple[Path, Condition]] = [(("stop", i), item) for i, item in enumerate(scenario.stop)]
    for name, act in scenario.interventions.items():
        conditions += _of(("interventions", name), act)
    for name, drug in scenario.drugs.items():
        for i, dose in enumerate(drug.schedule):
            conditions += _of(("drugs", name, "schedule", i), dose)
    for path, condition in conditions:
        if condition.comparison and condition.measure not in measures:
            reason = f"{condition.measure} is no measure"
            yield Finding(path, reason, nearest(condition.measure, measures))


def _of(path: Path, block: Intervention | Dose) -> list[tuple[Path, Condition]]:
    pairs = (("when", block.when), ("stop_when", block.stop_when))
    return [((*path, key), condition) for key, condition in pairs if condition is not None]


def _schedules(scenario: Scenario) -> Iterator[Finding]:
    step = scenario.time.step
    pairs: list[tuple[Path, Any]] = [
        (("record", "measures"), scenario.record.measures),
        (("record", "snapshots"), scenario.record.snapshots),
    ]
    if scenario.resistance is not None:
        pairs.append((("resistance", "every"), scenario.resistance.every))
    for path, every in pairs:
        if 0 < every < step:
            yield Finding(
                path, f"got {every.written}; expected no more often than every step, {step.written}"
            )


def _adjustable(scenario: Scenario) -> Iterator[Finding]:
    data = written(scenario)
    for i, key in enumerate(scenario.adjustable):
        node: Any = data
        for part in key.split("."):
            if isinstance(node, list):
                names = {str(at): item for at, item in enumerate(node)}
                names |= {item["name"]: item for item in node if isinstance(item, dict) and "name" in item}
            else:
                names = node if isinstance(node, dict) else {}
            if part not in names:
                reason = f"got {shown(key)}; there is no {shown(part)}"
                yield Finding(("adjustable", i), reason, nearest(part, names))
                break
            node = names[part]
        else:
            if isinstance(node, list) or (isinstance(node, dict) and "value" not in node):
                yield Finding(
                    ("adjustable", i), f"got {shown(key)}, a whole block; expected the key of one value"
                )
