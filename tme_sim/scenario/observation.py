"""How a run is observed: how resistance is measured, what is kept and how often."""

from __future__ import annotations

from pydantic import Field

from tme_sim.scenario.block import (
    Block,
    Distance,
    Duration,
    Every,
    PositivePressure,
    PositiveShare,
    Provenance,
    default,
)


class ResistanceSpec(Provenance):
    """How resistance and the hypoxic rim are measured."""

    normoxia: PositivePressure = default("40 mmHg", "Oxygen of the normoxic naive cell")
    rim_from_vessel: Distance = default("80 um", "Distance to the nearest vessel where the rim begins")
    threshold: PositiveShare = default(
        "0.5", "Share of the naive cell's log-kill below which a cell is resistant"
    )
    stain: PositivePressure = default("10 mmHg", "Oxygen of half-maximal virtual pimonidazole stain")
    every: Every = default("every 1 d", "How often it is measured")
    washout: Duration | None = Field(
        None, description="Drug-free time after the run that tells its classes apart; default: not told."
    )
    before: Duration | None = Field(
        None,
        description="Time that stands for the first dose of drugs that have not come by then: for arms without drug; "
        "default: none.",
    )


class RecordSpec(Block):
    """What is kept of a run, and how often."""

    measures: Every = default("every 1 h", "Time series")
    snapshots: Every = default("every 1 d", "Whole states")
