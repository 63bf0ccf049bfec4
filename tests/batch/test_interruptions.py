"""A batch that is asked to stop, killed in part or short of memory loses nothing but what it must."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.batch.made_batch import SMALL
from tme_sim.batch.folder import Folder

EXPERIMENT = f"""{SMALL}arms:
  small: {{}}
  other: {{settings: {{grid.size: OTHER}}}}
replicates: 2
measures: [tumour_cells]
"""
LONG = EXPERIMENT.replace("DURATION", "60 d").replace("OTHER", "[320 um, 320 um]")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Return what starts a batch in ``tmp_path/out``, in a process group of its own."""
    begun: list[subprocess.Popen] = []

    def begin(text: str, *more: str) -> subprocess.Popen:
        (tmp_path / "small.yaml").write_text(text)
        line = [
            "batch",
            str(tmp_path / "small.yaml"),
            "--out",
            str(tmp_path / "out"),
            "--workers",
            "2",
            *more,
        ]
        begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "tme_sim", *line],
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )
        )
        return begun[-1]

    yield begin
    for process in begun:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def pids(out: Path) -> list[int]:
    """Return who runs what now."""
    held = [Folder(out).progress(path.stem) or {} for path in out.glob("running/*.json")]
    return [found["pid"] for found in held if "pid" in found]


def until(true: Callable[[], object], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize(("number", "whole_group"), [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_one_signal_saves_what_runs(start, tmp_path: Path, number: int, whole_group: bool) -> None:
    process, out = start(LONG, "--set", "record.snapshots=never"), tmp_path / "out"
    assert until(lambda: len(pids(out)) == 2, 120.0)
    running = pids(out)
    (os.killpg if whole_group else os.kill)(process.pid, number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "2 saved in the middle" in said, Folder(out).states()
    assert "go on with: tme-sim batch" in said
    assert "--set record.snapshots=never" in said
    assert len(list(out.glob("checkpoints/*.checkpoint"))) == 2
    assert not list(out.glob("failed/*"))
    assert all(map(gone, running))


def test_second_ctrl_c_leaves_at_once(start, tmp_path: Path) -> None:
    process, out = start(LONG), tmp_path / "out"
    assert until(lambda: len(pids(out)) == 2, 120.0)
    running = pids(out)
    for pid in running:
        os.kill(pid, signal.SIGSTOP)  # they cannot save themselves
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert (
        process.wait(timeout=2) == 130
    )  # the fork server, which holds stderr too, ends by itself a moment later
    assert until(lambda: all(map(gone, running)), 2.0)


def test_sigterm_while_the_plan_is_read_leaves_as_ctrl_c_does(start, tmp_path: Path) -> None:
    sweep = "sweep: [{key: fields.oxygen.vessel.value, from: 30 mmHg, to: 40 mmHg, points: 3000}]\n"
    process = start(LONG + sweep)
    assert until(lambda: catches(process.pid, signal.SIGTERM), 30.0)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (130, "interrupted\n")
    assert not (tmp_path / "out").exists()


def catches(pid: int, number: int) -> bool:
    """Return whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    (mask,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.slow
def test_ctrl_c_while_kernels_load_leaves(start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cold"))  # compiling takes long
    monkeypatch.setenv("TME_SIM_CACHE", str(tmp_path / "cold"))
    process = start(LONG)
    assert process.stderr is not None
    assert process.stderr.readline() == "loading kernels\n"
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == 130
    assert until(lambda: not in_group(process.pid), 15.0)  # one kernel is compiled to its end


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


@pytest.mark.slow
def test_run_that_is_always_killed_fails_alone(start, tmp_path: Path) -> None:
    process, out = (
        start(EXPERIMENT.replace("DURATION", "1 d").replace("OTHER", "[320 um, 320 um]")),
        tmp_path / "out",
    )
    assert until(lambda: (out / "batch.json").exists(), 60.0)
    folder = Folder(out)
    victim, *others = (entry.run_id for entry in folder.entries())
    killed: set[int] = set()

    def kill() -> bool:
        pid = (folder.progress(victim) or {}).get("pid")
        if pid is not None and pid not in killed:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        return process.poll() is not None

    assert until(kill, 180.0)
    _, said = process.communicate()
    assert (process.returncode, len(killed)) == (1, 2)
    assert "retried: small, replicate 0: killed by SIGKILL" in said
    assert folder.failure(victim) == "killed by SIGKILL"
    assert folder.sound() == set(others)


@pytest.mark.slow
def test_run_short_of_memory_fails_alone(start, tmp_path: Path) -> None:
    text = (
        EXPERIMENT.replace("DURATION", "1 h").replace("OTHER", "[12 mm, 12 mm]").replace("replicates: 2", "")
    )
    process, folder = start(text, "--memory", "500"), Folder(tmp_path / "out")
    _, said = process.communicate(timeout=180)
    small, other = (entry.run_id for entry in folder.entries())
    assert process.returncode == 1, said
    assert folder.failure(other).startswith("out of memory")
    assert folder.sound() == {small}
