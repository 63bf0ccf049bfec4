"""A SHA-256 trailer after the end of an HDF5 file, which HDF5 readers do not see."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_MAGIC = b"\nTME-SIM SHA-256 "
_TRAILER = re.compile(re.escape(_MAGIC) + rb"([0-9a-f]{64}) ([0-9]{20})\n")
TRAILER_BYTES = len(_MAGIC) + 64 + 1 + 20 + 1


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
    if len(raw) <= TRAILER_BYTES:
        raise RunFileError(f"{where}: {len(raw)} bytes; expected a run file of tme-sim")
    end = len(raw) - TRAILER_BYTES
    match = _TRAILER.fullmatch(bytes(raw[end:]))
    if match is None:
        raise RunFileError(
            f"{where}: no trailer at its end; foreign, truncated or damaged, run again or restore it"
        )
    if int(match[2]) != end:
        raise RunFileError(f"{where}: {end} bytes of content, {int(match[2])} expected; truncated or damaged")
    found = hashlib.sha256(raw[:end]).hexdigest().encode()
    if found != match[1]:
        raise RunFileError(f"{where}: SHA-256 does not match its trailer; damaged, run again or restore it")
    return end
