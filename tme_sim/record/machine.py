"""Facts about the machine that ran a run, kept apart from everything that must be byte-equal."""

from __future__ import annotations

import platform
import resource
from datetime import UTC, datetime


def machine_facts(wall_s: float) -> dict[str, str | float]:
    """Return wall time (s), peak memory (MB), date, host, platform and Python of this process."""
    return {
        "wall_time_s": wall_s,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }
