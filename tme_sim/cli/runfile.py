"""Opens a run file, or a batch, for a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tme_sim.cli.errors import CommandError

if TYPE_CHECKING:
    from tme_sim.record.batch_reader import Batch
    from tme_sim.record.reader import Run


@contextmanager
def opened(path: Path) -> Iterator[Run]:
    """Yield the run in a file whose checksum holds.

    Raises
    ------
    CommandError
        When the file is missing, foreign, truncated, damaged or no run.
    """
    from tme_sim.record.reader import open_run
    from tme_sim.record.seal import RunFileError

    try:
        run = open_run(path)
    except RunFileError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from None
    with run:
        yield run


@contextmanager
def opened_batch(path: Path) -> Iterator[Batch]:
    """Yield a batch, given its folder or its merged file.

    Raises
    ------
    CommandError
        When it is missing, or holds no batch with a whole run.
    """
    from tme_sim.record.batch_reader import open_batch
    from tme_sim.record.seal import RunFileError

    try:
        batch = open_batch(path)
    except RunFileError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from None
    with batch:
        yield batch
