"""Numba as this project uses it: cached by a hash of all sources, threads of Python's own, no reassociation.

Every kernel is decorated with `kernel`, `inline_kernel` or `block_kernel` from here. Numba must learn its cache
folder before its first use, which is why this module sets it on import. Kernels release Python's lock; Numba's own
parallel loops are not used: handing a loop to its threads cost a millisecond on a busy machine even with one thread.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

_USES_KERNELS = re.compile(rb"from tme_sim\.numerics\.jit import [^\n]*kernel")

MAX_THREADS = 16
BLOCK = 1024
BLOCKS_WORTH_A_THREAD = 8  # starting one takes as long as many a kernel over fewer


def _source_hash() -> str:
    """Hash every file that holds a kernel or a constant of one (``codes.py``).

    Numba alone does not see edits in callees of other files and would run stale kernels.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).resolve().parents[1].rglob("*.py")):
        source = path.read_bytes()
        if path.parent.name == "numerics" or path.name == "codes.py" or _USES_KERNELS.search(source):
            digest.update(source)
    return digest.hexdigest()[:16]


def _cache_dir() -> Path:
    base = Path(os.environ.get("TME_SIM_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "tme-sim" / _source_hash()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / "tme-sim" / _source_hash()
        folder.mkdir(parents=True, exist_ok=True)
    return folder


os.environ.setdefault("NUMBA_CACHE_DIR", str(_cache_dir()))

import numba  # noqa: E402 - the environment above must be set first

kernel = numba.njit(cache=True, error_model="numpy", nogil=True)
inline_kernel = numba.njit(cache=True, error_model="numpy", nogil=True, inline="always")

__all__ = [
    "BLOCK",
    "MAX_THREADS",
    "block_kernel",
    "inline_kernel",
    "kernel",
    "set_threads",
    "side_by_side",
    "threads",
]


class _Threads:
    """How many threads share the work of this process."""

    count = min(os.cpu_count() or 1, MAX_THREADS)


def threads() -> int:
    """Return how many threads share the work."""
    return _Threads.count


def set_threads(threads: int) -> None:
    """Let ``threads`` threads share the work of kernels; results do not depend on it.

    Raises
    ------
    ValueError
        When ``threads`` is below 1 or above `MAX_THREADS`.
    """
    if not 1 <= threads <= MAX_THREADS:
        raise ValueError(f"threads: {threads}; expected 1 to {MAX_THREADS}")
    _Threads.count = threads


def side_by_side(work: Callable[[int, int, int], None], n: int, shares: int) -> None:
    """Do ``work(share, begin, end)`` for equal shares of n things, each in a thread, the first in this one.

    An error of any share is raised once all have ended, that of the first share that failed.
    """
    bounds = [share * n // shares for share in range(shares + 1)]
    errors: dict[int, BaseException] = {}

    def do(share: int) -> None:
        try:
            work(share, bounds[share], bounds[share + 1])
        except BaseException as error:  # noqa: BLE001 - raised below, in the caller's thread
            errors[share] = error

    others = [threading.Thread(target=do, args=(share,)) for share in range(1, shares)]
    for thread in others:
        thread.start()
    do(0)
    for thread in others:
        thread.join()
    if errors:
        raise errors[min(errors)]


class block_kernel:  # noqa: N801 - a decorator
    """Compile a kernel of blocks of items and share its blocks out over threads.

    The kernel takes its first block and the one behind its last, then its arguments; blocks have `BLOCK` items and
    are the same for any number of threads. It is called with the number of items and the arguments.
    """

    def __init__(self, function: Callable[..., None]):
        self.kernel = kernel(function)
        self.__doc__, self.__name__ = function.__doc__, function.__name__

    def __call__(self, n: int, *arguments: object) -> None:
        """Run the kernel over the blocks of n items."""
        blocks = -(-n // BLOCK)
        shares = min(_Threads.count, max(1, blocks // BLOCKS_WORTH_A_THREAD))
        if shares <= 1:
            self.kernel(0, blocks, *arguments)
        else:
            side_by_side(lambda _, begin, end: self.kernel(begin, end, *arguments), blocks, shares)
