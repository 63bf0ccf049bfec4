"""Opens a run file, checked from end to end, as tables and arrays."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd

from tme_sim.record.identity import FORMAT_VERSION
from tme_sim.record.seal import RunFileError, check_sealed_file
from tme_sim.state.codes import CLASSES, DEATHS, STAGES
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Run", "RunFileError", "open_run", "read_run_id", "verify"]


def open_run(path: Path | str) -> Run:
    """Open a run file after checking its trailer; close it or use it in a ``with`` block.

    Raises
    ------
    RunFileError
        When it is foreign, truncated, damaged or of a newer format.
    FileNotFoundError
        When nothing is there.
    """
    return Run(path)


def verify(path: Path | str) -> None:
    """Read every byte of a run file and compare with its trailer.

    Raises
    ------
    RunFileError
        When it is foreign, truncated or damaged.
    """
    check_sealed_file(Path(path))


def open_group(path: Path, group: str) -> xr.Dataset:
    """Return one group of a file as a Dataset, read when it is used; text as ``str``, times as numbers of minutes."""
    import h5netcdf  # these take 0.6 s, which commands that need no Dataset do without
    import xarray as xr
    from xarray.backends import DummyFileManager, H5NetCDFStore

    # Opened by name, xarray would open the file again after it was closed.
    store = H5NetCDFStore(DummyFileManager(h5netcdf.File(path, "r")), group)
    dataset = xr.open_dataset(store, decode_times=False, concat_characters=False)
    texts = {
        name: (column.dims, np.char.decode(column.to_numpy(), "utf-8"), column.attrs)
        for name, column in dataset.variables.items()
        if column.dtype.kind == "S"
    }
    decoded = dataset.assign(texts)
    decoded.set_close(dataset.close)
    return decoded


def read_run_id(path: Path | str) -> str:
    """Return the id of the run in a file.

    Raises
    ------
    RunFileError
        When the file is not a whole run.
    """
    with open_run(path) as run:
        return run.run_id


class Run:
    """A finished run, read only.

    Times are minutes. Where a method takes ``minutes``, the nearest snapshot is meant, None the last one.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        verify(path)
        try:
            self._file = h5py.File(self.path, "r", locking="best-effort")
        except OSError as error:
            raise RunFileError(f"{path}: cannot be read as HDF5: {error}") from error
        self._opened: list[Any] = []
        version = int(self.attributes.get("format_version", 0))
        if not 1 <= version <= FORMAT_VERSION:
            self._file.close()
            raise RunFileError(
                f"{path}: format {version}; this version reads 1 to {FORMAT_VERSION}, update tme-sim"
            )
        if self.attributes.get("kind") == "batch":
            self._file.close()
            raise RunFileError(f"{path}: holds a whole batch; expected one run, use open_batch")

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and every Dataset of it; what was read stays usable."""
        for dataset in self._opened:
            dataset.close()
        self._file.close()

    def keep(self, resource: Any) -> None:
        """Close ``resource`` with the run, too."""
        self._opened.append(resource)

    def dataset(self, group: str) -> xr.Dataset:
        """Return a group as a labelled Dataset, read piece by piece when it is used, until the run is closed.

        Parameters
        ----------
        group : str
            ``timeseries``, ``fields``, ``vesicles``, ``vessels``, ``cells``, ``flux``, ``events/deaths`` and the like.

        Raises
        ------
        RunFileError
            When there is no such group.
        """
        self._group(group)
        opened = open_group(self.path, group)
        self._opened.append(opened)
        return opened

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Title, run_id, seed, versions, dt_min, spacing_um and the like."""
        return {name: _plain(value) for name, value in self._file.attrs.items()}

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return self.attributes["run_id"]

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(self.attributes["seed"])

    @property
    def title(self) -> str:
        """One line for readers."""
        return self.attributes["title"]

    @property
    def provenance(self) -> dict[str, Any]:
        """Facts about the machine that ran it."""
        return {name: _plain(value) for name, value in self._file["provenance"].attrs.items()}

    @cached_property
    def layout(self) -> Layout:
        """Names in column order."""
        group = self._group("layout")
        names = ("cell_types", "variables", "fields", "pools", "cargo", "drugs", "traits", "clones")
        return Layout(**{name: tuple(_texts(group[name])) for name in names if name in group})

    @cached_property
    def grid(self) -> Grid:
        """The lattice."""
        a = self.attributes
        nz, ny, nx = (int(length) for length in a["shape_zyx"])
        return Grid(
            (nz, ny, nx),
            float(a["spacing_um"]),
            float(a["interstitial_fraction"]),
            float(a.get("medium_height_um", 0.0)),
        )

    @cached_property
    def timeseries(self) -> pd.DataFrame:
        """One column per measure by ``time_min``; ``.attrs["units"]`` and ``["long_names"]`` map columns."""
        group = self._group("timeseries")
        names = [name for name in group if name != "time"]
        frame = pd.DataFrame(
            {name: group[name][()] for name in names}, index=pd.Index(group["time"][()], name="time_min")
        )
        frame.attrs["units"] = {name: _plain(group[name].attrs["units"]) for name in names}
        frame.attrs["long_names"] = {name: _plain(group[name].attrs["long_name"]) for name in names}
        return frame

    @cached_property
    def snapshot_minutes(self) -> np.ndarray:
        """Times of the snapshots, float64 (n_snapshots,)."""
        return self._group("cells")["time"][()]

    def snapshot_index(self, minutes: float | None = None) -> int:
        """Return the number of the nearest snapshot."""
        if minutes is None:
            return len(self.snapshot_minutes) - 1
        return int(np.argmin(np.abs(self.snapshot_minutes - minutes)))

    def field(self, name: str, minutes: float | None = None) -> np.ndarray:
        """Return one field, float32 (nz, ny, nx), in its unit, at one snapshot."""
        return self._plane("fields", name, minutes)

    def pool(self, name: str, minutes: float | None = None) -> np.ndarray:
        """Return the free vesicles of a pool, float32 (nz, ny, nx), at one snapshot."""
        return self._plane("vesicles", name, minutes)

    def vessels(self, what: str = "perfusion", minutes: float | None = None) -> np.ndarray:
        """Return ``perfusion`` (0 to 1) or ``distance`` (µm), float32 (nz, ny, nx), at one snapshot."""
        return self._plane("vessels", what, minutes)

    def cells(self, minutes: float | None = None) -> pd.DataFrame:
        """Return the cells and remains of one snapshot, sorted by id; types, stages and causes in words.

        ``.attrs["units"]`` and ``["long_names"]`` map columns.
        """
        group, at = self._group("cells"), self.snapshot_index(minutes)
        start, stop = group["offsets"][at : at + 2]
        skip = ("time", "boundary", "row", "offsets")
        frame = pd.DataFrame({name: group[name][start:stop] for name in group if name not in skip})
        frame.attrs["units"] = {name: _plain(group[name].attrs["units"]) for name in frame}
        frame.attrs["long_names"] = {name: _plain(group[name].attrs["long_name"]) for name in frame}
        clones = ("none", *self.layout.clones)
        return self._in_words(
            frame, {"type": self.layout.cell_types, "stage": STAGES, "death": DEATHS, "clone": clones}
        )

    def events(self, name: str) -> pd.DataFrame:
        """Return all ``births``, ``deaths``, ``transitions`` or ``switches``; types, causes, drugs, clones in words."""
        group = self._group(f"events/{name}")
        frame = pd.DataFrame({column: group[column][()] for column in group if column != "event"})
        types, clones = self.layout.cell_types, ("none", *self.layout.clones)
        words = {
            "type": types,
            "from_type": types,
            "to_type": types,
            "cause": DEATHS,
            "drug": self.layout.drugs,
            "from_clone": clones,
            "to_clone": clones,
        }
        return self._in_words(frame, words)

    @property
    def flux(self) -> pd.DataFrame:
        """Vesicles internalised in the whole run: columns pool, donor, recipient, vesicles."""
        return self.flux_at(None)

    def flux_at(self, minutes: float | None) -> pd.DataFrame:
        """Return the vesicles internalised up to one snapshot: columns pool, donor, recipient, vesicles."""
        values = self._group("flux")["internalised"][self.snapshot_index(minutes)]
        lay = self.layout
        index = pd.MultiIndex.from_product(
            (lay.pools, lay.cell_types, lay.cell_types), names=("pool", "donor", "recipient")
        )
        return pd.DataFrame({"vesicles": values.reshape(-1)}, index=index).reset_index()

    def ledger(self, name: str) -> pd.DataFrame:
        """Return the books of ``pools``, ``fields`` or ``drugs``: one row each, one column per account."""
        group, dim = self._group("ledger"), name.removesuffix("s")
        return pd.DataFrame(
            group[name][()],
            index=pd.Index(_texts(group[dim]), name=dim),
            columns=pd.Index(_texts(group[f"{dim}_account"])),
        )

    @property
    def scenario_yaml(self) -> str:
        """The scenario as it was run."""
        return _texts(self._group("scenario")["yaml"])[0]

    @property
    def scenario_json(self) -> str:
        """The scenario as it was run."""
        return _texts(self._group("scenario")["json"])[0]

    @cached_property
    def rules(self) -> pd.DataFrame:
        """One row of texts per rule, with its evidence."""
        group = self._group("rules")
        return pd.DataFrame({name: _texts(group[name]) for name in group if name != "rule"})

    @cached_property
    def routes(self) -> pd.DataFrame:
        """One row per drug and route by which the outside reaches a cell, with the mechanisms on the way."""
        group = self._group("routes")
        return pd.DataFrame({name: _texts(group[name]) for name in group if name != "entry"})

    @cached_property
    def classes(self) -> pd.DataFrame:
        """Classes of resistance at the end, one row per drug and living tumour cell; empty without a washout.

        ``attrs["first_dose_min"]`` has when each drug came first, nan where it never did; 0 in files that do not say.
        """
        columns = {"drug": [], "id": [], "founder": [], "class": []}
        parts, first_dose = [], {}
        for drug, table in self._group("classes").items() if "classes" in self._file else ():
            frame = pd.DataFrame({name: table[name][()] for name in ("id", "founder", "class")})
            parts.append(frame.assign(drug=drug)[list(columns)])
            first_dose[drug] = float(table.attrs.get("first_dose_min", 0.0))
        frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns)
        frame = self._in_words(frame.astype({"class": np.int8}), {"class": CLASSES})
        frame.attrs["first_dose_min"] = first_dose
        return frame

    def _group(self, name: str) -> Any:
        if not self._file:
            raise ValueError(f"{self.path}: closed; read it inside its with block")
        try:
            return self._file[name]
        except KeyError as error:
            raise RunFileError(f"{self.path}: no group {name!r}; has {', '.join(self._file)}") from error

    def _plane(self, group: str, name: str, minutes: float | None) -> np.ndarray:
        planes = self._group(group)
        if name not in planes:
            known = ", ".join(key for key in planes if key not in ("time", "z", "y", "x"))
            raise KeyError(f"{self.path}: no {name!r} in {group}; known: {known}")
        return planes[name][self.snapshot_index(minutes)]

    @staticmethod
    def _in_words(frame: pd.DataFrame, words: dict[str, tuple[str, ...]]) -> pd.DataFrame:
        for column, names in words.items():
            if column in frame:
                frame[column] = pd.Categorical.from_codes(frame[column].to_numpy(), categories=list(names))
        return frame

    def items(self) -> Iterator[tuple[str, h5py.Dataset | h5py.Group]]:
        """Yield every group and dataset with its path, in order of names."""
        found: list[tuple[str, Any]] = []
        self._file.visititems(lambda name, item: found.append((name, item)))
        yield from found


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value


def _texts(dataset: Any) -> list[str]:
    return [raw.decode() for raw in dataset[()]]
