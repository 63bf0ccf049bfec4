"""Writes a run or a batch as tables that R reads without arguments: UTF-8, commas, NA, one header line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tme_sim.record.seal import RunFileError

if TYPE_CHECKING:
    from tme_sim.record.batch_reader import Batch
    from tme_sim.record.reader import Run

_EVENTS = ("births", "deaths", "transitions", "switches")


def write(run: Run, out: Path, minutes: float | None = None) -> None:
    """Write the tables of a run into a new folder.

    ``timeseries``, ``columns`` (unit and meaning of every column of the others), ``cells``, ``sites`` (fields, vesicles
    and vessels), ``births``, ``deaths``, ``transitions``, ``flux``, ``rules``. Cells and sites are those of one
    snapshot.

    Parameters
    ----------
    minutes : float, optional
        The nearest snapshot is taken; default: the last.
    """
    out.mkdir()
    series = run.timeseries
    _put(series.reset_index(), out, "timeseries")
    cells, sites = run.cells(minutes), _sites(run, minutes)
    at = float(run.snapshot_minutes[run.snapshot_index(minutes)])
    for name, frame in (("cells", cells), ("sites", sites)):
        _put(frame.assign(time_min=at), out, name)
    for name in _EVENTS:
        try:
            events = run.events(name)
        except RunFileError:  # a run without clones has no switches
            continue
        _put(events.rename(columns={"minutes": "time_min"}), out, name)
    _put(run.flux_at(minutes), out, "flux")
    _put(run.rules, out, "rules")
    about = [("timeseries", series), ("cells", cells), ("sites", sites)]
    rows = [
        {"table": table, "column": name, "unit": frame.attrs["units"][name], "meaning": meaning}
        for table, frame in about
        for name, meaning in frame.attrs["long_names"].items()
    ]
    _put(pd.DataFrame(rows), out, "columns")


def write_batch(batch: Batch, out: Path, measures: Sequence[str] | None = None) -> None:
    """Write the tables of a batch into a new folder.

    ``runs`` (one row per run: arm, replicate, seed, status, swept keys, every measure at its end), ``timeseries`` (one
    row per finished run and time, written run by run) and ``columns``.

    Parameters
    ----------
    measures : sequence of str, optional
        Columns of ``timeseries``; default: those the experiment reports.
    """
    out.mkdir()
    ends = batch.ends.to_dataframe()
    _put(batch.design.join(ends).reset_index(), out, "runs")
    chosen = list(measures if measures is not None else batch.reported)
    minutes = batch.timeseries["time"].to_numpy()
    for first, number in enumerate(batch.finished.index):
        part = batch.timeseries[chosen].isel(run=int(number)).load()
        frame = pd.DataFrame({name: part[name].to_numpy() for name in chosen})
        frame.insert(0, "time_min", minutes)
        for at, name in enumerate(("arm", "replicate", *batch.keys)):
            frame.insert(at, name, batch.design[name].loc[number])
        _put(frame.dropna(how="all", subset=chosen), out, "timeseries", more=first > 0)
    units, meanings = batch.units, batch.long_names
    rows = [
        {"column": _syntactic(name), "unit": units[name], "meaning": meanings.get(name, name)}
        for name in units
    ]
    _put(pd.DataFrame(rows), out, "columns")


def _sites(run: Run, minutes: float | None) -> pd.DataFrame:
    """Return one row per site: position, fields, free vesicles, perfusion and distance to a vessel."""
    grid = run.grid
    x, y, z = grid.positions_um(np.arange(grid.n_sites)).T
    columns: dict[str, Any] = {"site": np.arange(grid.n_sites), "x": x, "y": y, "z": z}
    units = {"site": "1", "x": "um", "y": "um", "z": "um"}
    meanings = {"site": "Flat index of the site", **{axis: f"Centre of the site, {axis}" for axis in "xyz"}}
    for group, prefix in (("fields", ""), ("vesicles", "free_"), ("vessels", "vessel_")):
        dataset = run.dataset(group)
        for name in dataset.data_vars:
            column = f"{prefix}{name}"
            values = dataset[name].isel(time=run.snapshot_index(minutes))
            columns[column] = values.to_numpy().reshape(-1)
            units[column], meanings[column] = values.attrs["units"], values.attrs["long_name"]
    frame = pd.DataFrame(columns)
    frame.attrs.update(units=units, long_names=meanings)
    return frame


def _put(frame: Any, out: Path, name: str, *, more: bool = False) -> None:
    named = frame.rename(columns={column: _syntactic(str(column)) for column in frame})
    named.to_csv(
        out / f"{name}.csv", index=False, na_rep="NA", encoding="utf-8", lineterminator="\n",
        mode="a" if more else "w", header=not more,
    )  # fmt: skip


def _syntactic(name: str) -> str:
    """Return a name that R takes as it is: letters, digits, dots and underscores, a letter first."""
    kept = "".join(
        letter if letter.isascii() and letter.isalnum() or letter in "._" else "." for letter in name
    )
    return kept if kept[:1].isalpha() else f"X{kept}"
