"""Runs all benchmarks: solver, whole step, start-up, report, and pyphysicell where it is installed."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks import bench_model, bench_report, bench_rival, bench_solver, bench_startup


def main() -> None:
    """Print the tables, and write the numbers as JSON where asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--quick", action="store_true", help="the smaller model only, no solver")
    chosen = parser.parse_args()
    print("## Start-up\n")
    startup = bench_startup.main()
    print("## One step, one thread\n")
    sys.stdout.flush()
    model = bench_model.main(["10000"] if chosen.quick else [])
    print("## pyphysicell\n")
    rival = bench_rival.main()
    if not chosen.quick:
        print("## Solver\n", flush=True)
        subprocess.run([sys.executable, bench_solver.__file__], check=True)
    print("## Report\n")
    sys.stdout.flush()
    report = {} if chosen.quick else bench_report.main()
    if chosen.json:
        chosen.json.write_text(
            json.dumps({"startup": startup, "model": model, "pyphysicell": rival, "report": report}, indent=1)
            + "\n"
        )


if __name__ == "__main__":
    main()
