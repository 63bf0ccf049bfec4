"""Treat virtual patients: draws over the documented ranges of a scenario, judged as tumours in a clinic are.

``python -m experiments.virtual_patients liver_metastasis --patients 20 --start 5 --out patients.csv`` writes one row
per patient (best response, progression, resistance at the start and gained) and prints the distribution. A patient is
a row of a Latin hypercube and a seed, so that its number says it all. Patients in the table are kept when it is started
again with the same number of patients.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from experiments.relay_arms import append_rows, on_workers, read_rows
from experiments.relay_draws import Parameter, design, parameters_of
from tme_sim.measures.response import Cohort, Gain, Response, cohort, gain, respond
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.record.recorder import Recorder
from tme_sim.record.schedule import At, Every
from tme_sim.scenario.load import load_scenario

DAY = 1440.0
_COLUMNS = ("best", "controlled", "progression_min", "regrowth_min", "smallest", "initial", "gained")


@dataclass(frozen=True)
class Trial:
    """What all patients share: scenario, overrides, drug, start of treatment and time of control in minutes."""

    scenario: str
    overrides: tuple[str, ...]
    drug: str
    start_min: float
    control_min: float


def treat(trial: Trial, job: tuple[int, tuple[str, ...]]) -> dict[str, object]:
    """Run one patient, whose number is the seed; return the row of the table."""
    number, drawn = job
    model = TumorMicroenvironment(trial.scenario, [*trial.overrides, *drawn], rng=number)
    measures = ("tumour_diameter", f"resistant_fraction_{trial.drug}")
    recorder = Recorder(Every(360.0), At(()), measures=measures, context=model.measure_context)
    recorder.start(model)
    while model.running:
        model.step()
        recorder.observe(model.tissue)
    run = recorder.finish()
    response = respond(run.minutes, run.series[:, 0], trial.start_min, trial.control_min)
    return {"patient": number, **vars(response), **vars(gain(run.minutes, run.series[:, 1], trial.start_min))}


def jobs_of(parameters: Sequence[Parameter], patients: int) -> list[tuple[int, tuple[str, ...]]]:
    """Return number and overrides of every patient: a Latin hypercube over the ranges."""
    values = design(parameters, patients)
    return [
        (number, tuple(text for p, v in zip(parameters, row, strict=True) for text in p.overrides(float(v))))
        for number, row in enumerate(values, start=1)
    ]


def cohort_of(rows: Sequence[dict[str, str]]) -> Cohort:
    """Summarise the rows of a table."""
    responses = [
        Response(
            row["best"],
            row["controlled"] == "True",
            *(float(row[name]) for name in ("progression_min", "regrowth_min", "smallest")),
        )
        for row in rows
    ]
    return cohort(responses, [Gain(float(row["initial"]), float(row["gained"])) for row in rows])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the patients that are not in the table yet and print the distribution; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m experiments.virtual_patients", description=__doc__)
    parser.add_argument("scenario")
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--start", type=float, required=True, help="day on which treatment starts")
    parser.add_argument("--control", type=float, default=3.0, help="days without progression")
    parser.add_argument("--drug", help="default: the first that has a reference exposure")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("patients.csv"))
    options = parser.parse_args(arguments)
    scenario = load_scenario(options.scenario, options.overrides)
    drug = options.drug or next(name for name, d in scenario.drugs.items() if d.reference is not None)
    trial = Trial(
        options.scenario, tuple(options.overrides), drug, options.start * DAY, options.control * DAY
    )
    done = {int(row["patient"]) for row in read_rows(options.out)}
    jobs = [job for job in jobs_of(parameters_of(scenario), options.patients) if job[0] not in done]
    if jobs:
        append_rows(
            options.out, ("patient", *_COLUMNS), on_workers(partial(treat, trial), jobs, options.workers)
        )
    found = cohort_of(read_rows(options.out))
    for name, share in found.shares.items():
        print(f"{name}: {share:.0%}")
    low, high = found.control_interval
    print(f"disease control: {found.control:.0%} (95 % interval {low:.0%} to {high:.0%})")
    quartiles = ", ".join(
        "not seen" if math.isinf(t) else f"{t / DAY:.1f} d" for t in found.progression_quartiles
    )
    print(f"time to progression, quartiles: {quartiles}")
    print(f"of those who progress, resistant before treatment: {found.primary:.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
