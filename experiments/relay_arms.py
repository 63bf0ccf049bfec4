"""The arms of the relay study: one scene, named overrides per arm, what is read at the end of a run.

``python -m experiments.relay_arms --seeds 30 --out docs/relay`` runs the arms at the defaults of
`configs/s0_relay.yaml` on a reduced grid, writes ``relay_arms.csv``, one row per arm and seed, and prints
a table of means. Finished rows are kept when it is started again.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tme_sim.measures.measure import evaluate
from tme_sim.measures.registry import measures_for
from tme_sim.measures.resistance import Assessment, assessment, rim
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.numerics.jit import set_threads
from tme_sim.scenario.load import load_scenario

SCENARIO = "s0_relay"
DRUG = "SN38"

# No drug is given: resistance is the response to the reference exposure, worked out for the state of each cell.
SCENE = ("drugs.SN38.schedule=[]", "stop=[extinct]")


def scene(
    size_mm: float = 1.0, nodule_um: float = 250.0, days: float = 5.0, step_min: float = 12.0
) -> tuple[str, ...]:
    """Return the overrides that shrink the flagship and leave every rule and rate at its default."""
    return (
        *SCENE,
        f"grid.size=[{size_mm:g} mm, {size_mm:g} mm]",
        f"tissue.tumour.nodules=[{{centre: middle, radius: {nodule_um:g} um, filling: 90 %}}]",
        f"time={{step: {step_min:g} min, duration: {days:g} d}}",
    )


BLOCKED = "interventions.block_exosomes.active=true"
INTERVENTIONS = {
    "relay": (),
    "exosomes blocked": (BLOCKED,),
    "anti-IL-6": ("interventions.anti_il6.active=true",),
    "LDHB knock-down": ("interventions.ldhb_knockdown.active=true",),
}


def uniform_oxygen(mmhg: float) -> tuple[str, ...]:
    """Return overrides that mix oxygen so fast that the whole tissue has the level of the vessels."""
    return ("fields.oxygen.diffusion=1e7 um^2/s", f"fields.oxygen.vessel.value={mmhg:g} mmHg")


def conditioned_medium(ng_ml: float, mmhg: float) -> tuple[str, ...]:
    """Return overrides for cells at clamped oxygen in medium with IL-6, without any help of vesicles."""
    medium = (f"fields.il6.vessel.value={ng_ml:g} ng/mL", "fields.il6.vessel.exchange=1 /min")
    return (BLOCKED, *medium, *uniform_oxygen(mmhg))


# Rule 1 of the merged scenario: oxygen lets tumour cells enter the cycle. With this half-max all cells cycle alike.
CYCLE_BLIND = ("rules.1.half_max=1e-6 mmHg",)

# A corner inside the documented ranges in which oxygen does not run short and ATP acts steeply (rule 16).
RICH = ("fields.oxygen.vessel.value.value=60 mmHg", "rules.16.hill.value=6")

CONTROLS = {
    "gain 0": ("cargo.pERK.gain.value=0", "cargo.pAKT.gain.value=0"),
    "empty vesicles": ("vesicles.tumour_normoxic_exosome.cargo={pERK: 0, pAKT: 0}",),
    "hypoxic gate": ("hypotheses.stat3_gate=hypoxic",),
    "relay, cycle blind to oxygen": CYCLE_BLIND,
    "exosomes blocked, cycle blind to oxygen": (*CYCLE_BLIND, BLOCKED),
    "relay, rich in oxygen": RICH,
    "exosomes blocked, rich in oxygen": (*RICH, BLOCKED),
    **{
        f"{name}, uniform {mmhg} mmHg": (*arm, *uniform_oxygen(mmhg))
        for mmhg in (40, 15, 8)
        for name, arm in (("relay", ()), ("exosomes blocked", (BLOCKED,)))
    },
    **{
        f"IL-6 {ng_ml} ng/mL, clamped {mmhg} mmHg": conditioned_medium(ng_ml, mmhg)
        for mmhg in (40, 8, 4)
        for ng_ml in (0, 5)
    },
}
ARMS = {**INTERVENTIONS, **CONTROLS}

_MEASURES = {
    "resistant_rim": f"resistant_fraction_rim_{DRUG}",
    "resistant": f"resistant_fraction_{DRUG}",
    "resistant_own_oxygen_rim": f"resistant_fraction_own_oxygen_rim_{DRUG}",
    "ratio": f"mean_resistance_{DRUG}",
    "stat3": "tumour_STAT3",
    "atp": "tumour_ATP",
    "il6_ng_ml": "il6_at_tumour",
    "activation": "hsc_activation",
    "oxygen_mmhg": "oxygen_at_tumour",
    "rim_cells": "rim_cells",
    "tumour_cells": "tumour_cells",
}
_IN_RIM = {
    "ratio_rim": "ratio",
    "ratio_own_oxygen_rim": "ratio_own_oxygen",
    "ratio_cellular_rim": "ratio_cellular",
    "ratio_kinetic_rim": "ratio_kinetic",
}
READOUTS = (*_MEASURES, *_IN_RIM, "stat3_rim", "atp_rim", "oxygen_rim_mmhg", "naive_survival")


def readout(model: TumorMicroenvironment) -> dict[str, float]:
    """Return what the study reads at the end of a run: over the tumour, and over its rim."""
    tissue, context = model.tissue, replace(model.measure_context, complete=True).fresh()
    known = measures_for(tissue.layout)
    values = evaluate({name: known[measure] for name, measure in _MEASURES.items()}, tissue, context)
    found = assessment(tissue, context, DRUG)
    if found is None:
        raise ValueError(
            f"{model.config.scenario}: no reference exposure of {DRUG}; expected one under drugs"
        )
    return values | _of_rim(model, found, rim(tissue, context))


def _of_rim(model: TumorMicroenvironment, found: Assessment, inside: np.ndarray) -> dict[str, float]:
    tissue, rows = model.tissue, found.rows[inside]
    layout = tissue.layout

    def average(values: np.ndarray) -> float:
        return float(values.mean()) if values.size else float("nan")

    out = {name: average(getattr(found, attribute)[inside]) for name, attribute in _IN_RIM.items()}
    variables = tissue.cells["variables"][rows]
    oxygen = tissue.fields[..., layout.fields.index("oxygen")].reshape(-1)[tissue.cells["site"][rows]]
    return out | {
        "stat3_rim": average(variables[:, layout.variables.index("STAT3")]),
        "atp_rim": average(variables[:, layout.variables.index("ATP")]),
        "oxygen_rim_mmhg": average(oxygen),
        "naive_survival": found.naive_survival,
    }


def run_arm(arm: str, seed: int, overrides: Sequence[str]) -> dict[str, float]:
    """Run one arm at one seed to its end and return its `readout`."""
    model = TumorMicroenvironment(load_scenario(SCENARIO, (*overrides, *ARMS[arm])), rng=seed)
    while model.running:
        model.step()
    return readout(model)


def on_workers[Job, Row](run: Callable[[Job], Row], jobs: Sequence[Job], workers: int) -> Iterator[Row]:
    """Yield ``run(job)`` for all jobs as they end, on processes of one thread each."""
    with multiprocessing.get_context("spawn").Pool(workers, initializer=set_threads, initargs=(1,)) as pool:
        yield from tqdm(
            pool.imap_unordered(run, jobs), total=len(jobs), file=sys.stderr, unit="run", mininterval=10
        )


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, none where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def append_rows(path: Path, columns: Sequence[str], rows: Iterable[dict[str, object]]) -> None:
    """Append rows to a CSV file as they come, header first in a new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.is_file()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        if new:
            writer.writeheader()
        for row in rows:
            writer.writerow({key: f"{v:.9g}" if isinstance(v, float) else v for key, v in row.items()})
            file.flush()


def _run(job: tuple[str, int, tuple[str, ...]]) -> dict[str, object]:
    arm, seed, overrides = job
    return {"arm": arm, "seed": seed, **run_arm(arm, seed, overrides)}


_COLUMNS = (
    "resistant_rim",
    "resistant_own_oxygen_rim",
    "ratio_rim",
    "ratio_cellular_rim",
    "ratio_kinetic_rim",
    "oxygen_rim_mmhg",
    "atp_rim",
    "stat3_rim",
    "il6_ng_ml",
    "activation",
)


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a table: per arm mean and standard deviation over seeds, pairs below the relay at the same seed."""
    relay = {row["seed"]: float(row["resistant_rim"]) for row in rows if row["arm"] == "relay"}
    lines = [
        " | ".join(("arm", "seeds", "pairs below the relay", *_COLUMNS)),
        " | ".join("---" for _ in range(13)),
    ]
    for arm in dict.fromkeys(row["arm"] for row in rows):
        own = [row for row in rows if row["arm"] == arm]
        below = sum(float(row["resistant_rim"]) < relay[row["seed"]] for row in own)
        cells = [arm, str(len(own)), f"{below} of {len(own)}"]
        for column in _COLUMNS:
            values = np.array([float(row[column]) for row in own])
            cells.append(f"{values.mean():.3f} ± {values.std(ddof=1) if len(values) > 1 else 0.0:.3f}")
        lines.append(" | ".join(cells))
    return "\n".join(f"| {line} |" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all arms; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m experiments.relay_arms", description=__doc__)
    parser.add_argument(
        "--seeds", type=int, default=30, help="paired seeds of the interventions and the gate"
    )
    parser.add_argument("--control-seeds", type=int, default=10, help="seeds of the other controls")
    parser.add_argument("--step-min", type=float, default=12.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("docs/relay"), help="folder of relay_arms.csv")
    options = parser.parse_args(arguments)
    path = options.out / "relay_arms.csv"
    done = {(row["arm"], int(row["seed"])) for row in read_rows(path)}
    wanted = [
        (arm, seed)
        for arm in (*INTERVENTIONS, "hypoxic gate", *CONTROLS)
        for seed in range(
            1, 1 + (options.seeds if arm in (*INTERVENTIONS, "hypoxic gate") else options.control_seeds)
        )
    ]
    overrides = scene(step_min=options.step_min)
    jobs = [(arm, seed, overrides) for arm, seed in dict.fromkeys(wanted) if (arm, seed) not in done]
    append_rows(path, ("arm", "seed", *READOUTS), on_workers(_run, jobs, options.workers) if jobs else ())
    print(markdown(read_rows(path)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
