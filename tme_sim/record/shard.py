"""Where a finished run lies: in a file of its own or in a bundle of many."""

from __future__ import annotations

import hashlib
import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from tme_sim.record.reader import Run, open_run, verify
from tme_sim.record.seal import RunFileError, check_seal

# What zipfile raises on archives that are damaged one way or another.
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, OverflowError)
_SUFFIX = ".h5"


@dataclass(frozen=True)
class Shard:
    """A finished run.

    Attributes
    ----------
    run_id : str
        Of the run that should be there.
    path : Path
        Its file, or the bundle that holds it.
    bundled : bool
    """

    run_id: str
    path: Path
    bundled: bool = False

    def __str__(self) -> str:
        """Return the file, and the member of a bundle."""
        return f"{self.path}: {self.member}" if self.bundled else str(self.path)

    @property
    def member(self) -> str:
        """Name of its file, alone or in a bundle."""
        return f"{self.run_id}{_SUFFIX}"

    @contextmanager
    def open(self, *, check: bool = True) -> Iterator[h5py.File]:
        """Yield the run's HDF5, every byte of it checked unless a file of its own was checked before.

        Raises
        ------
        RunFileError
            When it is damaged or another run's.
        OSError
            When it cannot be read.
        """
        with self._content(check) as content:
            try:
                file = h5py.File(content, "r", locking="best-effort")
            except OSError as error:
                raise RunFileError(f"{self}: cannot be read as HDF5: {error}") from None
            with file:
                found: Any = file.attrs.get("run_id", b"")
                if found != self.run_id.encode():
                    raise RunFileError(f"{self}: holds run {found.decode()}; expected {self.run_id}")
                yield file

    def check(self) -> None:
        """Read every byte of it.

        Raises
        ------
        RunFileError
            When it is damaged or another run's.
        OSError
            When it cannot be read.
        """
        with self.open():
            pass

    def run(self) -> Run:
        """Open it as `open_run` does, to be closed by the caller.

        Raises
        ------
        RunFileError
            When it is damaged.
        OSError
            When it cannot be read.
        """
        with ExitStack() as stack:
            run = open_run(stack.enter_context(self.file()))
            run.keep(stack.pop_all())
        return run

    @contextmanager
    def file(self) -> Iterator[Path]:
        """Yield a path of its file: for a bundled run that of a copy, which goes with the block."""
        if not self.bundled:
            yield self.path
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / self.member
            copy.write_bytes(self._unpacked())
            yield copy

    @contextmanager
    def _content(self, check: bool) -> Iterator[Path | io.BytesIO]:
        if self.bundled:
            yield io.BytesIO(self._unpacked())
        else:
            if check:
                verify(self.path)
            yield self.path

    def _unpacked(self) -> bytes:
        try:
            with zipfile.ZipFile(self.path) as archive:
                raw = archive.read(self.member)
        except KeyError:
            raise RunFileError(f"{self}: is not there") from None
        except _DAMAGED as error:
            raise RunFileError(f"{self}: damaged: {error}") from None
        check_seal(raw, str(self))
        return raw


def shards_in(folder: Path) -> dict[str, Shard]:
    """Return where each finished run of a batch lies: a file of its own before a bundle, a new bundle before others."""
    found = {}
    for bundle in sorted((folder / "bundles").glob("*.zip"), key=lambda path: path.stat().st_mtime_ns):
        with suppress(RunFileError, OSError):  # its runs count as not done
            found |= {name: Shard(name, bundle, bundled=True) for name in members_of(bundle)}
    return found | {path.stem: Shard(path.stem, path) for path in (folder / "runs").glob("*.h5")}


def bundle_name(run_ids: Iterable[str]) -> str:
    """Return the name of the bundle that holds these runs, which tells when its table of contents has lost one."""
    return f"{hashlib.sha256(' '.join(run_ids).encode()).hexdigest()[:16]}.zip"


def members_of(bundle: Path) -> list[str]:
    """Return the ids of the runs in a bundle.

    Raises
    ------
    RunFileError
        When its table of contents is damaged.
    OSError
        When it cannot be read.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            run_ids = [name.removesuffix(_SUFFIX) for name in archive.namelist()]
    except _DAMAGED as error:
        raise RunFileError(f"{bundle}: damaged: {error}") from None
    if bundle_name(run_ids) != bundle.name:
        raise RunFileError(f"{bundle}: damaged or renamed: its table of contents does not fit its name")
    return run_ids
