"""Whatever is killed whenever: no finished run is lost, nothing is unreadable, and going on gives the same bytes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.batch.killed import DeadlyWrites, after, extracted, let_live, said_by, unreadable, whole_batch
from tests.batch.made_batch import experiment_text, run_all, small_plan
from tme_sim.batch.folder import Folder
from tme_sim.batch.plan import Plan, make_plan
from tme_sim.model.tumor import TumorMicroenvironment
from tme_sim.numerics.jit import set_threads
from tme_sim.record.compare import differences
from tme_sim.record.session import Session

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
FEW_OR_200 = pytest.mark.parametrize("kills", [4, pytest.param(200, marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Folder]:
    """Return a plan and a folder with its runs, unbroken; the kernels are loaded, for forks to begin at once."""
    set_threads(1)
    path = tmp_path_factory.mktemp("truth")
    plan, folder = small_plan(path, "30 min"), Folder(path / "out")
    run_all(plan, folder)
    return plan, folder


def same_runs(one: Path, other: Path) -> bool:
    names = sorted(path.name for path in one.glob("*.h5"))
    assert names == sorted(path.name for path in other.glob("*.h5"))
    return all(differences(one / name, other / name) == [] for name in names)


def survives(
    truth: tuple[Plan, Folder], tmp_path: Path, kills: int, attempt: Callable[[Folder], list[str]]
) -> None:
    """Kill and go on, again and again; begin anew when all is done. Every promise is checked after every kill."""
    plan, whole = truth
    killed = finished = 0
    committed: set[str] = set()
    folder = Folder(tmp_path / "out")
    while killed < kills or not finished:
        said = attempt(folder)
        assert not [line for line in said if line.startswith("failed")], said
        if folder.path.exists():
            assert unreadable(folder) == []
        committed |= set(said) - {"end"}
        assert committed <= set(folder.shards() if folder.path.exists() else ())
        if "end" in said:
            finished += 1
            assert same_runs(extracted(folder, tmp_path / "all"), whole.path / "runs")
            assert not [
                path for part in ("checkpoints", "running") for path in folder.path.glob(f"{part}/[!.]*")
            ]
            shutil.rmtree(tmp_path / "all")
            shutil.rmtree(folder.path)
            committed = set()
        else:
            killed += 1


@FEW_OR_200
def test_kills_at_random_times_lose_nothing(truth, tmp_path: Path, kills: int) -> None:
    rng = random.Random(1)
    begin = time.monotonic()
    said_by(lambda say: whole_batch(truth[0], Folder(tmp_path / "first"), say), let_live)
    longest = time.monotonic() - begin

    def attempt(folder: Folder) -> list[str]:
        return said_by(lambda say: whole_batch(truth[0], folder, say), after(rng.random() * 0.8 * longest))

    survives(truth, tmp_path, kills, attempt)


@FEW_OR_200
def test_kills_at_chosen_writes_lose_nothing(truth, tmp_path: Path, kills: int) -> None:
    rng, writes = random.Random(2), DeadlyWrites(0)

    def count(say: Callable[[str], None]) -> None:
        writes.arm()
        whole_batch(truth[0], Folder(tmp_path / "first"), lambda _: None)
        say(str(writes.count))

    (number,) = said_by(count, let_live)
    assert int(number) > 100

    def attempt(folder: Folder) -> list[str]:
        deadly = DeadlyWrites(rng.randint(1, int(number)))

        def work(say: Callable[[str], None]) -> None:
            deadly.arm()
            whole_batch(truth[0], folder, say)

        return said_by(work, let_live)

    survives(truth, tmp_path, kills, attempt)


@pytest.mark.parametrize("kills", [5, pytest.param(60, marks=pytest.mark.slow)])
def test_run_killed_in_the_middle_again_and_again_has_the_same_bytes(
    truth, tmp_path: Path, kills: int
) -> None:
    plan, whole = truth
    rng, killed, tries, steps = random.Random(3), 0, 0, []
    scenario = plan.scenario(plan.runs[0])
    out = tmp_path / "run.h5"

    def work(say: Callable[[str], None]) -> None:
        session = Session.begin(
            TumorMicroenvironment(scenario), out, every_s=0.0, measures=plan.experiment.measures
        )
        say(f"from {session.model.clock.step}")
        if not session.advance(lambda: rng.random() < 0.3):
            os.kill(os.getpid(), signal.SIGKILL)
        session.finish({})
        say("end")

    while killed < kills:
        tries += 1
        rng.seed(
            tries
        )  # the child draws from a copy: each try has its own numbers, so that none repeats for ever
        said = said_by(work, after(0.3 + rng.random()) if tries % 2 else let_live)
        steps += [line for line in said if line.startswith("from")]
        assert not [line for line in said if line.startswith("failed")], said
        if "end" in said:
            assert differences(out, whole.run_file(plan.runs[0].run_id)) == []
            out.unlink()
        killed += "end" not in said
        assert tries < 20 * kills
    assert set(steps) > {"from 0"}  # kills came in the middle, and what was saved was gone on from


@pytest.mark.slow
def test_batch_command_killed_forty_times_has_the_same_bytes(tmp_path: Path) -> None:
    """Kill the supervisor with SIGKILL in the middle of runs; no child may outlive it by 5 s."""
    rng, killed, batches = random.Random(4), 0, 0
    (tmp_path / "small.yaml").write_text(experiment_text("5 h", checkpoint="0.1 s"))
    plan, whole = make_plan(tmp_path / "small.yaml"), Folder(tmp_path / "whole")
    run_all(plan, whole)
    while killed < 40:
        folder = Folder(tmp_path / f"out{batches}")
        line = [
            sys.executable,
            "-m",
            "tme_sim",
            "batch",
            str(tmp_path / "small.yaml"),
            "--out",
            str(folder.path),
        ]
        while True:
            process = subprocess.Popen([*line, "--workers", "2", "-q"], start_new_session=True)
            wanted = time.time()
            while process.poll() is None and not _saved_since(folder, wanted):
                time.sleep(0.02)
            time.sleep(rng.random())
            if process.poll() is not None:
                break
            process.kill()
            process.wait()
            killed += 1
            end = time.monotonic() + 5.0
            while (left := in_group(process.pid)) and time.monotonic() < end:
                time.sleep(0.05)
            assert not left
            assert unreadable(folder) == []
        assert process.returncode == 0
        assert same_runs(folder.path / "runs", whole.path / "runs")
        batches += 1


def _saved_since(folder: Folder, since: float) -> bool:
    found = False
    for path in folder.path.glob("checkpoints/[!.]*"):
        try:
            found = found or path.stat().st_mtime > since
        except FileNotFoundError:
            continue
    return found


def in_group(group: int) -> list[int]:
    """Return the living processes of a group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of) == group and state != "Z":
            found.append(int(path.parent.name))
    return found
