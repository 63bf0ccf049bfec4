"""Whatever is written in a scenario or an experiment is accepted, or refused with place and reason and no trace."""

from __future__ import annotations

import copy
import random
import re
import resource
import string
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from tme_sim.batch.plan import make_plan
from tme_sim.cli.app import app
from tme_sim.resources import data_dir
from tme_sim.scenario.load import load_scenario
from tme_sim.scenario.resolved import resolved_yaml

ACCEPTED = 77
FEW_OR_7000 = pytest.mark.parametrize("times", [40, pytest.param(7000, marks=pytest.mark.slow)])
FEW_OR_3000 = pytest.mark.parametrize("times", [30, pytest.param(3000, marks=pytest.mark.slow)])
VALUES = [
    None, True, False, 0, 1, -1, 3, 2**64, 10**30, 1e308, -0.0, 1e-320, 0.5,
    "", "1 h", "-1 h", "0 h", "1e9 d", "1 ng/mL", "5 %", "200 %", "x", "tumour", "oxygen", "every 1 h", "a > 1",
    "1 nm", "1e300 m", "1000000 mm", "0 um", "nan", "inf um", "../../etc", "/etc/passwd", "\x00", "é" * 70, "a\nb",
    [], [1], ["1 um"], ["tumour", None], [[[[1]]]], {}, {"value": 1}, {"a": {"b": []}}, "*x", "!!python/name:os.system",
]  # fmt: skip

SWEEPS = """
experiment: mixed
title: Every kind of axis
scenario: first_steps
settings: {time.duration: 1 h}
arms:
  control: {}
  other: {settings: {record.snapshots: never}}
sweep:
  - {key: time.step, values: [6 min, 3 min]}
  - {key: grid.spacing, from: 20 um, to: 25 um, points: 2, scale: log}
  - {draws: 2, ranges: {fields.oxygen.diffusion: [1900 um^2/s, 2000 um^2/s]}, method: sobol, seed: 1}
replicates: 2
first_seed: 3
common_random_numbers: false
measures: [tumour_cells]
report: [tumour_cells]
checkpoint: 5min
"""
CONVERGING = """
experiment: finer
scenario: first_steps
converge:
  time.step: [12 min, 6 min]
tolerance: 0.1
"""
SMALL = (
    "grid.size=[400 um, 400 um]",
    "tissue.tumour.nodules=[{centre: middle, radius: 60 um, filling: 90 %}]",
)


def places(node: Any, path: tuple = ()) -> Iterator[tuple]:
    """Yield the path of every value but the whole."""
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in parts:
        yield (*path, key)
        yield from places(value, (*path, key))


def parent_of(data: Any, path: tuple) -> Any:
    for part in path[:-1]:
        data = data[part]
    return data


def mutated(text: str, rng: random.Random) -> str:
    """Return a text with one to three things changed: values, keys or characters."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if rng.random() < 0.2:
            at, length = rng.randrange(len(text)), rng.choice((0, 1, 3, 20))
            new = "".join(rng.choice(string.printable + "é\x00\u2028") for _ in range(rng.choice((0, 1, 4))))
            return text[:at] + new + text[at + length :]
        data = yaml.safe_load(text)
        path, other = (rng.choice(list(places(data))) for _ in range(2))
        parent, source = parent_of(data, path), copy.deepcopy(parent_of(data, other)[other[-1]])
        kind = rng.random()
        if kind < 0.5:
            parent[path[-1]] = rng.choice(VALUES)
        elif kind < 0.65:
            parent[path[-1]] = source
        elif kind < 0.8:
            del parent[path[-1]]
        elif isinstance(parent, dict):
            key = rng.choice(
                (f"{path[-1]}x", str(path[-1]).upper(), "", "a.b", rng.choice(["key", "why", "seed"]))
            )
            parent[key] = parent.pop(path[-1]) if rng.random() < 0.5 else source
        else:
            parent.insert(0, source)
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    return text


def is_accepted(result: Any, name: str) -> bool:
    """Return whether a command took its file; one that refused it must have said where and why."""
    if result.exit_code == ACCEPTED:
        return True
    assert result.exit_code == 2, (result.exit_code, result.stderr, result.exception)
    assert result.stdout == ""
    lines = result.stderr.strip().split("\n")
    assert lines[0]
    for line in lines:
        assert re.match(rf"\S*({name}|\.yaml|\.csv|/etc/passwd)(:\d+:\d+)?: .*\w", line) or line.startswith(
            "--set "
        ), result.stderr
    assert "Traceback" not in result.stderr
    assert "internal error" not in result.stderr
    return False


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Let no mutation take more than 4 GB."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (4 * 2**30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_DATA, before)


def go_through(
    texts: list[str], line: list[str], name: str, tmp_path: Path, rng: random.Random, times: int
) -> None:
    accepted, slowest = 0, 0.0
    for _ in range(times):
        text = mutated(rng.choice(texts), rng)
        (tmp_path / name).write_text(text, encoding="utf-8", newline="")
        begin = time.monotonic()
        result = CliRunner().invoke(app, line)
        slowest = max(slowest, time.monotonic() - begin)
        try:
            accepted += is_accepted(result, name)
        except AssertionError:
            print(text)
            raise
        assert [path.name for path in tmp_path.iterdir()] == [name]
    print(f"{times} mutations, {accepted} accepted, the slowest took {slowest:.1f} s")
    assert 0 < accepted < times


def leave(*_: object, **__: object) -> None:
    raise typer.Exit(ACCEPTED)


@FEW_OR_7000
def test_mutated_experiment_is_accepted_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.setattr("tme_sim.cli.batch_plan.prepared", leave)
    quick = (data_dir("experiments") / "quick.yaml").read_text()
    line = ["batch", str(tmp_path / "e.yaml"), "--out", str(tmp_path / "out")]
    go_through([SWEEPS, SWEEPS, CONVERGING, quick], line, "e.yaml", tmp_path, random.Random(21), times)


@FEW_OR_3000
def test_mutated_scenario_is_accepted_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.setattr("tme_sim.cli.run._simulate", leave)
    texts = [
        resolved_yaml(load_scenario("liver_metastasis", SMALL)),
        resolved_yaml(load_scenario("first_steps")),
    ]
    line = ["run", str(tmp_path / "s.yaml"), "--out", str(tmp_path / "a.h5"), "--threads", "1"]
    go_through(texts, line, "s.yaml", tmp_path, random.Random(22), times)


BOMBS = {
    "aliases": "a: &a [x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\n" * 1000,
    "a tag": "experiment: !!python/object/apply:os.system [touch pwned]\n",
    "an alias": "experiment: &x small\nscenario: *x\n",
    "depth": "settings: " + "[" * 500_000,
    "maps": "{a: " * 200_000,
    "lists": "- " * 400_000,
    "digits": "replicates: " + "9" * 900_000,
    "length": "title: " + "x" * 2**20,
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("command", ["batch", "run"])
def test_bomb_is_refused_in_a_moment_and_little_memory(tmp_path: Path, bomb: str, command: str) -> None:
    """Of three times the best counts, in processor time, as other programs may take the machine."""
    path = tmp_path / "bomb.yaml"
    path.write_text(BOMBS[bomb])
    line = [command, str(path), "--out", str(tmp_path / "out")]
    CliRunner().invoke(app, [command, str(tmp_path / "none.yaml"), "--out", str(tmp_path / "out")])  # imports
    before, taken = data_mb(), []
    resource.setrlimit(
        resource.RLIMIT_DATA, (int(before + 100) * 2**20, resource.getrlimit(resource.RLIMIT_DATA)[1])
    )
    for _ in range(3):
        begin = time.process_time()
        result = CliRunner().invoke(app, line)
        taken.append(time.process_time() - begin)
        assert not is_accepted(result, "bomb.yaml")
    assert min(taken) < 0.2
    assert [item.name for item in tmp_path.iterdir()] == ["bomb.yaml"]


def data_mb() -> float:
    """Return what RLIMIT_DATA counts of this process, MB."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmData:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


@pytest.mark.parametrize(
    "axes",
    ["- {key: seed, from: 1, to: 9, points: 1000000}", "- {draws: 1000000, ranges: {seed: [1, 9]}}"]
    + [
        "- {key: seed, from: 1, to: 9, points: 200}\n  - {key: grid.spacing, from: 1 um, to: 9 um, points: 200}"
    ],
)
def test_too_many_points_are_refused_before_they_are_made(tmp_path: Path, axes: str) -> None:
    (tmp_path / "e.yaml").write_text(f"experiment: large\nscenario: first_steps\nsweep:\n  {axes}\n")
    begin = time.process_time()
    result = CliRunner().invoke(app, ["batch", str(tmp_path / "e.yaml"), "--out", str(tmp_path / "out")])
    assert not is_accepted(result, "e.yaml")
    assert "points; expected no more than 10,000" in result.stderr
    assert time.process_time() - begin < 3.0


def test_texts_before_mutation_are_fine(tmp_path: Path) -> None:
    for number, text in enumerate((SWEEPS, CONVERGING)):
        (tmp_path / f"{number}.yaml").write_text(text)
        make_plan(tmp_path / f"{number}.yaml")
