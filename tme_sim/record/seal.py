"""A SHA-256 trailer after the end of an HDF5 file, which HDF5 readers do not see."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

_MAGIC = b"\nTME-SIM SHA-256 "
_TRAILER = re.compile(re.escape(_MAGIC) + rb"([0-9a-f]{64}) ([0-9]{20})\n")
TRAILER_BYTES = len(_MAGIC) + 64 + 1 + 20 + 1
_BLOCK_BYTES = 1 << 20


class RunFileError(ValueError):
    """A file is not a whole, undamaged run of this program; says which file and what is wrong."""


def seal(content: bytes | memoryview) -> bytes:
    """Return the trailer for ``content``: magic words, SHA-256 and length."""
    return _MAGIC + f"{hashlib.sha256(content).hexdigest()} {len(content):020d}\n".encode()


def seal_file(path: Path) -> bytes:
    """Return the trailer for the content of a file, read piece by piece."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return _MAGIC + f"{digest.hexdigest()} {file.tell():020d}\n".encode()


def check_seal(raw: bytes | memoryview, where: str = "file") -> int:
    """Return the length of the content before the trailer.

    Raises
    ------
    RunFileError
        When the trailer is missing or does not fit: a foreign, truncated or damaged file.
    """
    end, expected = _read_trailer(bytes(raw[-TRAILER_BYTES:]), len(raw), where)
    _compare(hashlib.sha256(raw[:end]), expected, where)
    return end


def check_sealed_file(path: Path) -> int:
    """Return the length of the content of a file before its trailer; memory does not grow with the file.

    Raises
    ------
    RunFileError
        When the trailer is missing or does not fit: a foreign, truncated or damaged file.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TRAILER_BYTES))
        end, expected = _read_trailer(file.read(), size, str(path))
        file.seek(0)
        digest, left = hashlib.sha256(), end
        while left:
            block = file.read(min(left, _BLOCK_BYTES))
            if not block:
                raise RunFileError(f"{path}: shortened while it was read")
            digest.update(block)
            left -= len(block)
        _compare(digest, expected, str(path))
    return end


def _read_trailer(trailer: bytes, size: int, where: str) -> tuple[int, bytes]:
    """Return the length of the content and the hash that it should have."""
    if size <= TRAILER_BYTES:
        raise RunFileError(f"{where}: {size} bytes; expected a run file of tme-sim")
    match = _TRAILER.fullmatch(trailer)
    if match is None:
        raise RunFileError(
            f"{where}: no trailer at its end; foreign, truncated or damaged, run again or restore it"
        )
    end = size - TRAILER_BYTES
    if int(match[2]) != end:
        raise RunFileError(f"{where}: {end} bytes of content, {int(match[2])} expected; truncated or damaged")
    return end, match[1]


def _compare(digest: Any, expected: bytes, where: str) -> None:
    if digest.hexdigest().encode() != expected:
        raise RunFileError(f"{where}: SHA-256 does not match its trailer; damaged, run again or restore it")
