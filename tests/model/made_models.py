"""Small real models, and parts that a user registers from outside the package."""

import mesa
import numpy as np

from tme_sim import TumorMicroenvironment
from tme_sim.measures.measure import CellColumn, Measure

SMALL = (
    "grid.size=[400 um, 400 um]",
    "tissue.tumour.nodules=[{centre: middle, radius: 100 um, filling: 90 %}]",
    "time.duration=12 h",
)
# A drug that comes soon and kills, so that a short run sees births, deaths and hops.
TREATED = (
    *SMALL,
    "drugs.SN38.schedule=[{dose: 200 nM, from: 1 h, for: 12 h, every: 7 d, times: 1}]",
    "cells.tumour.base.death from SN38=0.5 /h",
)

PLAIN = """\
scenario: plain
title: A nodule that grows
grid: {size: [400 um, 400 um], spacing: 20 um}
time: {step: 6 min, duration: 1 d}
seed: 3
variables:
  HIF: {time: 2 h, source: assumed, why: test}
fields:
  oxygen: {unit: mmHg, diffusion: 2000 um^2/s, solve: steady, half_saturation: 1 mmHg, background_uptake: 5 mmHg/s,
           start: 30 mmHg, boundary: {x_low: 40 mmHg}, source: assumed, why: test}
cells:
  tumour:
    base: {HIF: 0.2, cycle entry: 0.1 /h, apoptosis: 0.001 /h, migration: 0.05 um/min, uptake oxygen: 10 mmHg/s}
    cycle: {S: 2 h, G2M: 1 h}
    source: assumed
    why: test
tissue:
  tumour: {nodules: [{centre: middle, radius: 60 um, filling: 100 %}]}
record: {measures: every 1 h, snapshots: every 1 d}
"""


def small(*overrides, rng=None, processes=()):
    """Return the flagship on 20×20 sites."""
    return TumorMicroenvironment("s0_relay", [*SMALL, *overrides], rng=rng, processes=processes)


def treated(*overrides, rng=None, processes=()):
    """Return the flagship on 20×20 sites under a strong drug."""
    return TumorMicroenvironment("s0_relay", [*TREATED, *overrides], rng=rng, processes=processes)


class BatchModel(TumorMicroenvironment):
    """The flagship as a Mesa user writes a model: explicit parameters and a data collector."""

    def __init__(self, hours=1, rng=None):
        super().__init__("s0_relay", [*SMALL, f"time.duration={hours} h"], rng=rng)
        self.datacollector = mesa.DataCollector(model_reporters={"cells": count_cells, "mean_HIF": mean_hif})


def count_cells(model):
    return len(model.cells)


def mean_hif(model):
    return model.cells.agg("HIF", np.mean)


class Nanorobot(mesa.Agent):
    """An ordinary agent that gives drug where it stands."""

    def __init__(self, model, pos, dose=5.0):
        super().__init__(model)
        self.pos, self.dose = pos, dose

    def step(self):
        self.model.supply("SN38", self.pos, self.dose)


class Ageing:
    """A user's process: it owns one number per run, the minutes that all cells have lived."""

    name = "ageing"
    reads = ("cells.death",)
    writes = ("lived",)

    def __init__(self):
        self.lived_min = 0.0

    def step(self, tissue, context):
        self.lived_min += int(tissue.cells.alive().sum()) * context.dt_min


class Silencer:
    """A user's process that changes what cells hold: it quenches HIF, after pathways have set it."""

    name = "silencer"
    reads = ("cells.type",)
    writes = ("HIF of a silenced cell",)

    def step(self, tissue, context):
        tissue.cells.column("HIF")[:] = 0.0


def make_ageing(scenario):
    return [Ageing()] if "tumour" in scenario.cells else []


def starving(tissue, context):
    rows = context.tumour_rows(tissue)
    return float(np.mean(tissue.cells.column("ATP")[rows] < 0.5)) if len(rows) else float("nan")


STARVING = Measure("starving_share", "1", "Share of tumour cells with ATP below one half", starving)
DEBT = CellColumn("debt", "1", "One minus ATP", lambda tissue, context: 1.0 - tissue.cells.column("ATP"))


def state_of(model):
    """Return everything of a tissue that must agree, cells by id."""
    tissue, cells = model.tissue, model.tissue.cells
    order = np.argsort(cells["id"])
    return {
        **{name: cells[name][order] for name in cells.names},
        "fields": tissue.fields,
        "pools": tissue.pools,
        "vessel": tissue.vessel,
        "plasma": tissue.plasma,
        "ledger": np.concatenate([part.ravel() for part in vars(tissue.ledger).values()]),
        "births": tissue.events.table("births"),
        "deaths": tissue.events.table("deaths"),
    }


def unequal(a, b):
    """Return the names of the parts of two models that are not byte-equal."""
    left, right = state_of(a), state_of(b)
    return [name for name in left if left[name].tobytes() != right[name].tobytes()]
