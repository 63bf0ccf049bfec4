"""The numbers of one moment and one plane of a run, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tme_sim.measures.measure import tumour_types
from tme_sim.record.reader import Run


@dataclass(frozen=True)
class Section:
    """One plane of a tissue at one moment; in 3-D the middle plane.

    Attributes
    ----------
    title : str
    minutes : float
        Time of the snapshot.
    shape : (ny, nx)
    planes : int
        Planes of the tissue; 1 in 2-D.
    spacing_um : float
    cell_types, tumour : tuple of str
        All cell types of the layout, and those that make up the tumour.
    cells : dict of arrays (n,)
        Cells and remains in the plane: site ``ix``, ``iy`` and the columns of `Run.cells`; words as text.
    fields : dict of (ny, nx)
        Each in its unit.
    pools : dict of (ny, nx)
        Free vesicles per site.
    perfusion : (ny, nx)
    drug : str or None
        The drug whose resistance is drawn: the first with a ``resistance_`` column.
    series_minutes : float64 (n_times,)
    series : dict of float64 (n_times,)
        Measures of the whole tissue.
    """

    title: str
    minutes: float
    shape: tuple[int, int]
    planes: int
    spacing_um: float
    cell_types: tuple[str, ...]
    tumour: tuple[str, ...]
    cells: dict[str, np.ndarray]
    fields: dict[str, np.ndarray]
    pools: dict[str, np.ndarray]
    perfusion: np.ndarray
    drug: str | None
    series_minutes: np.ndarray
    series: dict[str, np.ndarray]

    @property
    def extent_um(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top of the plane, µm."""
        ny, nx = self.shape
        return 0.0, nx * self.spacing_um, 0.0, ny * self.spacing_um

    @property
    def window_um(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top of the part worth drawing: the tumour and its surroundings."""
        left, right, bottom, top = self.extent_um
        rows = self.tumour_rows(living=False)
        if len(rows) == 0:
            return left, right, bottom, top
        middle, half = [], 0.0
        for axis in ("ix", "iy"):
            at = (self.cells[axis][rows] + 0.5) * self.spacing_um
            middle.append((at.min() + at.max()) / 2.0)
            half = max(half, 0.75 * (at.max() - at.min()), 10.0 * self.spacing_um)
        return (
            max(left, middle[0] - half),
            min(right, middle[0] + half),
            max(bottom, middle[1] - half),
            min(top, middle[1] + half),
        )

    @property
    def alive(self) -> np.ndarray:
        """Bool mask (n,) of living cells."""
        return self.cells["death"] == "alive"

    def tumour_rows(self, *, living: bool = True) -> np.ndarray:
        """Return the rows of the tumour cells in the plane."""
        mask = np.isin(self.cells["type"], self.tumour)
        return np.flatnonzero(mask & self.alive if living else mask)

    def tumour_mask(self) -> np.ndarray:
        """Return True where a living tumour cell holds a site, bool (ny, nx)."""
        return np.isfinite(self.raster(self.tumour_rows(), 1.0))

    def tumour_raster(self, column: str) -> np.ndarray:
        """Return a column of the tumour cells on their sites, float64 (ny, nx), nan elsewhere."""
        rows = self.tumour_rows()
        return self.raster(rows, self.cells[column][rows] if column in self.cells else np.nan)

    def sprouts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of vessel cells without blood: stalks, and tips; none where vessels do not grow."""
        if "vessel_links" not in self.cells:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        links = self.cells["vessel_links"]
        dry = np.isfinite(links) & (self.perfusion[self.cells["iy"], self.cells["ix"]] == 0.0)
        return np.flatnonzero(dry & (links != 1.0)), np.flatnonzero(dry & (links == 1.0))

    def raster(self, rows: np.ndarray, values: np.ndarray | float) -> np.ndarray:
        """Return the values of cells on the sites they hold, float64 (ny, nx), nan elsewhere."""
        out = np.full(self.shape, np.nan)
        out[self.cells["iy"][rows], self.cells["ix"][rows]] = values
        return out


def section_of(run: Run, minutes: float | None = None) -> Section:
    """Return the middle plane of a run at the nearest snapshot, None the last one."""
    at = run.snapshot_index(minutes)
    now = float(run.snapshot_minutes[at])
    layout, grid = run.layout, run.grid
    nz, ny, nx = grid.shape
    middle = nz // 2
    frame = run.cells(now)
    iz, iy, ix = grid.coordinates(frame["site"].to_numpy())
    here = iz == middle
    words = ("type", "stage", "death")
    cells = {name: frame[name].to_numpy(str if name in words else None)[here] for name in frame}
    cells |= {"ix": ix[here], "iy": iy[here]}
    series = run.timeseries
    return Section(
        title=run.title,
        minutes=now,
        shape=(ny, nx),
        planes=nz,
        spacing_um=grid.spacing_um,
        cell_types=layout.cell_types,
        tumour=tumour_types(layout),
        cells=cells,
        fields={name: run.field(name, now)[middle] for name in layout.fields},
        pools={name: run.pool(name, now)[middle] for name in layout.pools},
        perfusion=run.vessels("perfusion", now)[middle],
        drug=next((drug for drug in layout.drugs if f"resistance_{drug}" in cells), None),
        series_minutes=series.index.to_numpy(),
        series=dict(zip(map(str, series), series.to_numpy().T, strict=True)),
    )
