"""The report of one run."""

from __future__ import annotations

import numpy as np

from tme_sim.analysis.figures.flow import short
from tme_sim.analysis.report.opened import OpenedRun
from tme_sim.analysis.report.page import Chapter, Report
from tme_sim.analysis.report.run_cells import attribution, populations, resistance
from tme_sim.analysis.report.run_lineage import lineages
from tme_sim.analysis.report.run_matter import drugs, vesicles
from tme_sim.analysis.report.run_patterns import neighbourhoods
from tme_sim.analysis.report.run_space import fields, profiles, tissue
from tme_sim.analysis.report.settings import settings
from tme_sim.record.reader import Run


def report_of_run(run: Run) -> Report:
    """Return the report of an open run; figures are made one by one as it is written."""
    opened = OpenedRun(run)
    end_day = float(opened.series_days[-1])
    identity = {"file": run.path.name, "run": run.run_id, "seed": run.seed, "simulated": f"{end_day:g} d"}
    return Report(
        title=run.title or run.path.stem,
        subtitle=f"Report of {run.path.name}: {end_day:.4g} days{_of_scenario(opened)}, seed {run.seed}, "
        f"{run.attributes['source']}.",
        facts=_facts(opened),
        warnings=_warnings(opened),
        chapters=(
            Chapter("Tissue", "", tissue(opened)),
            Chapter("Fields", "What the cells live in.", fields(opened)),
            Chapter("Profiles", "How the tissue changes with distance.", profiles(opened)),
            Chapter("Populations", "", populations(opened)),
            Chapter("Neighbourhoods", "", neighbourhoods(opened)),
            Chapter(
                "Resistance",
                "Measured cell by cell against a naive cell; never a label of the model.",
                resistance(opened),
            ),
            Chapter(
                "What carries resistance",
                "Each route's share in the protection of the resistant cells.",
                attribution(opened),
            ),
            Chapter("Vesicles", "", vesicles(opened)),
            Chapter("Drug exposure", "", drugs(opened)),
            Chapter("Lineages", "", lineages(opened)),
            Chapter(
                "Settings and evidence",
                "Everything needed to make this run again.",
                settings(run, opened.scenario, identity),
            ),
        ),
    )


def _of_scenario(opened: OpenedRun) -> str:
    return f" of the scenario {opened.scenario.scenario}" if opened.scenario is not None else ""


def _warnings(opened: OpenedRun) -> list[str]:
    out = ["This is one run. How much of it is chance shows only in replicates: see tme-sim batch."]
    if len(opened.run.snapshot_minutes) < 2:
        out.append("The file holds one snapshot only: maps through time and the film are left out.")
    if opened.scenario is None:
        out.append(
            "This version of tme-sim cannot read the scenario in the file: thresholds are the "
            "defaults, assumed numbers are not listed."
        )
    if opened.run.grid.shape[0] > 1:
        out.append("The tissue is three-dimensional; maps show its middle plane, numbers the whole of it.")
    return out


def _facts(opened: OpenedRun) -> list[tuple[str, str, str]]:
    out = []
    cells, diameter = opened.series("tumour_cells"), opened.series("tumour_diameter")
    if cells is not None:
        out.append(("Tumour cells", f"{cells[-1]:,.0f}", f"{cells[0]:,.0f} at the start"))
    if diameter is not None:
        out.append(("Tumour diameter", f"{diameter[-1]:,.0f} µm", f"{diameter[0]:,.0f} µm at the start"))
    hypoxic = opened.series("hypoxic_share_10")
    if hypoxic is not None:
        out.append(("Below 10 mmHg oxygen", f"{hypoxic[-1]:.0%}", "of tumour cells at the end"))
    for drug in opened.drugs:
        shares = [
            _last(opened.series(f"resistant_fraction{niche}_{drug}")) for niche in ("", "_rim", "_perfused")
        ]
        note = ", ".join(
            f"{word} {share:.0%}"
            for word, share in zip(("rim", "near vessels"), shares[1:], strict=True)
            if np.isfinite(share)
        )
        if np.isfinite(shares[0]):
            out.append((f"Resistant to {drug}", f"{shares[0]:.0%}", note))
    pools = opened.run.layout.pools
    released = sum(_last(opened.series(f"{pool}_released")) for pool in pools)
    taken = sum(_last(opened.series(f"{pool}_internalised")) for pool in pools)
    if pools and released > 0.0:
        out.append(("Vesicles released", short(released), f"{taken / released:.0%} taken up"))
    return out


def _last(values: np.ndarray | None) -> float:
    seen = values[np.isfinite(values)] if values is not None else np.zeros(0)
    return float(seen[-1]) if len(seen) else float("nan")
