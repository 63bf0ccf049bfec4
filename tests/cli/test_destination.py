from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tme_sim.cli import destination
from tme_sim.cli.destination import check_place
from tme_sim.cli.errors import CommandError


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="does not exist; create it first"):
        check_place(tmp_path / "absent" / "run.h5")


def test_folder_as_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is a folder"):
        check_place(tmp_path)


def test_file_as_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(CommandError, match="is not a folder"):
        check_place(tmp_path / "a" / "run.h5")


def test_name_of_the_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="belongs to the picture"):
        check_place(tmp_path / "run.png")


def test_device_is_refused(tmp_path: Path) -> None:
    """Reading one to see what it holds would never end."""
    (tmp_path / "run.h5").symlink_to("/dev/full")
    with pytest.raises(CommandError, match="is a device, pipe or socket"):
        check_place(tmp_path / "run.h5")


def test_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(destination.tempfile, "TemporaryFile", refuse)
    with pytest.raises(CommandError, match="cannot be written to: Read-only file system"):
        check_place(tmp_path / "run.h5")


def test_free_name_is_accepted(tmp_path: Path) -> None:
    check_place(tmp_path / "run.h5")
    assert not list(tmp_path.iterdir())
