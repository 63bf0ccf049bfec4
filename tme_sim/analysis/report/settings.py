"""What a run or a batch stands on: settings, versions, assumed numbers, rules, and what is known not to be known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from tme_sim.analysis.report.citations import KNOWN, numbers
from tme_sim.analysis.report.page import Item, Table, Words
from tme_sim.analysis.report.tables import shown
from tme_sim.record.reader import Run
from tme_sim.rules.evidence import documents
from tme_sim.scenario.scenario import Scenario

_NOTES = ("calibrated", "assumed", "unknown")


def settings(run: Run, scenario: Scenario | None, facts: Mapping[str, Any]) -> Iterator[Item]:
    """Yield identity and versions, the scenario's own notes, every sourced number, the rules and the scenario."""
    about = {
        "title": run.title,
        **facts,
        **(_choices(scenario) if scenario is not None else {}),
        "made by": run.attributes["source"],
        "numerics version": run.attributes["numerics_version"],
        "step": f"{run.attributes['dt_min']:g} min",
        "grid (x, y, z)": " × ".join(str(length) for length in run.grid.shape[::-1])
        + f" sites of {run.grid.spacing_um:g} µm",
        **{name.replace("_", " "): value for name, value in run.provenance.items()},
    }
    yield Table(
        "identity",
        "Identity and versions",
        "The last lines are about the machine; everything else decides the results.",
        pd.DataFrame({"what": list(about), "value": [_told(value) for value in about.values()]}),
        shown=60,
    )
    if scenario is not None:
        yield from _evidence(scenario)
    yield Table(
        "rules",
        "Rules in force",
        "As written in the scenario, with their evidence.",
        _rules(run.rules),
        shown=12,
    )
    yield Words(run.scenario_yaml, "The scenario as it was run (YAML)")


def _told(value: Any) -> str:
    return shown(value) if isinstance(value, float) else str(value)


def _choices(scenario: Scenario) -> dict[str, str]:
    return {
        "scenario": scenario.scenario,
        "hypotheses": ", ".join(f"{name}: {choice}" for name, choice in scenario.hypotheses.items())
        or "none",
        "interventions that are on": ", ".join(n for n, act in scenario.interventions.items() if act.active)
        or "none",
    }


def _evidence(scenario: Scenario) -> Iterator[Item]:
    papers = {document.key: document.citation for document in documents()}
    for key in scenario.documents:
        yield Words(f"Source document: {papers.get(key, key)}")
    notes = [{"kind": kind, "note": line} for kind in _NOTES for line in getattr(scenario, kind)]
    if notes:
        yield Table(
            "notes",
            "What the scenario says of itself",
            "What it says was calibrated, is assumed and is unknown.",
            pd.DataFrame(notes),
        )
    table: Any = numbers(scenario)
    is_assumed = table["known"] == "assumed"
    assumed = table[is_assumed].drop(columns=["source", "known", "citation"])
    unread = table["known"].isin([KNOWN["NF"], KNOWN["G"]]).sum()
    yield Table(
        "assumed",
        "Assumed numbers",
        f"{len(assumed)} numbers without a source, each with its reason: conclusions depend on them.",
        assumed,
        shown=len(assumed),
    )
    yield Table(
        "sourced",
        "Numbers from the table of parameters and from papers",
        f"{len(table) - len(assumed)} numbers, {unread} of them on general knowledge alone: these come first.",
        table[~is_assumed],
        shown=15,
    )


def _rules(rules: Any) -> pd.DataFrame:
    return rules.loc[:, [name for name in rules if rules[name].astype(bool).any()]]
