"""Facts about the machine that ran a run, kept apart from everything that must be byte-equal."""

from __future__ import annotations

import platform
import resource
from datetime import UTC, datetime
from pathlib import Path

_STATUS = Path("/proc/self/status")
_FORGET = Path("/proc/self/clear_refs")


def machine_facts(wall_s: float) -> dict[str, str | float]:
    """Return wall time (s), peak memory (MB), date, host, platform and Python of this process."""
    return {
        "wall_time_s": wall_s,
        "peak_memory_mb": peak_memory_mb(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }


def forget_peak_memory() -> bool:
    """Let the peak of memory begin anew at what this process holds now; return whether that is possible here."""
    try:
        _FORGET.write_text("5")
    except OSError:  # no Linux, or /proc is read-only
        return False
    return True


def peak_memory_mb() -> float:
    """Return the largest resident memory that this process has had, MB, since `forget_peak_memory` at most.

    Linux counts the memory of the process that started this one into its ``ru_maxrss``, so there
    ``VmHWM`` is read, which starts anew with each program.
    """
    if _STATUS.exists():
        peak = next((line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:")), None)
        if peak:
            return int(peak.split()[1]) / 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
