"""Writes a recording as one immutable HDF5 file, whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import tme_sim
from tme_sim.measures.measure import field_unit
from tme_sim.record.hdf5 import Branch, building, text_array
from tme_sim.record.identity import FORMAT_VERSION
from tme_sim.record.reader import read_run_id
from tme_sim.record.recording import Recording, Snapshot
from tme_sim.record.seal import RunFileError, seal
from tme_sim.record.series import TABLE
from tme_sim.record.store import publish
from tme_sim.state.codes import CLASSES, DEATHS, STAGES
from tme_sim.state.ledger import DRUG_ACCOUNTS, FIELD_ACCOUNTS, POOL_ACCOUNTS

_PLANE = 256
_EVENT_UNITS = {"minutes": "min"}


class RunExists(FileExistsError):
    """Another run holds the name.

    Attributes
    ----------
    path : Path
    found : str or None
        Id of the run in the file, None for a file that is no run.
    """

    def __init__(self, path: Path, found: str | None):
        held = f"run {found}" if found else "something that is not a run"
        super().__init__(f"{path}: holds {held}; choose another name or replace it with --force")
        self.path = path
        self.found = found


def is_done(path: Path | str, run_id: str) -> bool:
    """Return whether ``path`` already holds the run; False where nothing is.

    Raises
    ------
    RunExists
        When it holds anything else.
    """
    path = Path(path)
    if not path.exists():
        return False
    try:
        found = read_run_id(path)
    except RunFileError as error:
        raise RunExists(path, None) from error
    if found != run_id:
        raise RunExists(path, found)
    return True


def write_run(
    recording: Recording,
    path: Path | str,
    *,
    force: bool = False,
    provenance: Mapping[str, str | int | float] | None = None,
) -> Path:
    """Write a recording to ``path``; a file of the same run there is left as it is.

    Parameters
    ----------
    force : bool
        Replace whatever is there.
    provenance : mapping, optional
        Facts about the machine (host, wall time, memory, versions, date): kept apart in ``/provenance``.

    Raises
    ------
    RunExists
        When another run, or anything else, holds the name.
    OSError
        When it cannot be written; nothing is left behind.
    """
    path = Path(path)
    if not force and is_done(path, recording.run_id):
        return path
    content = build_content(recording, provenance or {})
    try:
        publish(path, (content, seal(content)), replace=force)
    except FileExistsError:
        # Another process may have been faster: the same run is fine, another one raises.
        if not is_done(path, recording.run_id):
            raise
    return path


def build_content(recording: Recording, provenance: Mapping[str, str | int | float]) -> memoryview:
    """Return the HDF5 file, without its trailer, built in memory."""
    buffer = io.BytesIO()
    with building(buffer) as file:
        _write_root(file, recording)
        _write_layout(file.branch("layout"), recording)
        _write_timeseries(file.branch("timeseries"), recording)
        _write_table(file.branch(TABLE), recording)
        _write_space(file, recording)
        _write_cells(file.branch("cells"), recording)
        _write_events(file.branch("events"), recording)
        _write_books(file, recording)
        _write_scenario(file.branch("scenario"), recording)
        _write_texts(file.branch("rules"), "rule", recording.rule_rows)
        _write_texts(file.branch("routes"), "entry", recording.route_rows)
        if recording.classes:
            _write_classes(file.branch("classes"), recording)
        file.branch("provenance").describe(**provenance)
    return buffer.getbuffer()


def _write_root(file: Branch, recording: Recording) -> None:
    file.describe(
        title=recording.title,
        Conventions="CF-1.11",
        source=f"tme-sim {tme_sim.__version__}",
        format_version=FORMAT_VERSION,
        numerics_version=recording.numerics_version,
        run_id=recording.run_id,
        seed=np.uint64(recording.seed),
        dt_min=recording.dt_min,
        shape_zyx=np.array(recording.grid.shape, np.int64),
        spacing_um=recording.grid.spacing_um,
        interstitial_fraction=recording.grid.interstitial_fraction,
    )
    if recording.grid.medium_height_um > 0.0:
        file.describe(medium_height_um=recording.grid.medium_height_um)


def _write_layout(group: Branch, recording: Recording) -> None:
    heritable = [name for name in ("traits", "clones") if getattr(recording.layout, name)]
    for name in ("cell_types", "variables", "fields", "pools", "cargo", "drugs", *heritable):
        group.write_coordinate(
            name, text_array(getattr(recording.layout, name)), long_name=f"Names of {name}"
        )


def _write_timeseries(group: Branch, recording: Recording) -> None:
    _write_time(group, recording.minutes)
    for column, measure in enumerate(recording.measures):
        group.write(
            measure.name,
            np.ascontiguousarray(recording.series[:, column]),
            ("time",),
            (1024,),
            units=measure.unit,
            long_name=measure.long_name,
        )


def _write_table(group: Branch, recording: Recording) -> None:
    """Write all series once more as one dataset, which a batch of many runs is merged from."""
    _write_time(group, recording.minutes)
    names = text_array([measure.name for measure in recording.measures])
    group.write_coordinate("measure", names, long_name="Names of measures")
    group.write(
        "values", recording.series, ("time", "measure"), long_name="All of timeseries, each in its unit"
    )


def _write_space(file: Branch, recording: Recording) -> None:
    snapshots, layout = recording.snapshots, recording.layout
    planes = {
        "fields": [(name, field_unit(name), name) for name in layout.fields],
        "vesicles": [(name, "1", f"Free vesicles per site: {name}") for name in layout.pools],
        "vessels": [
            ("perfusion", "1", "Share of supply of the vessel of a site"),
            ("distance", "um", "Distance to the nearest perfused vessel"),
        ],
    }
    for group_name, columns in planes.items():
        group = file.branch(group_name)
        _write_time(group, np.array([snapshot.minutes for snapshot in snapshots]))
        _write_axes(group, recording)
        for column, (name, unit, long_name) in enumerate(columns):
            values = np.stack([_plane(snapshot, group_name, column) for snapshot in snapshots])
            chunks = (1, 1, _PLANE, _PLANE)
            group.write(name, values, ("time", "z", "y", "x"), chunks, units=unit, long_name=long_name)


def _plane(snapshot: Snapshot, group: str, column: int) -> np.ndarray:
    if group == "fields":
        return snapshot.fields[..., column]
    if group == "vesicles":
        return snapshot.pools[..., column]
    return (snapshot.perfusion, snapshot.vessel_distance_um)[column]


def _write_axes(group: Branch, recording: Recording) -> None:
    for axis, length in zip("zyx", recording.grid.shape, strict=True):
        centres = (np.arange(length) + 0.5) * recording.grid.spacing_um
        group.write_coordinate(
            axis, centres, units="um", long_name=f"Centre of the site, {axis}", axis=axis.upper()
        )


def _write_time(group: Branch, minutes: np.ndarray) -> None:
    group.write_coordinate("time", minutes, units="min", long_name="Simulated time", axis="T")


def _write_cells(group: Branch, recording: Recording) -> None:
    snapshots = recording.snapshots
    _write_time(group, np.array([snapshot.minutes for snapshot in snapshots]))
    offsets = np.cumsum([0, *(len(snapshot.cells["id"]) for snapshot in snapshots)], dtype=np.int64)
    group.write_dimension("boundary", len(offsets))
    group.write_dimension("row", int(offsets[-1]))
    group.write(
        "offsets",
        offsets,
        ("boundary",),
        units="1",
        long_name="Rows offsets[i] to offsets[i+1] are the cells of snapshot i, sorted by id",
    )
    for column in recording.cell_columns:
        values = np.concatenate([snapshot.cells[column.name] for snapshot in snapshots])
        group.write(
            column.name,
            values,
            ("row",),
            None,
            units=column.unit,
            long_name=column.long_name,
            **_flags(column.name, recording),
        )


def _flags(name: str, recording: Recording) -> dict[str, np.ndarray | str]:
    types, clones = recording.layout.cell_types, ("none", *recording.layout.clones)
    codes = {
        "type": (types, np.int16),
        "from_type": (types, np.int16),
        "to_type": (types, np.int16),
        "stage": (STAGES, np.int8),
        "death": (DEATHS, np.int8),
        "cause": (DEATHS, np.int8),
        "clone": (clones, np.int16),
        "from_clone": (clones, np.int16),
        "to_clone": (clones, np.int16),
    }
    if name not in codes:
        return {}
    words, dtype = codes[name]
    meanings = " ".join(word.replace(" ", "_") for word in words)
    return {"flag_values": np.arange(len(words), dtype=dtype), "flag_meanings": meanings}


def _write_events(group: Branch, recording: Recording) -> None:
    for name, table in recording.events.items():
        events = group.branch(name)
        events.write_dimension("event", len(table))
        for column in table.dtype.names or ():
            events.write(
                column,
                np.ascontiguousarray(table[column]),
                ("event",),
                None,
                units=_EVENT_UNITS.get(column, "1"),
                **_flags(column, recording),
            )


def _write_books(file: Branch, recording: Recording) -> None:
    layout, ledger = recording.layout, recording.ledger
    flux = file.branch("flux")
    _write_time(flux, np.array([snapshot.minutes for snapshot in recording.snapshots]))
    for dim, names in (
        ("pool", layout.pools),
        ("donor", layout.cell_types),
        ("recipient", layout.cell_types),
    ):
        flux.write_coordinate(dim, text_array(names))
    flux.write(
        "internalised",
        np.stack([snapshot.flux for snapshot in recording.snapshots]),
        ("time", "pool", "donor", "recipient"),
        units="1",
        long_name="Vesicles internalised since the start",
    )
    books = file.branch("ledger")
    for name, dim, rows, accounts, unit in (
        ("pools", "pool", layout.pools, POOL_ACCOUNTS, "1"),
        ("fields", "field", layout.fields, FIELD_ACCOUNTS, "field unit times sites"),
        ("drugs", "drug", layout.drugs, DRUG_ACCOUNTS, "nM times sites"),
    ):
        books.write_coordinate(dim, text_array(rows))
        books.write_coordinate(f"{dim}_account", text_array(accounts))
        values = getattr(ledger, name)
        books.write(name, values, (dim, f"{dim}_account"), long_name=f"Amounts since the start, {unit}")


def _write_classes(group: Branch, recording: Recording) -> None:
    """Write the classes of resistance, one group per drug, one row per living tumour cell."""
    meanings = " ".join(word.replace(" ", "_") for word in CLASSES)
    codes = {"flag_values": np.arange(len(CLASSES), dtype=np.int8), "flag_meanings": meanings}
    for drug, table in recording.classes.items():
        of_drug = group.branch(drug)
        of_drug.describe(first_dose_min=float(table["first_dose_min"]), before_min=float(table["before_min"]))
        of_drug.write_dimension("cell", len(table["id"]))
        for name in ("id", "founder"):
            of_drug.write(name, table[name], ("cell",), None, units="1")
        of_drug.write("class", table["code"], ("cell",), None, units="1", **codes)


def _write_scenario(group: Branch, recording: Recording) -> None:
    group.write_dimension("text", 1)
    group.write(
        "yaml",
        text_array([recording.resolved_yaml]),
        ("text",),
        long_name="Scenario as it was run, YAML",
    )
    group.write(
        "json",
        text_array([recording.resolved_json]),
        ("text",),
        long_name="Scenario as it was run, JSON",
    )


def _write_texts(group: Branch, dimension: str, rows: Sequence[Mapping[str, str]]) -> None:
    """Write rows of texts, one dataset per column."""
    group.write_dimension(dimension, len(rows))
    for column in rows[0] if rows else ():
        group.write(column, text_array([str(row[column]) for row in rows]), (dimension,))
