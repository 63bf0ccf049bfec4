"""The built wheel works outside the source tree."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("dist")
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return zipfile.ZipFile(path)


def test_wheel_carries_configs_and_seeds(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for folder in ("configs", "seeds", "experiments"):
        sources = [path for path in (ROOT / folder).rglob("*") if path.suffix in {".yaml", ".csv", ".md"}]
        assert sources
        assert {f"tme_sim/_data/{path.relative_to(ROOT)}" for path in sources} <= names


def test_wheel_carries_every_module(wheel: zipfile.ZipFile) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "tme_sim").rglob("*.py")}
    assert modules <= set(wheel.namelist())


def test_wheel_carries_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tme_sim"}


def test_wheel_has_the_command(wheel: zipfile.ZipFile) -> None:
    (entry,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "tme-sim = tme_sim.cli.app:main" in wheel.read(entry).decode()


def test_wheel_carries_the_page_of_reports(wheel: zipfile.ZipFile) -> None:
    assert "tme_sim/analysis/report/page.html.j2" in wheel.namelist()
