"""Decides before a run whether its file may be written."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tme_sim.cli.errors import CommandError


def check_place(path: Path) -> None:
    """Refuse a path that no file could be written to.

    Raises
    ------
    CommandError
        When the folder is missing or not writable, or the path is a folder, a device or the picture's.
    """
    check_folder(path)
    if path.is_dir():
        raise CommandError(f"--out {path}: is a folder; expected a file name such as {path / 'run.h5'}")
    if path.exists() and not path.is_file():
        raise CommandError(f"--out {path}: is a device, pipe or socket; expected a file name such as run.h5")
    if path.suffix == ".png":
        raise CommandError(f"--out {path}: that name belongs to the picture; expected a name such as run.h5")


def check_folder(path: Path) -> None:
    """Refuse a path whose folder is missing or cannot be written to.

    Raises
    ------
    CommandError
        Says which, and what to do.
    """
    folder = path.parent
    if not folder.exists():
        raise CommandError(
            f"--out {path}: folder {folder} does not exist; create it first: mkdir -p {folder}"
        )
    if not folder.is_dir():
        raise CommandError(f"--out {path}: {folder} is not a folder")
    try:
        # Permission bits do not tell about read-only or full file systems: only writing does. It leaves nothing.
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"probe")
    except OSError as error:
        raise CommandError(f"--out {path}: folder {folder} cannot be written to: {error.strerror}") from None


def already_done(path: Path, run_id: str, *, force: bool) -> bool:
    """Return whether the file holds this very run, so that there is nothing left to do.

    Raises
    ------
    CommandError
        When the file holds something else and ``force`` is false.
    """
    from tme_sim.record.writer import RunExists, is_done

    if force:
        return False
    try:
        return is_done(path, run_id)
    except RunExists as error:
        raise CommandError(f"--out {error}") from None
    except OSError as error:
        raise CommandError(f"--out {path}: {error.strerror}") from None
