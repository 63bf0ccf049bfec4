"""Work out in what share of the documented parameter space the relay raises resistance in the rim.

``python -m experiments.relay_draws --draws 200 --out docs/relay`` draws a Latin hypercube over every number of the
flagship that has a documented range, runs the arms of each draw at one seed on a small grid, and writes

    relay_parameters.csv    key, unit, lowest, default, highest, scale: what was drawn
    relay_draws.csv         one row per draw: parameters, readouts per arm, effect
    ../figures/relay_draws.png, .svg

Draws found in relay_draws.csv are kept when it is started again with the same design.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import qmc

from experiments.relay_arms import READOUTS, SCENARIO, append_rows, on_workers, read_rows, run_arm, scene
from tme_sim.scenario.load import load_scenario
from tme_sim.scenario.ranges import Parameter, parameters_of

ARMS_OF_DRAW = ("relay", "exosomes blocked")
DESIGN_SEED = 20
EFFECT = "effect"


def design(parameters: Sequence[Parameter], draws: int) -> np.ndarray:
    """Return the values of all draws, float64 (draws, n_parameters), internal units."""
    u = qmc.LatinHypercube(d=len(parameters), rng=np.random.default_rng(DESIGN_SEED)).random(draws)
    return np.array([[p.at(share) for p, share in zip(parameters, row, strict=True)] for row in u])


def columns_of(parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """Return the columns of the table of draws."""
    return (
        "draw",
        "status",
        EFFECT,
        *(p.key for p in parameters),
        *(f"{arm}: {name}" for arm in ARMS_OF_DRAW for name in READOUTS),
    )


def _run(job: tuple[int, dict[str, float], tuple[str, ...]]) -> dict[str, object]:
    """Run all arms of one draw; the number of the draw is also the seed."""
    draw, values, overrides = job
    row: dict[str, object] = {"draw": draw, "status": "ok", **values}
    try:
        results = {arm: run_arm(arm, draw, overrides) for arm in ARMS_OF_DRAW}
    except (ValueError, ArithmeticError, RuntimeError) as error:
        return {**row, "status": " ".join(f"{type(error).__name__}: {error}".split())}
    for arm, result in results.items():
        row |= {f"{arm}: {name}": value for name, value in result.items()}
    row[EFFECT] = results["relay"]["resistant_rim"] - results["exosomes blocked"]["resistant_rim"]
    return row


def jobs_left(
    parameters: Sequence[Parameter],
    values: np.ndarray,
    done: Sequence[Mapping[str, str]],
    overrides: tuple[str, ...],
) -> list[tuple[int, dict[str, float], tuple[str, ...]]]:
    """Return the draws that are not in the table yet; draw 0 is the defaults.

    Raises
    ------
    ValueError
        When the table holds draws of another design.
    """
    every = np.vstack([[p.default for p in parameters], values])
    for row in done:
        stored = np.array([float(row.get(p.key) or "nan") for p in parameters])
        if not np.allclose(stored, every[int(row["draw"])], rtol=1e-6, atol=0.0):
            raise ValueError(
                f"relay_draws.csv: draw {row['draw']} belongs to another design; expected the same "
                "--draws and ranges; move the file away to start anew"
            )
    finished = {int(row["draw"]) for row in done}
    jobs = []
    for draw, row in enumerate(every):
        if draw not in finished:
            set_all = tuple(
                text for p, v in zip(parameters, row, strict=True) for text in p.overrides(float(v))
            )
            named = {p.key: float(v) for p, v in zip(parameters, row, strict=True)}
            jobs.append((draw, named, (*overrides, *set_all)))
    return jobs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is left of the study and draw its figure; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m experiments.relay_draws", description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--step-min", type=float, default=20.0)
    parser.add_argument("--out", type=Path, default=Path("docs/relay"))
    parser.add_argument("--figures", type=Path, default=Path("docs/figures"))
    options = parser.parse_args(arguments)
    overrides = scene(size_mm=1.2, nodule_um=200.0, days=6.0, step_min=options.step_min)
    parameters = parameters_of(load_scenario(SCENARIO, overrides))
    values = design(parameters, options.draws)
    table = options.out / "relay_draws.csv"
    jobs = jobs_left(parameters, values, read_rows(table), overrides)
    _write_parameters(options.out / "relay_parameters.csv", parameters)
    append_rows(table, columns_of(parameters), on_workers(_run, jobs, options.workers) if jobs else ())
    from experiments.relay_figure import draw_figure  # noqa: PLC0415 - matplotlib is slow to load in every worker

    draw_figure(parameters, read_rows(table), options.figures)
    return 0


def _write_parameters(path: Path, parameters: Sequence[Parameter]) -> None:
    path.unlink(missing_ok=True)
    append_rows(
        path,
        ("key", "label", "unit", "low", "default", "high", "scale"),
        (
            {
                "key": p.key,
                "label": p.label,
                "unit": p.unit,
                "low": p.low,
                "default": p.default,
                "high": p.high,
                "scale": "log" if p.logarithmic else "linear",
            }
            for p in parameters
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
