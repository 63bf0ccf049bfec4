"""Stores a batch of the present format as a fixture, once per version: ``python -m tests.batch.store_format``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.batch.made_batch import run_all, small_plan
from tme_sim.batch import worker
from tme_sim.batch.bundle import bundle
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.record.identity import FORMAT_VERSION

DATA = Path(__file__).parent / "data"


def main() -> None:
    """Write ``data/format-N``: manifest, merged file, one bundle per run."""
    worker.machine_facts = lambda _: {
        "wall_time_s": 1.0,
        "peak_memory_mb": 100.0,
    }  # of no machine in particular
    target = DATA / f"format-{FORMAT_VERSION}"
    if target.exists():
        sys.exit(f"{target} is stored already: a format that has been released never changes")
    with tempfile.TemporaryDirectory() as scratch:
        plan, folder = small_plan(Path(scratch), replicates=1), Folder(Path(scratch, "out"))
        run_all(plan, folder)
        merge(folder)
        bundle(folder, most=1)
        target.mkdir(parents=True)
        for path in (folder.manifest, folder.results):
            shutil.copy(path, target)
        shutil.copytree(folder.bundles, target / "bundles")


if __name__ == "__main__":
    main()
