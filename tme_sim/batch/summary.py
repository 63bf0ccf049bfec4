"""What a batch says in a few lines: means per arm and point, classes of resistance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
import pandas as pd

from tme_sim.batch.folder import Folder
from tme_sim.record.classes import count_classes
from tme_sim.record.reader import Run
from tme_sim.record.seal import RunFileError

_DEFAULT = "resistant_fraction"
_MOST_ROWS, _MOST_KEYS = 40, 6


def ends_of(folder: Folder, measures: Sequence[str] | None = None) -> Any:
    """Return one row per finished run: arm, replicate, swept settings as written, measures at its end."""
    with h5py.File(folder.results, "r", locking="best-effort") as file:
        group: Any = file["end"]
        chosen = [name for name in measures or reported(folder) if name in group]
        values = {name: group[name][()] for name in chosen}
        finished = np.isfinite(group["ended"][()])
    table = pd.DataFrame([{"arm": e.arm, "replicate": e.replicate, **e.point} for e in folder.entries()])
    for name in chosen:
        table[name] = values[name]
    return table[finished]


def reported(folder: Folder) -> list[str]:
    """Return the measures that the experiment reports: those it names, else all resistant fractions."""
    named = folder.read_manifest()["report"]
    if named:
        return list(named)
    with h5py.File(folder.results, "r", locking="best-effort") as file:
        group: Any = file["end"]
        found = [name for name in group if name.startswith(_DEFAULT)]
    return found or ["tumour_cells"]


def table_of(folder: Folder) -> Any:
    """Return means over replicates by arm and point, with the number of runs ``n``; by arm alone for many points."""
    ends = ends_of(folder)
    swept = swept_keys(folder)
    keys = ["arm", *swept]
    measures = [name for name in ends if name not in (*keys, "replicate")]
    if len(swept) > _MOST_KEYS or len(ends[keys].drop_duplicates()) > _MOST_ROWS:
        keys = ["arm"]
    grouped: Any = ends.groupby(keys, sort=False, dropna=False)
    return grouped[measures].mean().assign(n=grouped.size()).reset_index()


def swept_keys(folder: Folder) -> list[str]:
    """Return the swept keys, in order."""
    return list(dict.fromkeys(key for entry in folder.entries() for key in entry.point))


def classes_of(folder: Folder) -> tuple[Any, list[str]]:
    """Return the classes of resistance as `count_classes` does, and what is wrong with files that are left out.

    Without the merged file, which takes long to open where it holds many measures.
    """
    shards, faults = folder.shards(), []
    done = {i: entry for i, entry in enumerate(folder.entries()) if entry.run_id in shards}

    def opened(number: int) -> Run | None:
        try:
            return shards[done[number].run_id].run()
        except (RunFileError, OSError) as error:
            faults.append(str(error))
            return None

    rows = [
        {"arm": e.arm, "replicate": e.replicate, "seed": e.seed, "run_id": e.run_id, **e.point}
        for e in done.values()
    ]
    design = pd.DataFrame(rows, index=pd.Index(list(done), name="run"))
    return count_classes(design, [key for key in swept_keys(folder) if key in design], opened), faults
