"""A disk that is full at any write leaves nothing half under a final name, and what was there before."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.batch.killed import let_live, said_by
from tests.batch.made_batch import SMALL
from tme_sim.batch.folder import Folder
from tme_sim.batch.merge import merge
from tme_sim.batch.plan import make_plan
from tme_sim.batch.worker import Job, run_job
from tme_sim.cli.app import app
from tme_sim.record import store
from tme_sim.record.manifest import FolderError
from tme_sim.scenario.faults import ScenarioError

EXPERIMENT = f"""{SMALL.replace("DURATION", "30 min")}measures: [tumour_cells]
"""


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "small.yaml").write_text(EXPERIMENT)
    plan, folder = make_plan(tmp_path / "small.yaml"), Folder(tmp_path / "out")
    folder.prepare(plan)
    return Job(folder, plan.runs[0], plan.scenario(plan.runs[0]), plan.experiment.measures, 1e9)


def run(job: Job, stop: Callable[[], bool] = lambda: False) -> bool:
    return run_job(job, stop, lambda _step, _steps: None)


def full_at(monkeypatch: pytest.MonkeyPatch, at: int) -> list[int]:
    """Let the disk be full at the ``at``-th write; return a list of the writes."""
    write, writes = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        writes.append(len(data))
        if len(writes) == at:
            write(descriptor, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data)

    monkeypatch.setattr(store.os, "write", full)
    return writes


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_run_file_is_whole_or_not_there(job: Job) -> None:
    with pytest.MonkeyPatch.context() as patch:
        writes = full_at(patch, 0)
        assert run(job)
    job.folder.run_file(job.run.run_id).unlink()
    assert len(writes) >= 2
    for at in range(1, len(writes) + 1):
        with pytest.MonkeyPatch.context() as patch:
            full_at(patch, at)
            with pytest.raises(OSError, match="No space"):
                run(job)
        assert files_of(job.folder.path / "runs") == []
    assert run(job)
    assert job.folder.sound() == {job.run.run_id}


def test_checkpoint_before_survives(job: Job) -> None:
    assert not run(job, iter([False, True]).__next__)
    for at in (1, 2):
        with pytest.MonkeyPatch.context() as patch:
            full_at(patch, at)
            with pytest.raises(OSError, match="No space"):
                run(job, iter([False, True]).__next__)
        (kept,) = files_of(job.folder.path / "checkpoints")
        assert kept.endswith(".checkpoint.1")
    assert run(job)
    assert files_of(job.folder.path / "checkpoints") == []


class _Full:
    """A file that finds the disk full at one of its writes."""

    def __init__(self, file, at: int):
        self._file, self._left = file, at

    def write(self, data) -> int:
        self._left -= 1
        if self._left == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._file.write(data)

    def __getattr__(self, name: str):
        return getattr(self._file, name)


def test_merged_file_before_survives_every_write(job: Job) -> None:
    assert run(job)
    merge(job.folder)
    before, at, refused = job.folder.results.read_bytes(), 0, 0
    begin = store._Patient.__init__
    while True:
        at += 1

        def patient(self, path: Path, at: int = at) -> None:
            begin(self, path)
            self._file = _Full(self._file, at)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store._Patient, "__init__", patient)
            result = CliRunner().invoke(app, ["merge", str(job.folder.path)])
        assert not list(job.folder.path.glob(".*"))
        if result.exit_code == 0:
            break
        refused += 1
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.stderr
        assert "No space left on device" in result.stderr
        assert job.folder.results.read_bytes() == before
    assert refused > 5


def test_read_only_folder_is_refused_before_the_first_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.yaml").write_text(EXPERIMENT)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(store.os, "open", refuse)
    with pytest.raises(FolderError, match="out: Read-only file system"):
        Folder(tmp_path / "out").prepare(make_plan(tmp_path / "small.yaml"))


@pytest.mark.parametrize("part", ["out", "out/runs", "out/checkpoints"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_folder_of_somebody_else_is_refused_before_the_first_run(tmp_path: Path, part: str) -> None:
    """A fork gives up the superuser's rights, where it has them, as these see no permissions."""
    (tmp_path / "small.yaml").write_text(EXPERIMENT)
    plan, folder = make_plan(tmp_path / "small.yaml"), Folder(tmp_path / "out")
    folder.prepare(plan)
    before = sorted(folder.path.rglob("*"))
    (tmp_path / part).chmod(0o555)

    def work(say: Callable[[str], None]) -> None:
        if os.geteuid() == 0:
            common = Path(tempfile.gettempdir())
            for parent in (tmp_path, *(up for up in tmp_path.parents if common in up.parents)):
                parent.chmod(0o755)
            for path in (folder.path, *before):
                os.chown(path, 65534, 65534)
            os.setuid(65534)
        try:
            folder.prepare(plan)
        except FolderError as error:
            say(str(error))

    (said,) = said_by(work, let_live)
    assert said.startswith(f"--out {tmp_path / part}")
    (tmp_path / part).chmod(0o755)
    assert sorted(folder.path.rglob("*")) == before


@pytest.mark.parametrize("linked", ["out", "out/runs", "out/batch.json"])
def test_linked_output_is_refused(tmp_path: Path, linked: str) -> None:
    (tmp_path / "small.yaml").write_text(EXPERIMENT)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / linked).parent.mkdir(exist_ok=True)
    (tmp_path / linked).symlink_to(tmp_path / "elsewhere")
    result = CliRunner().invoke(app, ["batch", str(tmp_path / "small.yaml"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "link" in result.stderr
    assert files_of(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("name", ["../up", "/etc", "a/b", ".hidden", "", "a" * 65, '"a\\n"', "é"])
@pytest.mark.parametrize("part", ["experiment: small", "arms:"])
def test_names_that_could_leave_the_folder_are_refused(tmp_path: Path, name: str, part: str) -> None:
    quoted = name if name.startswith('"') else f'"{name}"'
    text = EXPERIMENT.replace("experiment: small", f"experiment: {quoted}")
    if part == "arms:":
        text = f"{EXPERIMENT}arms:\n  {quoted}: {{}}\n"
    (tmp_path / "small.yaml").write_text(text)
    with pytest.raises(ScenarioError):
        make_plan(tmp_path / "small.yaml")
