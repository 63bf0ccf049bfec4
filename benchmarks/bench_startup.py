"""Times `tme-sim --help`, and how soon a second run steps, its kernels read from the cache."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

REPEATS = 5
HELP = [sys.executable, "-c", "from tme_sim.cli.app import main; main()", "--help"]
FIRST_STEP = [
    sys.executable,
    "-c",
    "from tme_sim import TumorMicroenvironment as T; T('s0_relay', ['grid.size=[1 mm, 1 mm]']).step()",
]


def fastest(command: list[str], repeats: int) -> dict[str, float]:
    """Return the shortest wall and processor time of a command, s."""
    wall, used = [], []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall.append(time.perf_counter() - begin)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {"wall_s": min(wall), "processor_s": min(used)}


def main() -> dict[str, dict[str, float]]:
    """Print and return both times."""
    subprocess.run(FIRST_STEP, check=True)  # compiles where nothing is cached yet
    found = {
        "tme-sim --help": fastest(HELP, REPEATS),
        "second run, up to its first step": fastest(FIRST_STEP, 3),
    }
    targets = (0.3, 3.0)
    print("| | wall, s | processor, s | target, s |\n|---|---|---|---|")
    for (name, times), target in zip(found.items(), targets, strict=True):
        print(f"| {name} | {times['wall_s']:.2f} | {times['processor_s']:.2f} | {target} |")
    print()
    return found


if __name__ == "__main__":
    main()
