"""What the arms of a batch say: ends, course, paired differences, time to progression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tme_sim.analysis.comparison import compare_with_control
from tme_sim.analysis.figures.arms import arm_colours, arm_styles, arms_figure, differences_figure
from tme_sim.analysis.figures.curves import Curve, Panel, curves_figure
from tme_sim.analysis.figures.numbers import folded
from tme_sim.analysis.figures.survival import survival_figure
from tme_sim.analysis.replicates import summarise, through_time
from tme_sim.analysis.report.opened_batch import OpenedBatch
from tme_sim.analysis.report.page import Item, Picture, Table, Words
from tme_sim.analysis.survival import kaplan_meier, times_to_progression
from tme_sim.measures.response import PROGRESSION

_DIAMETER = "tumour_diameter"
_MOST_ROWS = 24
_OfArms = dict[str, tuple[np.ndarray, ...]]  # mean, low, high, n by arm
_Bands = dict[str, _OfArms]


def arms(opened: OpenedBatch) -> Iterator[Item]:
    """Yield what each arm changes, every run at its end by arm, and the means by arm and point."""
    yield from _changes(opened)
    table, swept = opened.table, bool(opened.batch.keys)
    summary = summarise(table, opened.measures, ["arm"], shares=opened.shares)
    values: Any = {
        m: {arm: rows[m].to_numpy(float) for arm, rows in table.groupby("arm", sort=False)}
        for m in opened.measures
    }
    over = (
        "All points of the sweep together, so that dots spread over points as well as over replicates. "
        if swept
        else ""
    )
    yield Picture(
        "arms",
        "The arms at the end of their runs",
        f"{over}Small dots: single runs; diamonds: means with 95 % confidence intervals (Student's t; of shares "
        "cut at 0 and 1). In brackets: runs.",
        arms_figure(values, summary, opened.labels),
        summary,
    )
    if swept and not opened.drawn:
        points = summarise(table, opened.measures, ["arm", *opened.batch.keys], shares=opened.shares)
        yield Table(
            "points",
            "Means by arm and point",
            "Means with 95 % confidence intervals (Student's t).",
            points,
            shown=16,
        )


def _changes(opened: OpenedBatch) -> Iterator[Item]:
    """Yield the settings that make the arms."""
    changes = opened.batch.changes
    if changes is None:
        yield Words("What the arms change was not written down by the version that planned this batch.")
        return
    if len(changes) == 1 and not any(changes.values()):
        return
    rows = [
        (arm, key, value)
        for arm, settings in changes.items()
        for key, value in (settings or {"": ""}).items()
    ]
    control = opened.batch.control
    yield Table(
        "arm_changes",
        "What each arm changes",
        f"Settings that set an arm apart from those of every run; {control} is the control. Those of every run are "
        "under Settings and evidence.",
        pd.DataFrame(
            [(arm, key or "nothing", value) for arm, key, value in rows],
            columns=pd.Index(["arm", "setting", "value"]),
        ),
        shown=60,
    )


def course(opened: OpenedBatch) -> Iterator[Item]:
    """Yield the reported measures through time, by arm."""
    swept, labels, days = bool(opened.batch.keys), opened.table["arm"].tolist(), opened.days
    bands = {
        name: _bands(opened.series(name)[1], labels, quartiles=swept, share=opened.labels[name][1])
        for name in opened.measures
    }
    band = "the middle half of all runs" if swept else "its 95 % confidence interval"
    for group in opened.groups:
        yield Picture(
            f"course{opened.part(group)}",
            f"Means through time{opened.which(group)}",
            f"Mean of each arm over its runs; the band holds {band}. Runs that ended early count up to their end: "
            f"{_counts(opened, group)}.",
            _course_figure(opened, days, bands, group),
            _course_table(days, bands, group),
        )


def _course_figure(opened: OpenedBatch, days: np.ndarray, bands: _Bands, group: list[str]) -> Figure:
    colours, styles, panels = arm_colours(group), arm_styles(group), []
    for measure, of_measure in bands.items():
        curves = []
        for arm in group:
            mean, low, high, n = of_measure[arm]
            seen = n > 0
            if seen.any():
                lines = (days[seen], mean[seen], colours[arm], styles[arm])
                curves.append(Curve(folded(arm, 40), *lines, low=low[seen], high=high[seen]))
        label, share = opened.labels[measure]
        panels.append(Panel("", label, curves, "share" if share else "linear"))
    return curves_figure(panels, "Time (days)", columns=2, panel_mm=50.0, legend="bottom")


def _course_table(days: np.ndarray, bands: _Bands, group: list[str]) -> pd.DataFrame:
    parts = []
    for measure, of_measure in bands.items():
        for arm in group:
            mean, low, high, n = of_measure[arm]
            told = {
                "measure": measure,
                "arm": arm,
                "day": days,
                "mean": mean,
                "low": low,
                "high": high,
                "n": n,
            }
            parts.append(pd.DataFrame(told)[n > 0])
    return pd.concat(parts, ignore_index=True)


def _bands(values: np.ndarray, groups: list[str], *, quartiles: bool, share: bool) -> _OfArms:
    found = through_time(values, groups, share=share)
    if not quartiles:
        return found
    labels, out = np.array(groups), {}
    for arm, (mean, _, _, n) in found.items():
        of_arm = values[labels == arm]
        low, high = np.full(len(mean), np.nan), np.full(len(mean), np.nan)
        low[n > 0], high[n > 0] = np.nanquantile(of_arm[:, n > 0], [0.25, 0.75], axis=0)
        out[arm] = (mean, low, high, n)
    return out


def _counts(opened: OpenedBatch, group: list[str]) -> str:
    counts: Any = opened.table["arm"].value_counts(sort=False)
    return ", ".join(f"{arm} {counts[arm]}" for arm in group)


def differences(opened: OpenedBatch) -> Iterator[Item]:
    """Yield what each arm changes against the control, pair by pair."""
    control = opened.batch.control
    if len(opened.arms) < 2 or control not in opened.arms:
        yield Words(
            "There is one arm only: nothing to compare."
            if len(opened.arms) < 2
            else f"No run of the control arm {control} is finished."
        )
        return
    runs, over, pairs = _independent(opened)
    overall = compare_with_control(runs, opened.measures, control, over=over)
    yield Picture(
        "differences",
        f"Differences from {control}",
        f"Arm minus control, paired by {pairs}: mean with its 95 % confidence "
        "interval (Student's t), filled where "
        "that leaves zero out; shares in percentage points (pts). Effect: Cohen's d_z, the mean "
        "difference over the standard deviation of differences. p of the paired "
        "t test, adjusted over all rows (false discovery rate, Benjamini and Hochberg).",
        differences_figure(overall.assign(label=overall["arm"]), opened.labels, control),
        overall,
    )
    if opened.crossed:
        by_point = compare_with_control(opened.table, opened.measures, control, opened.batch.keys)
        at = [
            ", ".join(f"{_short(key)} {opened.level(key, row[key])}" for key in opened.crossed)
            for row in by_point.to_dict("records")
        ]
        labelled: Any = by_point.assign(
            label=[f"{arm}: {where}" for arm, where in zip(by_point["arm"], at, strict=True)]
        )
        if labelled["label"].nunique() <= _MOST_ROWS:
            yield Picture(
                "differences_by_point",
                f"Differences from {control}, point by point",
                "As above, at each point of the sweep.",
                differences_figure(labelled, opened.labels, control),
                by_point,
            )
        else:
            yield Table(
                "differences_by_point",
                f"Differences from {control}, point by point",
                "As above, at each point.",
                by_point,
                shown=12,
            )


def _independent(opened: OpenedBatch) -> tuple[Any, list[str], str]:
    """Return the runs, the keys to average each replicate over, and how pairs are made, in words."""
    seed = ", which share their seed" if opened.seeds_shared else ", though every run has a seed of its own"
    if not opened.batch.keys:
        return opened.table, [], f"replicate{seed}"
    if opened.drawn:
        return opened.paired, [], f"drawn point and replicate{seed}"
    average = "a replicate's mean over all points counts once, as its points are not independent"
    return opened.table, list(opened.batch.keys), f"point and replicate{seed}; {average}"


def _short(key: str) -> str:
    """Return the end of a key, enough to tell the points of one batch apart."""
    return (
        key.rsplit(".", 1)[-1]
        if not key.endswith((".value", ".0.dose"))
        else key.rsplit(".", 2)[-2].replace("0", "dose")
    )


def progression(opened: OpenedBatch) -> Iterator[Item]:
    """Yield the time to progression by arm."""
    if _DIAMETER not in opened.batch.measures:
        yield Words(f"The runs did not keep {_DIAMETER}, from which progression is judged.")
        return
    days, diameter = opened.series(_DIAMETER)
    times: Any = times_to_progression(days * 1440.0, diameter, opened.treatment_min)
    known = np.isfinite(times["minutes"].to_numpy(float))
    if not known.any():
        yield Words("No run has a tumour at the start of treatment and a time after it.")
        return
    found = kaplan_meier(
        times["minutes"], times["progressed"], opened.table["arm"].to_numpy(str), opened.batch.control
    )
    treated = opened.treatment_min > 0.0
    start = (
        f"day {opened.treatment_min / 1440:g}, the first dose of any arm"
        if treated
        else "the start of the run"
    )
    since = "the first dose" if treated else "the start of the run"
    progressed = int(times["progressed"].sum())
    pooled = " over all points of the sweep" if opened.batch.keys else ""
    for group in opened.groups:
        curves: Any = found.curves[found.curves["arm"].isin(group)]
        yield Picture(
            f"progression{opened.part(group)}",
            f"Runs without progression{opened.which(group)}",
            f"Progression: the diameter, from the number of tumour cells, {PROGRESSION - 1:.0%} above its "
            f"smallest value since {start}. Kaplan-Meier estimate with 95 % bands; {progressed} of {int(known.sum())} "
            f"runs{pooled} progressed, the others are censored at their end. Runs are taken as independent"
            f"{', although those of one replicate share their seed' if opened.seeds_shared else ''}.",
            survival_figure(curves, arm_colours(group), since),
            curves,
        )
    shown = found.arms.assign(
        **{
            name.replace("_min", "_days"): found.arms[name] / 1440.0
            for name in ("median_min", "low_min", "high_min")
        }
    )
    shown = shown.drop(columns=["median_min", "low_min", "high_min"])
    yield Table(
        "progression_by_arm",
        "Median time to progression",
        "p: log-rank test against the control; adjusted: over all arms (false discovery rate, Benjamini and Hochberg).",
        shown,
    )
