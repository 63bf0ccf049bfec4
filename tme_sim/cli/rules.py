"""The command ``rules``: lists, audits, imports and exports the rules of a scenario."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tme_sim.cli import table
from tme_sim.cli.errors import CommandError
from tme_sim.cli.options import Config, Json, Settings, overrides
from tme_sim.cli.scenario import load

if TYPE_CHECKING:
    from tme_sim.rules.rule import Rule
    from tme_sim.scenario.rule_text import RuleSpec
    from tme_sim.scenario.scenario import Scenario


def rules(
    config: Config = "liver_metastasis",
    *,
    settings: Settings = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Audit the evidence; exit code 2 when it has faults.")
    ] = False,
    source: Annotated[
        Path | None, typer.Option("--import", metavar="CSV", help="Print a PhysiCell rules CSV as YAML.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--export", metavar="CSV", help="Write the rules as a PhysiCell CSV.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List, audit, import and export rules.

    Without options, prints each rule in force as a sentence with its evidence.
    """
    if sum((coverage, source is not None, target is not None)) > 1:
        raise CommandError("--coverage, --import and --export: expected one of them at a time")
    scenario = load(config, overrides(settings))
    if coverage:
        _audit(config, scenario, as_json)
    elif source is not None:
        _import(scenario, source)
    elif target is not None:
        _export(scenario, target)
    else:
        _list(scenario, as_json)


def sentence(rule: RuleSpec) -> str:
    """Return a rule in words, with the numbers as the scenario writes them."""
    gates = f", while {' and '.join(map(str, rule.gates))}" if rule.gates else ""
    who = f"{rule.cell} cells and remains" if rule.dead else rule.cell
    return (
        f"In {who} cells, {rule.signal} {rule.effect} {rule.behaviour} towards {rule.to.written}, "
        f"half-max {rule.half_max.written}, Hill {rule.hill.written}{gates}"
    )


def _list(scenario: Scenario, as_json: bool) -> None:
    import json

    rows = [_row(scenario, rule) for rule in scenario.rules]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        if row["in_force"]:
            evidence = ", ".join(row["evidence"]) or "no evidence"
            typer.echo(f"{row['text']}  [{row['basis']}; {evidence}]")
    idle = [row for row in rows if not row["in_force"]]
    if idle:
        typer.echo("\nNot in force under the chosen hypotheses:")
        for row in idle:
            typer.echo(f"{row['text']}  [{row['hypothesis']}]")


def _row(scenario: Scenario, rule: RuleSpec) -> dict[str, Any]:
    return {
        "text": sentence(rule),
        "evidence": list(rule.evidence),
        "basis": rule.basis,
        "hypothesis": rule.hypothesis,
        "in_force": scenario.in_force(rule),
        "source": rule.source,
        "why": rule.why,
    }


def _import(scenario: Scenario, source: Path) -> None:
    from tme_sim.rules.physicell import import_csv

    words = scenario.vocabulary
    bases = [[scenario.base_value(cell, name) for name in words.behaviours] for cell in words.cell_types]
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{source}: {getattr(error, 'strerror', None) or error}") from None
    import numpy as np

    names = (words.cell_types, tuple(words.signals), tuple(words.behaviours))
    report = import_csv(text, str(source), *names, np.array(bases))
    for kind, remarks in (("not imported", report.not_imported), ("warning", report.warnings)):
        for remark in remarks:
            typer.echo(f"{kind}: {remark}", err=True)
    if report.faults:
        raise CommandError("\n".join(map(str, report.faults)))
    typer.echo("rules:")
    for rule in report.rules:
        typer.echo(_yaml(scenario, rule))


def _yaml(scenario: Scenario, rule: Rule) -> str:
    """Return one rule as an item of the list ``rules`` of a scenario."""
    words = scenario.vocabulary
    saturation = _with_unit(rule.saturation, words.behaviours[rule.behaviour].scale.internal)
    half_max = _with_unit(rule.half_max, words.signals[rule.signal].scale.internal)
    import json

    dead = ", dead: true" if rule.dead else ""
    return (
        f"  - {{cell: {rule.cell}, signal: {rule.signal}, "
        f"effect: {'increases' if rule.increases else 'decreases'}, behaviour: {rule.behaviour}, "
        f"to: {saturation}, half_max: {half_max}, hill: {rule.hill:.15g}, "
        f"basis: {rule.basis}, source: assumed, why: {json.dumps(rule.why)}{dead}}}"
    )


def _with_unit(value: float, unit: str) -> str:
    return f"{value:.15g} {unit.removeprefix('1')}".strip()


def _export(scenario: Scenario, target: Path) -> None:
    from tme_sim.rules.physicell import export_csv

    words = scenario.vocabulary
    names = (words.cell_types, tuple(words.signals), tuple(words.behaviours))
    report = export_csv(scenario.active_rules(), *names)
    try:
        with target.open("x", encoding="utf-8") as out:
            out.write(report.text)
    except FileExistsError:
        raise CommandError(f"{target}: exists already; name another file") from None
    except OSError as error:
        raise CommandError(f"{target}: {error.strerror}") from None
    for line in report.cannot_say:
        typer.echo(f"not said: {line}", err=True)
    typer.echo(str(target))


def _audit(config: str, scenario: Scenario, as_json: bool) -> None:
    import json
    import textwrap

    from tme_sim.audit.of_scenario import (
        audit_package,
        audit_scenario,
        documented_scenarios,
        joined_scenarios,
    )
    from tme_sim.resources import data_dir
    from tme_sim.scenario.load import find_scenario

    # The scenarios of the package answer together for every mechanism, a user's own only for what it cites.
    shipped = find_scenario(config).resolve().parent == data_dir("configs").resolve()
    if shipped and scenario.documents:
        others = [other for other in documented_scenarios() if other.scenario != scenario.scenario]
        audit = audit_package([scenario, *others], joined_scenarios())
    else:
        audit = audit_scenario(scenario)
    if as_json:
        rows = [asdict(row) for row in audit.rows]
        typer.echo(json.dumps({"counts": audit.counts(), "faults": audit.faults, "rows": rows}, indent=2))
    else:
        covered = [row for row in audit.rows if row.status == "covered"]
        rows = [
            (r.id, r.tier, "; ".join(r.covered_by), "; ".join(r.tested_by), ", ".join(r.measured_by))
            for r in covered
        ]
        table.show(("Covered", "tier", "by", "shown by", "measured by"), rows)
        for status in ("open", "missing"):
            ids = [row.id for row in audit.rows if row.status == status]
            if ids:
                typer.echo("\n" + textwrap.fill(f"{status}: {', '.join(ids)}", 110, subsequent_indent="  "))
        typer.echo("\n" + ", ".join(f"{count} {status}" for status, count in audit.counts().items() if count))
    if audit.faults:
        raise CommandError("\n".join(audit.faults))
