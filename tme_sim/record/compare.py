"""Says where two run files differ, leaving out facts about the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tme_sim.record.reader import Run, open_run

_LINKS = ("DIMENSION_LIST", "REFERENCE_LIST")


def differences(left: Path | str, right: Path | str) -> list[str]:
    """Return one line per dataset or attribute outside ``/provenance`` that is not byte-equal.

    Raises
    ------
    RunFileError
        When one of the files is not a whole run.
    """
    with open_run(left) as one, open_run(right) as other:
        a, b = _content(one), _content(other)
        lines = [f"{name}: only in {left}" for name in a.keys() - b.keys()]
        lines += [f"{name}: only in {right}" for name in b.keys() - a.keys()]
        for name in a.keys() & b.keys():
            lines += _compare(name, a[name], b[name])
    return sorted(lines)


def _content(run: Run) -> dict[str, Any]:
    out: dict[str, Any] = {f"/@{name}": value for name, value in run.attributes.items()}
    for path, item in run.items():
        if path == "provenance" or path.startswith("provenance/"):
            continue
        if isinstance(item, h5py.Dataset):
            out[f"/{path}"] = item  # read when it is compared: two large files need not fit into memory
        for name, value in item.attrs.items():
            if name not in _LINKS:
                out[f"/{path}@{name}"] = value
    return out


def _compare(name: str, a: Any, b: Any) -> list[str]:
    x, y = (np.asarray(value[()] if isinstance(value, h5py.Dataset) else value) for value in (a, b))
    if x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes():
        return []
    if x.dtype != y.dtype or x.shape != y.shape:
        return [f"{name}: {x.dtype} {x.shape} against {y.dtype} {y.shape}"]
    if x.dtype.kind in "iuf":
        p, q = x.astype(float), y.astype(float)
        unequal = (p != q) & ~(np.isnan(p) & np.isnan(q))
        gaps = np.abs(p - q)[unequal]
        largest = np.max(gaps[np.isfinite(gaps)], initial=0.0)
        return [f"{name}: {np.count_nonzero(unequal)} of {x.size} differ, by up to {largest:.3g}"]
    return [f"{name}: differs"]
