"""Opens a batch, its folder or its merged file, as a design table and labelled arrays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import pandas as pd
import xarray as xr

from tme_sim.record.classes import count_classes
from tme_sim.record.manifest import told_of_plan
from tme_sim.record.reader import Run, open_group, verify
from tme_sim.record.seal import RunFileError
from tme_sim.record.shard import Shard, shards_in
from tme_sim.record.shards import Manifest, read_manifest, read_shards

__all__ = ["Batch", "is_batch", "open_batch"]

DONE = "done"
_DEFAULT = "resistant_fraction"


def open_batch(path: Path | str) -> Batch:
    """Open the folder of a batch, or its ``results.h5``; close it or use it in a ``with`` block.

    A folder is read from its ``results.h5`` where that is whole and holds every finished run, else from the run files
    themselves; without a whole manifest from ``results.h5`` alone. Files that are damaged are named in
    `Batch.skipped` and left out.

    Raises
    ------
    RunFileError
        When ``path`` is a file that is foreign, truncated, damaged or one run, or a folder without a batch or without
        a single whole run.
    FileNotFoundError
        When nothing is there.
    """
    path = Path(path)
    if not path.is_dir():
        return _from_merged(path, None)
    skipped: list[str] = []
    merged = path / "results.h5"
    if not (path / "batch.json").exists() and merged.exists():
        return _from_merged(merged, path)
    try:
        manifest = read_manifest(path)
    except RunFileError as error:
        if not merged.exists():
            raise
        batch = _from_merged(merged, path)
        batch._skip(str(error))
        return batch
    if merged.exists():
        try:
            batch = _from_merged(merged, path)
        except (RunFileError, OSError) as error:
            skipped.append(str(error))
        else:
            missing = manifest.finished() - set(batch.finished["run_id"])
            if batch.attributes.get("plan_id") == manifest.told["plan_id"] and not missing:
                return batch
            batch.close()
            skipped.append(f"{merged}: lacks {len(missing)} finished runs; read from the run files instead")
    return _from_shards(manifest, skipped)


def is_batch(path: Path) -> bool:
    """Return whether a path is meant to be a batch: a folder, or a merged file; a damaged file counts as none."""
    try:
        if path.is_dir():
            return True
        with h5py.File(path, "r", locking="best-effort") as file:
            return file.attrs.get("kind") in ("batch", b"batch")
    # What h5py raises depends on the place of the damage.
    except (OSError, KeyError, ValueError, RuntimeError):
        return False


class Batch:
    """A batch, read only: one row per planned run, in the order of the experiment.

    Attributes
    ----------
    path : Path
        Folder or merged file.
    design : DataFrame
        By run: ``arm``, ``replicate``, ``seed``, ``run_id``, ``status``, ``failure``, and one column per swept key;
        ``.attrs["units"]`` maps swept keys to units.
    keys : tuple of str
        Swept keys.
    timeseries : Dataset
        One variable (run, time) per measure, read when it is used; ``time`` in minutes, nan after a run's end.
    ends : Dataset
        One variable (run) per measure: its value at the end of each run; ``ended`` says when that was, min.
    attributes : dict
        ``experiment``, ``title``, ``scenario``, ``control``, ``source``, ``numerics_version`` and the like.
    skipped : tuple of str
        What was left out, and why.
    """

    def __init__(
        self,
        path: Path,
        design: pd.DataFrame,
        keys: Sequence[str],
        timeseries: xr.Dataset,
        ends: xr.Dataset,
        attributes: dict[str, Any],
        *,
        skipped: Sequence[str] = (),
        folder: Path,
        on_close: Sequence[Callable[[], Any]] = (),
    ):
        self.path = path
        self.design = design
        self.keys = tuple(keys)
        self.timeseries = timeseries
        self.ends = ends
        self.attributes = attributes
        self._skipped = list(skipped)
        self._folder = folder
        self._on_close = on_close

    def __enter__(self) -> Batch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every file; what was read stays usable."""
        for close in self._on_close:
            close()

    @property
    def skipped(self) -> tuple[str, ...]:
        """What was left out, and why."""
        return tuple(self._skipped)

    @property
    def control(self) -> str:
        """Name of the control arm, the first of the experiment."""
        return str(self.attributes["control"])

    @property
    def arms(self) -> tuple[str, ...]:
        """Arms, the control first."""
        return tuple(dict.fromkeys(self.design["arm"]))

    @property
    def changes(self) -> dict[str, dict[str, str]] | None:
        """What each arm changes of the scenario, settings by key; None in batches of versions that did not say."""
        return self.attributes.get("arms")

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of all measures."""
        return tuple(str(name) for name in self.timeseries.data_vars)

    @property
    def units(self) -> dict[str, str]:
        """Unit by measure and swept key."""
        of_measures = {name: str(self.timeseries[name].attrs.get("units", "1")) for name in self.measures}
        return {**self.design.attrs["units"], **of_measures}

    @property
    def long_names(self) -> dict[str, str]:
        """Meaning by measure."""
        return {name: str(self.timeseries[name].attrs.get("long_name", name)) for name in self.measures}

    @property
    def reported(self) -> tuple[str, ...]:
        """Measures that the experiment reports: those it names, else all resistant fractions, else tumour cells."""
        named = tuple(name for name in self.attributes.get("report") or () if name in self.measures)
        fractions = tuple(name for name in self.measures if name.startswith(_DEFAULT))
        return named or fractions or tuple(name for name in self.measures if name == "tumour_cells")

    @property
    def finished(self) -> Any:
        """The design of the runs that are done, a DataFrame."""
        return self.design[self.design["status"] == DONE]

    def table(self, measures: Sequence[str] | None = None) -> Any:
        """Return a DataFrame, one row per finished run: ``arm``, ``replicate``, swept keys, measures at the end.

        Parameters
        ----------
        measures : sequence of str, optional
            Default: those the experiment reports.

        Raises
        ------
        KeyError
            When there is no such measure.
        """
        chosen = list(measures if measures is not None else self.reported)
        unknown = [name for name in chosen if name not in self.ends]
        if unknown:
            raise KeyError(f"{self.path}: no measure {', '.join(unknown)}; known: {', '.join(self.measures)}")
        table = self.finished[["arm", "replicate", *self.keys]].copy()
        for name in chosen:
            table[name] = self.ends[name].to_numpy()[table.index]
        table.attrs["units"] = {name: self.units.get(name, "1") for name in (*self.keys, *chosen)}
        return table

    @cached_property
    def classes(self) -> Any:
        """Cells by class of resistance, a DataFrame: one row per finished run, drug and class, by number of the run.

        Columns: ``arm``, ``replicate``, ``seed``, ``run_id``, ``drug``, ``class``, ``cells``, ``first_dose_min`` (nan
        where the drug never came). Empty without a washout. Read from the run files, when it is first asked for;
        damaged ones are left out and named in `skipped`.

        Raises
        ------
        RunFileError
            When none of the run files is there.
        """
        if len(self.finished) and shards_in(self._folder).keys().isdisjoint(self.finished["run_id"]):
            raise RunFileError(
                f"{self.path}: classes of resistance are in the run files alone, and none of them is in "
                f"{self._folder}; expected the folder of the batch, with its runs/ or bundles/"
            )
        return count_classes(self.finished, self.keys, self.opened)

    def runs(self) -> Iterator[tuple[int, Run]]:
        """Yield number and open file of every finished run, one at a time; damaged ones are named in `skipped`."""
        for number in self.finished.index:
            run = self.opened(int(number))
            if run is not None:
                with closing(run):
                    yield int(number), run

    def opened(self, number: int) -> Run | None:
        """Open the file of one run as `open_run` does; None where it is missing or damaged, named in `skipped`."""
        try:
            return self.open_run(number)
        except (RunFileError, OSError) as error:
            self._skip(str(error))
            return None

    def open_run(self, number: int) -> Run:
        """Open the file of one run, to be closed by the caller.

        Raises
        ------
        RunFileError
            When it is damaged.
        FileNotFoundError
            When it is not beside the merged file.
        """
        run_id = str(self.design["run_id"][number])
        shard = shards_in(self._folder).get(run_id, Shard(run_id, self._folder / "runs" / f"{run_id}.h5"))
        return shard.run()

    def _skip(self, what: str) -> None:
        if what not in self._skipped:
            self._skipped.append(what)


def _from_merged(path: Path, folder: Path | None) -> Batch:
    verify(path)
    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            attributes = {
                name: value.decode() if isinstance(value, bytes) else value
                for name, value in file.attrs.items()
            }
            if attributes.get("kind") != "batch":
                raise RunFileError(f"{path}: holds one run; expected a batch, use open_run")
            # Files of earlier versions have no such group: the manifest beside them says some of it.
            attributes |= json.loads(_plan(file)) if "experiment" in file else _of_manifest(folder)
    except OSError as error:
        raise RunFileError(f"{path}: cannot be read as HDF5: {error}") from error
    groups = {name: open_group(path, name) for name in ("design", "parameters", "timeseries", "end")}
    keys = [str(name) for name in groups["parameters"].data_vars]
    columns = ["arm", "replicate", "seed", "run_id", "status", "failure"]
    told = {name: groups["design"][name] for name in columns} | {
        key: groups["parameters"][key] for key in keys
    }
    design = pd.DataFrame({name: column.to_numpy() for name, column in told.items()})
    design.index.name = "run"
    design.attrs["units"] = {key: str(groups["parameters"][key].attrs.get("units", "1")) for key in keys}
    return Batch(
        path,
        design,
        keys,
        groups["timeseries"],
        groups["end"].load(),
        attributes,
        folder=folder if folder is not None else path.parent,
        on_close=[group.close for group in groups.values()],
    )


def _plan(file: Any) -> bytes:
    return file["experiment/json"][0]


def _of_manifest(folder: Path | None) -> dict[str, Any]:
    """Return what the manifest of a folder says of the plan; nothing where there is none that is whole."""
    try:
        return told_of_plan(read_manifest(folder).told) if folder is not None else {}
    except RunFileError:
        return {}


def _from_shards(manifest: Manifest, skipped: list[str]) -> Batch:
    shards = read_shards(manifest)
    if DONE not in set(shards.design["status"]):
        raise RunFileError("\n".join([f"{manifest.folder}: no finished run that is whole", *shards.skipped]))
    return Batch(
        manifest.folder,
        shards.design,
        manifest.keys,
        shards.timeseries,
        shards.ends,
        {**manifest.told, **shards.attributes},
        skipped=[*skipped, *shards.skipped],
        folder=manifest.folder,
    )
