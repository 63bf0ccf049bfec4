"""Puts a finished file under its name at once or not at all."""

from __future__ import annotations

import errno
import io
import os
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

_PART = ".part"
_ABANDONED_AFTER_S = 3600.0
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
    temporary = _unfinished(path)
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


def publish_built(path: Path, build: Callable[[BinaryIO], None], seal: Callable[[Path], bytes]) -> None:
    """Let ``build`` write a large file to disk, append its seal and put it under its name, replacing what is there.

    Raises
    ------
    OSError
        When the disk is full, the folder read-only or missing; nothing is left behind.
    """
    temporary = _unfinished(path)
    try:
        with _Patient(temporary) as file:
            build(file)  # pyright: ignore[reportArgumentType] - it has what HDF5 asks for
            file.settle()
        trailer = seal(temporary)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_APPEND)
        try:
            _write_all(descriptor, trailer)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _put_in_place(temporary, path, replace=True)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def is_unfinished(name: str) -> bool:
    """Return whether a file's name is one that files under way bear."""
    return name.startswith(".") and name.endswith(_PART)


def remove_unfinished(folder: Path) -> None:
    """Remove what writers that were killed left behind; files younger than an hour may still be written."""
    for path in folder.glob(f".*{_PART}"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _ABANDONED_AFTER_S:
                path.unlink()


def _unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}{_PART}")


class _Patient(io.RawIOBase):
    """A file on disk that keeps its first error to itself until asked: HDF5 does not survive one while writing."""

    def __init__(self, path: Path):
        self._file = path.open("x+b", buffering=0)
        self._error: OSError | None = None

    def settle(self) -> None:
        """Raise the error that was kept, if any."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        if self._error is None:
            try:
                view = memoryview(data)
                while view:
                    view = view[self._file.write(view) or 0 :]
            except OSError as error:
                self._error = error
        return len(data)

    def readinto(self, buffer: Any) -> int:
        found = self._file.readinto(buffer)
        if found < len(buffer):  # what an error kept from the disk
            memoryview(buffer)[found:] = bytes(len(buffer) - found)
        return len(buffer)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        if self._error is None:
            try:
                return self._file.truncate(size)
            except OSError as error:
                self._error = error
        return size or 0

    def close(self) -> None:
        self._file.close()
        super().close()


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
