"""How much of a file each of its parts takes."""

from __future__ import annotations

from pathlib import Path

import h5py


def stored_bytes(path: Path | str) -> dict[str, int]:
    """Return the bytes that the data of each top group takes on disk, the largest first.

    Raises
    ------
    OSError
        When it cannot be read as HDF5.
    """
    sizes: dict[str, int] = {}

    def add(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            group = name.partition("/")[0]
            sizes[group] = sizes.get(group, 0) + item.id.get_storage_size()

    with h5py.File(path, "r", locking="best-effort") as file:
        file.visititems(add)
    return dict(sorted(sizes.items(), key=lambda entry: -entry[1]))
