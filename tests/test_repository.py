"""The rules that the tree itself keeps: portable files, short modules, docstrings, known floors."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SKIPPED = {".git", ".venv", "build", "dist", "runs", "node_modules"}
BINARY = {".png", ".jpg", ".jpeg", ".gif", ".h5", ".pyc", ".pdf", ".npy", ".npz", ".ico", ".tif"}
MODULES = sorted((ROOT / "tme_sim").rglob("*.py"))
SENTENCE = re.compile(r"[^\n]+[.?!]\Z")

# Put together from parts, so that this file does not accuse itself.
_PLACES = "|".join(("root", "work", "home/[a-z]", "Users/[A-Z]", "opt/py"))
MACHINE_PATHS = re.compile(rf"(?<![\w.:/])/(?:{_PLACES})[/\w]")
_HOST_PARTS = [("pypi", "org"), ("pythonhosted", "org"), ("registry.npmjs", "org"), ("deb.debian", "org")]
HOSTS = re.compile("|".join(rf"{re.escape(name)}\.{tail}" for name, tail in _HOST_PARTS))


def _ships(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return (
        path.is_file()
        and path.suffix not in BINARY
        and not any(part in SKIPPED or part.endswith(("_cache", ".egg-info")) for part in parts)
        and not {"__pycache__", ".hypothesis"} & set(parts)
    )


def _texts() -> list[Path]:
    return [path for path in sorted(ROOT.rglob("*")) if _ships(path)]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("what", "pattern"), [("machine path", MACHINE_PATHS), ("registry host", HOSTS)])
def test_tracked_files_name_no_machine_and_no_registry(what: str, pattern: re.Pattern[str]) -> None:
    found = [
        f"{_name(path)}:{number}: {what}: {line.strip()[:80]}"
        for path in _texts()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_docstring_starts_with_one_sentence(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    if path.name == "__init__.py" and not source.strip():
        return
    docstring = ast.get_docstring(ast.parse(source))
    assert docstring, f"{_name(path)} has no docstring"
    assert SENTENCE.match(docstring.splitlines()[0]), f"{_name(path)}: {docstring.splitlines()[0]!r}"


def test_files_stay_under_500_lines() -> None:
    paths = [*MODULES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    lines = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert not {name: count for name, count in lines.items() if count > 500}


def test_subpackage_inits_stay_empty() -> None:
    inits = (ROOT / "tme_sim").glob("*/__init__.py")
    assert not [_name(path) for path in inits if path.read_text(encoding="utf-8").strip()]


def test_every_module_has_a_floor() -> None:
    layers = _pyproject()["tool"]["importlinter"]["contracts"][0]["layers"]
    known = {name.strip("() ") for layer in layers for name in re.split(r"[|:]", layer)}
    present = {path.relative_to(ROOT / "tme_sim").parts[0].removesuffix(".py") for path in MODULES}
    assert present - {"__init__", "_data"} <= known


def test_no_module_is_named_for_nothing() -> None:
    vague = {"utils", "helpers", "manager", "handler", "misc", "common"}
    assert not [_name(path) for path in MODULES if path.stem in vague]


def test_constraints_pin_every_dependency() -> None:
    project = _pyproject()["project"]
    wanted = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    names = {re.split(r"[\[<>=!~; ]", item)[0].lower().replace("_", "-") for item in wanted}
    assert names <= pinned


def test_version_is_the_same_everywhere() -> None:
    import tme_sim

    version = _pyproject()["project"]["version"]
    assert tme_sim.__version__ == version
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
