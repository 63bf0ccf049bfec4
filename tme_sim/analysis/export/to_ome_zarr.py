"""Writes fields and cells of every snapshot as OME-Zarr, which napari and Fiji open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from ome_zarr.writer import write_image, write_labels
from ome_zarr_models.common.omero import Omero

if TYPE_CHECKING:
    from tme_sim.record.reader import Run

_UNITS = {"t": "minute", "z": "micrometer", "y": "micrometer", "x": "micrometer"}
_COLOURS = ("E69F00", "56B4E9", "009E73", "F0E442", "0072B2", "D55E00", "CC79A7", "FFFFFF")


def write(run: Run, out: Path, minutes: float | None = None) -> None:
    """Write a folder: an image (t, c, z, y, x) of fields and free vesicles, and labels whose value is a cell's type.

    Parameters
    ----------
    minutes : float, optional
        Only the snapshot nearest to this time; default: all.
    """
    chosen = range(len(run.snapshot_minutes)) if minutes is None else [run.snapshot_index(minutes)]
    channels = [
        (group, str(name)) for group in ("fields", "vesicles") for name in run.dataset(group).data_vars
    ]
    image = np.stack([np.stack([_plane(run, *channel, at) for channel in channels]) for at in chosen])
    labels = np.stack([_types(run, float(run.snapshot_minutes[at])) for at in chosen])[:, None]
    times = run.snapshot_minutes[list(chosen)]
    step = float(times[1] - times[0]) if len(times) > 1 else 1.0
    space = dict.fromkeys("zyx", float(run.grid.spacing_um))
    root: Any = zarr.open_group(out, mode="w")
    # Planes of some hundred sites need no coarser copies.
    told: dict[str, Any] = {
        "axes": "tczyx", "scale": {"t": step, "c": 1.0, **space}, "axes_units": _UNITS, "scale_factors": (),
    }  # fmt: skip
    write_image(image, root, name="tissue", omero=_channels(run, channels, image), **told)
    names = [{"label-value": code + 1, "cell_type": name} for code, name in enumerate(run.layout.cell_types)]
    write_labels(labels, root, name="cell_types", label_metadata={"properties": names}, **told)
    root.attrs["tme_sim"] = {
        "run_id": run.run_id,
        "source": run.attributes["source"],
        "minutes": times.tolist(),
    }


def _plane(run: Run, group: str, name: str, at: int) -> np.ndarray:
    return run.dataset(group)[name].isel(time=at).to_numpy()


def _types(run: Run, minutes: float) -> np.ndarray:
    """Return 1 + the code of the cell type at every site, 0 where none is, int32 (nz, ny, nx)."""
    cells, out = run.cells(minutes), np.zeros(run.grid.n_sites, np.int32)
    out[cells["site"].to_numpy()] = cells["type"].cat.codes.to_numpy(np.int32) + 1
    return out.reshape(run.grid.shape)


def _channels(run: Run, channels: list[tuple[str, Any]], image: np.ndarray) -> Any:
    out = []
    for i, (group, name) in enumerate(channels):
        low, high = float(image[:, i].min()), float(image[:, i].max())
        window = {"start": low, "end": high, "min": low, "max": high}
        label = f"{name} ({run.dataset(group)[name].attrs['units']})"
        out.append({"label": label, "color": _COLOURS[i % len(_COLOURS)], "active": i < 1, "window": window})
    return Omero.model_validate({"channels": out})
