"""The report of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from tme_sim.analysis.report.batch_arms import arms, course, differences, progression
from tme_sim.analysis.report.batch_classes import classes
from tme_sim.analysis.report.batch_refined import refined
from tme_sim.analysis.report.batch_sweeps import maps, responses, sensitivities
from tme_sim.analysis.report.opened_batch import OpenedBatch, named
from tme_sim.analysis.report.page import Chapter, Item, Report, Table, Words
from tme_sim.analysis.report.settings import settings
from tme_sim.analysis.verdict import verdict
from tme_sim.record.batch_reader import Batch

_MOST_NAMED = 8


def report_of_batch(batch: Batch) -> Report:
    """Return the report of an open batch; figures are made one by one as it is written."""
    opened = OpenedBatch(batch)
    about = batch.attributes
    chapters = [
        Chapter("Arms", "Where the runs ended.", arms(opened)),
        *classes(opened),
        Chapter("Through time", "", course(opened)),
        Chapter("Time to progression", "", progression(opened)),
    ]
    if len(batch.arms) > 1:
        lead = (
            "Replicates share their seeds across arms, so that arms are compared in pairs."
            if opened.seeds_shared
            else "Every run has a seed of its own; arms are compared in pairs of the same replicate number."
        )
        chapters.insert(1, Chapter("Differences", lead, differences(opened)))
    if opened.stepped:
        chapters.append(Chapter("Responses", "One swept parameter at a time.", responses(opened)))
    if len(opened.crossed) > 1:
        chapters.append(Chapter("Two parameters", "", maps(opened)))
    if opened.converge:
        lead = "Each key is refined alone, coarse to fine."
        chapters.append(Chapter("Convergence", lead, refined(opened)))
    elif len(opened.numeric) > 1:
        chapters.append(
            Chapter("Sensitivities", "Which parameters move the result most.", sensitivities(opened))
        )
    lead = "Of one run of the batch; arms and points differ in the settings that they name."
    chapters += [
        Chapter("Runs", "", _runs(opened)),
        Chapter("Settings and evidence", lead, _settings(opened)),
    ]
    return Report(
        title=str(about.get("title") or about["experiment"]),
        subtitle=f"Report of the batch {about['experiment']} of the scenario {about['scenario']}, {about['source']}. "
        f"Arms: {named(batch.arms)}; control: {batch.control}.",
        facts=_facts(opened),
        warnings=warnings_of(opened),
        chapters=chapters,
    )


def warnings_of(opened: OpenedBatch) -> list[str]:
    """Return what a reader must know first: too few replicates, runs that failed or are missing, files left out."""
    batch, out = opened.batch, []
    fewest, most = opened.replicates
    said = verdict(fewest)
    pooled = opened.drawn and fewest == 1
    if pooled:
        out.append(
            "Each drawn point was run once: what is chance and what is the parameters' doing cannot "
            "be told apart at a single point."
        )
    elif said:
        span = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        out.append(
            f"Too few replicates: {span} per arm{' and point' if batch.keys else ''}. {said[:1].upper()}{said[1:]}."
        )
    left: Any = batch.design[batch.design["status"] != "done"]
    if len(left):
        states = ", ".join(f"{count} {state}" for state, count in left["status"].value_counts().items())
        out.append(f"{len(left)} of {len(batch.design)} runs are not in this report ({states}): see Runs.")
    out += [f"Left out: {text}" for text in batch.skipped[:_MOST_NAMED]]
    if len(batch.skipped) > _MOST_NAMED:
        out.append(f"Left out: {len(batch.skipped) - _MOST_NAMED} more files, see Runs.")
    return out


def _facts(opened: OpenedBatch) -> list[tuple[str, str, str]]:
    batch, (fewest, most) = opened.batch, opened.replicates
    points = len(opened.table[list(batch.keys)].drop_duplicates()) if batch.keys else 0
    ended = batch.ends["ended"].to_numpy()[opened.table.index] / 1440.0
    span = f"{ended.min():g}" if np.ptp(ended) < 1e-9 else f"{ended.min():.3g} to {ended.max():.3g}"
    out = [
        ("Runs", f"{len(opened.table):,}", f"of {len(batch.design):,} planned"),
        (
            "Arms",
            f"{len(opened.arms)}",
            named(opened.arms) if len(opened.arms) <= 3 else f"control: {batch.control}",
        ),
    ]
    if batch.keys:
        out.append(("Points", f"{points:,}", f"over {len(batch.keys)} swept settings"))
    out.append(
        (
            "Replicates",
            f"{fewest}" if fewest == most else f"{fewest} to {most}",
            "per arm and point" if batch.keys else "per arm",
        )
    )
    out.append(("Simulated", f"{span} d", "per run"))
    return out


def _runs(opened: OpenedBatch) -> Iterator[Item]:
    batch = opened.batch
    for text in batch.skipped:
        yield Words(f"Left out: {text}")
    failed: Any = batch.design[batch.design["status"] == "failed"]
    if len(failed):
        yield Table(
            "failed",
            "Runs that failed",
            "With their reasons.",
            failed[["arm", "replicate", "run_id", "failure"]],
        )
    ends = pd.DataFrame(
        {name: batch.ends[name].to_numpy() for name in ("ended", *opened.measures)}, index=batch.design.index
    )
    table = batch.design.join(ends).rename(columns={"ended": "ended_min"})
    units = ", ".join(f"{key} in {opened.unit(key)}" for key in batch.keys if opened.unit(key))
    yield Table(
        "runs",
        "Every run",
        f"Design and measures at the end of each run{f'; {units}' if units else ''}. "
        "Seeds and run ids are in the file.",
        table,
        shown=12,
        in_file=("seed", "run_id", "failure"),
    )


def _settings(opened: OpenedBatch) -> Iterator[Item]:
    about = opened.batch.attributes
    common = about.get("settings") or {}
    if common:
        yield Table(
            "settings_of_every_run",
            "Settings of every run",
            "What the experiment sets on top of the scenario, in every arm.",
            pd.DataFrame({"setting": list(common), "value": list(common.values())}),
        )
    for number, run in opened.batch.runs():
        arm = opened.batch.design.at[number, "arm"]
        facts = {
            "experiment": about["experiment"],
            "plan": about.get("plan_id", ""),
            "arm of the run shown here": arm,
        }
        yield from settings(run, opened.scenario, facts)
        return
    yield Words("No run file is there beside the results: settings of single runs are in their files.")
