"""Puts a finished file under its name at once or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK}


def publish(path: Path, parts: Sequence[bytes | memoryview], *, replace: bool = False) -> None:
    """Write ``parts``, one after the other, to ``path``: whole and on disk, or not at all.

    They go to a temporary file in the same folder, are flushed to disk and linked into place.

    Raises
    ------
    FileExistsError
        When ``path`` exists and ``replace`` is false.
    OSError
        When the disk is full, the folder read-only or missing; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        try:
            for part in parts:
                _write_all(descriptor, part)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _put_in_place(temporary, path, replace)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _write_all(descriptor: int, part: bytes | memoryview) -> None:
    left = memoryview(part)
    while left:
        left = left[os.write(descriptor, left) :]


def _put_in_place(temporary: Path, path: Path, replace: bool) -> None:
    if replace:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, "exists already", str(path)) from error
        temporary.rename(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:  # some network file systems cannot flush a folder; the file itself is flushed
        if error.errno not in {errno.EINVAL, errno.EBADF, errno.ENOTSUP}:
            raise
    finally:
        os.close(descriptor)
