"""Times `tme-sim report` on a batch of a hundred runs, and says how much memory it takes."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXPERIMENT = Path(__file__).with_name("report.yaml")
COMMAND = [sys.executable, "-m", "tme_sim"]
TARGET_S = 60.0


def main(folder: str | None = None) -> dict[str, float]:
    """Print and return wall time, s, and memory, MB; a batch made earlier may be given."""
    with tempfile.TemporaryDirectory() as place:
        batch = Path(folder) if folder else Path(place) / "batch"
        subprocess.run([*COMMAND, "batch", str(EXPERIMENT), "--out", str(batch), "--quiet"], check=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.perf_counter()
        subprocess.run([*COMMAND, "report", str(batch), "--out", f"{place}/report", "--quiet"], check=True)
        wall_s = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "wall_s": wall_s,
        "processor_s": after.ru_utime - before.ru_utime,
        "peak_mb": after.ru_maxrss / 1024,
    }
    print("| report of 100 runs | wall, s | processor, s | target, s |\n|---|---|---|---|")
    print(f"| | {found['wall_s']:.1f} | {found['processor_s']:.1f} | {TARGET_S:g} |\n")
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
