"""What the sweeps of a batch say: dose responses, responses to one key, maps over two, sensitivities to all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from tme_sim.analysis.dose_response import DoseResponse, fit_dose_response
from tme_sim.analysis.figures.arms import arm_colours
from tme_sim.analysis.figures.response import Response, response_figure
from tme_sim.analysis.figures.sweep import heat_figure, tornado_figure
from tme_sim.analysis.heat_map import over_two
from tme_sim.analysis.replicates import mean_and_interval
from tme_sim.analysis.report.opened_batch import OpenedBatch
from tme_sim.analysis.report.page import Item, Picture, Table
from tme_sim.analysis.sensitivity import first_order, tornado

_MOST_MAPS, _MOST_BARS = 6, 15
_FIT = "Lines: fitted four-parameter logistic, with the IC50 (dashed) and its interval (bar). "


def is_dose(key: str) -> bool:
    """Return whether a swept key is the dose of a drug."""
    return key.startswith("drugs.") and key.removesuffix(".value").endswith(".dose")


def responses(opened: OpenedBatch) -> Iterator[Item]:
    """Yield, for every key with few numeric values, each measure over it, with a fitted IC50 where it is a dose."""
    for key in opened.stepped:
        fits = []
        for measure in opened.measures:
            for group in opened.groups:
                yield _response(opened, key, measure, group, fits)
        if fits:
            yield Table(
                f"ic50_{_name(key)}",
                "Fitted dose responses",
                "Four-parameter logistic by least squares; the interval of the IC50 is that of its "
                "logarithm (95 %). An IC50 that the doses "
                "cannot tell is withheld, with the reason.",
                pd.DataFrame(fits),
            )


def _response(opened: OpenedBatch, key: str, measure: str, group: list[str], io_fits: list[dict]) -> Picture:
    others = [name for name in opened.batch.keys if name != key]
    colours, found, summary = arm_colours(group), [], {}
    for arm in group:
        rows: Any = opened.table[opened.table["arm"] == arm]
        x, y = rows[key].to_numpy(float), rows[measure].to_numpy(float)
        seen = np.isfinite(x) & np.isfinite(y)
        x, y = x[seen], y[seen]
        summary |= {
            (arm, float(level)): mean_and_interval(y[x == level], share=opened.labels[measure][1])
            for level in np.unique(x)
        }
        fit = fit_dose_response(x, y) if is_dose(key) and len(y) else None
        if fit is not None and all((f["arm"], f["measure"]) != (arm, measure) for f in io_fits):
            io_fits.append({"arm": arm, "measure": measure, "key": key, **vars(fit)})
        found.append(_fitted(arm, colours[arm], x, y, fit))
    label, share = opened.labels[measure]
    pooled = f" Runs over all values of {', '.join(others)} are taken together." if others else ""
    withheld = [
        f"{fit['arm']}: {fit['verdict']}"
        for fit in io_fits
        if fit["measure"] == measure and fit["arm"] in group and fit["verdict"]
    ]
    note = f" No IC50 is given for {'; '.join(withheld)}." if withheld else ""
    table = pd.DataFrame(
        [
            {"arm": arm, key: level, "mean": m, "low": low, "high": high}
            for (arm, level), (m, low, high) in summary.items()
        ]
    )
    what = "Dose response" if is_dose(key) else "Response"
    return Picture(
        f"response_{_name(key)}_{measure}{opened.part(group)}",
        f"{what}: {label[:1].lower() + label[1:]}{opened.which(group)}",
        "Dots: single runs; diamonds: means with 95 % confidence intervals. "
        f"{_FIT if is_dose(key) else ''}{_counts(found)}.{pooled}{note}",
        response_figure(
            found, opened.key_label(key), label, share, _is_log(opened.levels(key)), summary, opened.unit(key)
        ),
        table,
    )


def _fitted(arm: str, colour: str, x: np.ndarray, y: np.ndarray, fit: DoseResponse | None) -> Response:
    if fit is None or fit.verdict:
        return Response(arm, colour, x, y)
    return Response(arm, colour, x, y, fit.at, (fit.ic50, fit.ic50_low, fit.ic50_high))


def _counts(found: list[Response]) -> str:
    return "Runs: " + ", ".join(f"{r.arm} {len(r.x)}" for r in found)


def _is_log(levels: np.ndarray) -> bool:
    positive = levels[levels > 0.0]
    return bool(len(positive) > 1 and positive[-1] / positive[0] >= 10.0 and levels[0] >= 0.0)


def _name(key: str) -> str:
    return key.replace(".", "_").replace(" ", "_")


def maps(opened: OpenedBatch) -> Iterator[Item]:
    """Yield heat maps of every measure over each pair of crossed keys."""
    pairs = list(combinations(opened.crossed, 2))
    for x, y in pairs[:_MOST_MAPS]:
        others = [key for key in opened.batch.keys if key not in (x, y)]
        for measure in opened.measures:
            tables = []
            for arm in opened.arms:
                means, counts = over_two(opened.table[opened.table["arm"] == arm], y, x, measure)
                tables.append((arm, means, counts))
            if not any(np.isfinite(means.to_numpy(float)).any() for _, means, _ in tables):
                continue
            label, share = opened.labels[measure]
            pooled = f" Means over all values of {', '.join(others)}." if others else ""
            flat = pd.concat(
                [means.stack().rename("mean").reset_index().assign(arm=arm) for arm, means, _ in tables]
            )
            yield Picture(
                f"map_{_name(y)}_{_name(x)}_{measure}",
                f"{label} over two parameters",
                f"Means at the end of the runs; n is the number of runs in each cell.{pooled}",
                heat_figure(tables, opened.key_label(x), opened.key_label(y), label, share),
                flat,
            )


def sensitivities(opened: OpenedBatch) -> Iterator[Item]:
    """Yield a tornado per measure and arm, and first-order Sobol indices where points were drawn."""
    for arm in opened.arms:
        rows: Any = opened.table[opened.table["arm"] == arm]
        for measure in opened.measures:
            table = tornado(rows, opened.numeric, measure)
            known: Any = table[table["swing"].notna()]
            if known.empty or not known["swing"].abs().max() > 0.0:
                continue
            label, share = opened.labels[measure]
            said = next((text for text in known["verdict"] if text), "")
            in_arm = f" of {arm}" if len(opened.arms) > 1 else ""
            yield Picture(
                f"tornado_{measure}_{arm}",
                f"What moves it most: {label[:1].lower() + label[1:]}{' (' + arm + ')' if in_arm else ''}",
                f"Means over the runs{in_arm} in the lowest and the highest quarter of each parameter, "
                f"and the mean over all {len(rows)} runs "
                f"(line); the {min(_MOST_BARS, len(known))} largest of {len(known)} parameters. Right: "
                "Spearman's rank correlation. " + (f"{said}." if said else ""),
                tornado_figure(
                    known.head(_MOST_BARS).assign(key=lambda t: t["key"].map(opened.key_words)),
                    label,
                    share,
                    float(rows[measure].mean()),
                ),
                table,
            )
            if opened.drawn:
                indices = first_order(rows, opened.numeric, measure).sort_values(
                    "S1", ascending=False, ignore_index=True
                )
                meaning = indices["key"].map(opened.key_words)
                if not meaning.equals(indices["key"].str.removesuffix(".value")):
                    indices.insert(1, "meaning", meaning)
                yield Table(
                    f"sobol_{measure}_{arm}",
                    f"First-order Sobol indices: {label[:1].lower() + label[1:]}",
                    "Share of the variance that each parameter explains alone (random balance "
                    "designs, SALib), with the half-width of "
                    "its 95 % interval.",
                    indices,
                    shown=10,
                )
