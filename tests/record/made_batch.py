"""A made batch: run files without a model, beside the manifest that the batch would write."""

from dataclasses import replace

import numpy as np

from tests.record.made_tissue import MadeModel, advance, made_tissue
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.record.manifest import sealed_manifest
from tme_sim.record.recorder import Recorder
from tme_sim.record.schedule import Every
from tme_sim.record.writer import write_run

ARMS, DOSES = ("control", "blocked"), ("1 nM", "10 nM")
KEY = "drugs.SN38.schedule.0.dose"


def made_batch(path, replicates=3, steps=10, n=12, merged=True, doses=DOSES, codes=None):
    """Write a batch of two arms and two doses; blocked loses tumour cells, each replicate has its own offset.

    ``codes(arm, replicate)`` gives the classes of resistance of the tumour cells of a run, None without a washout.
    """
    folder = Folder(path)
    folder.run_file("x").parent.mkdir(parents=True)
    runs = []
    for replicate in range(replicates):
        for arm in ARMS:
            for dose in doses:
                run_id = f"{len(runs):032x}"
                runs.append(
                    {"index": len(runs), "arm": arm, "point": {KEY: dose} if dose else {}, "replicate": replicate,
                     "seed": replicate + 1, "run_id": run_id}
                )  # fmt: skip
                write_made(folder.run_file(run_id), run_id, replicate, arm, steps, n, codes)
    manifest = {
        "plan_id": "f" * 32, "experiment": "made", "title": "A made batch", "scenario": "made", "control": "control",
        "settings": {"grid.size": "[240 um, 240 um]"},
        "arms": {"control": {}, "blocked": {"interventions.block.active": "true"}},
        "converge": {}, "tolerance": 0.05, "report": ["tumour_cells"],
        "interval_min": 12.0, "duration_min": 6.0 * steps, "runs": runs,
    }  # fmt: skip
    folder.manifest.write_bytes(sealed_manifest(manifest))
    if merged:
        merge(folder)
    return folder


def write_made(path, run_id, replicate, arm, steps, n, codes=None):
    model = MadeModel(made_tissue(n=n, seed=replicate), seed=replicate + 1)
    if codes is not None and codes(arm, replicate) is not None:
        model.classes = {"SN38": classes_of(codes(arm, replicate), np.nan if arm == "control" else 1440.0)}
    recorder = Recorder(Every(12.0), Every(6.0 * steps))
    recorder.start(model)
    for step in range(steps):
        advance(model.tissue)
        if arm == "blocked" and step == steps // 2:
            alive = np.flatnonzero(model.tissue.cells.of_type("tumour"))
            model.tissue.cells["death"][alive[: 4 + replicate]] = 1
        recorder.observe(model.tissue)
    recording = replace(recorder.finish(), run_id=run_id)
    write_run(recording, path, force=True)


def classes_of(codes, first_dose_min):
    """Return what a model gives as classes of one drug."""
    ids = np.arange(len(codes), dtype=np.int64)
    codes = np.array(codes, np.int8)
    first = np.array(first_dose_min)
    return {"id": ids, "founder": ids, "code": codes, "first_dose_min": first, "before_min": first}
