"""Numba as this project uses it: cached by a hash of all sources, workqueue threads, no reassociation.

Every kernel is decorated with `kernel` or `parallel_kernel` from here. Numba must learn its cache folder
and its largest thread count before its first use, which is why this module sets them on import.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

_USES_KERNELS = re.compile(rb"from tme_sim\.numerics\.jit import [^\n]*kernel")

MAX_THREADS = 16
BLOCK = 1024


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


os.environ.setdefault("NUMBA_NUM_THREADS", str(MAX_THREADS))
os.environ.setdefault("NUMBA_THREADING_LAYER", "workqueue")
os.environ.setdefault("NUMBA_CACHE_DIR", str(_cache_dir()))

import numba  # noqa: E402 - the environment above must be set first
from numba import prange, set_num_threads  # noqa: E402

# What numba was told when it loaded, which an importer before us may have decided.
_MOST_THREADS: int = numba.config.NUMBA_NUM_THREADS  # pyright: ignore[reportAttributeAccessIssue]
set_num_threads(min(os.cpu_count() or 1, _MOST_THREADS))

kernel = numba.njit(cache=True, error_model="numpy", nogil=True)
inline_kernel = numba.njit(cache=True, error_model="numpy", nogil=True, inline="always")
parallel_kernel = numba.njit(cache=True, error_model="numpy", nogil=True, parallel=True)

__all__ = ["BLOCK", "MAX_THREADS", "inline_kernel", "kernel", "parallel_kernel", "prange", "set_threads"]


def set_threads(threads: int) -> None:
    """Use ``threads`` threads in parallel kernels; results do not depend on it.

    Raises
    ------
    ValueError
        When ``threads`` is below 1 or above what Numba was started with (NUMBA_NUM_THREADS).
    """
    if not 1 <= threads <= _MOST_THREADS:
        raise ValueError(f"threads: {threads}; expected 1 to {_MOST_THREADS}")
    set_num_threads(threads)
