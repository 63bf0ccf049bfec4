"""What the refinements of a batch say: which measures have stopped changing, and which have not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tme_sim.analysis.convergence import at_level, refinements
from tme_sim.analysis.figures.convergence import convergence_figure
from tme_sim.analysis.report.opened_batch import OpenedBatch
from tme_sim.analysis.report.page import Item, Picture, Table
from tme_sim.record.manifest import REPLICATES


def refined(opened: OpenedBatch) -> Iterator[Item]:
    """Yield every measure over every refined key, and how far each refinement moved it."""
    converge, tolerance = opened.converge, float(opened.batch.attributes["tolerance"])
    found: Any = refinements(opened.table, converge, opened.measures, tolerance)
    for key, levels in converge.items():
        if len(levels) < 2:
            continue
        values = {
            measure: {arm: [_runs(opened, arm, key, at, measure) for at in levels] for arm in opened.arms}
            for measure in opened.measures
        }
        counts = [len(runs) for by_arm in values.values() for of_arm in by_arm.values() for runs in of_arm]
        span = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
        of_control = f" of {opened.arms[0]}" if len(opened.arms) > 1 else ""
        yield Picture(
            f"refined_{key.replace('.', '_')}",
            f"Refining {opened.key_words(key)}",
            f"Everything else at its first value. Dots: single runs, {span} at each value; diamonds: means with 95 % "
            f"confidence intervals (Student's t); grey: within {tolerance:.0%} of the finest mean{of_control}.",
            convergence_figure(
                [opened.level(key, at) for at in levels],
                "Number of replicates" if key == REPLICATES else f"{opened.key_words(key)}, coarse to fine",
                values,
                opened.labels,
                tolerance,
            ),
            found[found["key"] == key],
        )
    yield Table(
        "refinements",
        "What each refinement changed",
        "Change of the mean relative to the finer one, with its 95 % confidence interval over pairs of runs with the "
        f"same seed (Student's t), against a tolerance of {tolerance:.0%}. For replicates: what the further runs "
        "changed, and the interval of the mean of all of them.",
        _in_words(opened, found),
        shown=40,
    )


def _in_words(opened: OpenedBatch, found: Any) -> Any:
    """Return the table with units and with measures by their labels."""
    keys = found["key"]
    levels = {
        side: [opened.level(key, at) for key, at in zip(keys, found[side], strict=True)]
        for side in ("coarse", "fine")
    }
    measures = [opened.labels[name][0] for name in found["measure"]]
    return found.assign(key=[opened.key_words(key) for key in keys], measure=measures, **levels)


def _runs(opened: OpenedBatch, arm: str, key: str, at: Any, measure: str) -> np.ndarray:
    table = opened.table
    values = at_level(table[table["arm"] == arm], opened.converge, key, at)[measure].to_numpy(float)
    return values[np.isfinite(values)]
