"""What a folder says of the runs in it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tme_sim.batch.folder import Folder
from tme_sim.batch.plan import Planned
from tme_sim.record.shard import Shard

RUN = Planned(0, "control", {}, 0, 1, 0, "a" * 32)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "running").mkdir()
    return Folder(tmp_path)


def test_news_of_a_run_is_json_also_when_shorter_than_the_last(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.path / "running" / f"{RUN.run_id}.json"
    with folder.claim(RUN) as claim:
        for now in (1.23456789012, 1.2):
            monkeypatch.setattr("tme_sim.batch.folder.time.time", lambda now=now: now)
            claim.tell(7, 10)
            assert json.loads(path.read_text()) == {"step": 7, "steps": 10, "pid": os.getpid(), "time": now}
            assert folder.progress(RUN.run_id) == json.loads(path.read_text())
    assert folder.progress(RUN.run_id) is None


@pytest.mark.parametrize("raw", [b"", b'{"step": 3, "st', b"7", b"\x00" * 20, b'{"step": 3}}\n'])
def test_news_caught_half_written_are_no_news(folder: Folder, raw: bytes) -> None:
    with folder.claim(RUN) as claim:
        os.pwrite(claim.descriptor, raw, 0)
        assert folder.progress(RUN.run_id) == {}


def test_news_of_a_killed_process_are_not_those_of_the_next(folder: Folder) -> None:
    (folder.path / "running" / f"{RUN.run_id}.json").write_text(
        '{"step": 3, "steps": 10, "pid": 1, "time": 0}'
    )
    with folder.claim(RUN):
        assert folder.progress(RUN.run_id) == {}


def test_run_file_that_is_packed_away_while_it_is_read_is_no_failure(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def packed(shard: Shard) -> None:
        shard.path.unlink()
        raise FileNotFoundError(shard.path)

    path = folder.run_file(RUN.run_id)
    path.parent.mkdir()
    path.write_bytes(b"a run")
    monkeypatch.setattr(Shard, "check", packed)
    assert folder.sound() == set()
