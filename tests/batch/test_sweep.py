"""Axes of an experiment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from tme_sim.batch.experiment import Sweep
from tme_sim.batch.sweep import SweepError, converging, points_of
from tme_sim.scenario.load import load_scenario

SCENARIO = load_scenario("first_steps")


def axis(**keys: object) -> Sweep:
    return Sweep.model_validate(keys)


def points(*sweeps: Sweep, folder: Path = Path()):
    return points_of(list(sweeps), SCENARIO, folder)


def test_no_axis_is_one_empty_point() -> None:
    assert points() == [{}]


def test_axes_are_crossed() -> None:
    found = points(axis(key="a", values=[1, 2]), axis(key="b", values=["x", "y", "z"]))
    assert len(found) == 6
    assert found[1] == {"a": "1", "b": "y"}


def test_log_axis_has_equal_ratios() -> None:
    found = [
        float(p["dose"].split()[0])
        for p in points(axis(key="dose", **{"from": "1 nM"}, to="1000 nM", points=4, scale="log"))
    ]
    assert np.allclose(found, [1, 10, 100, 1000])


def test_ends_without_unit_may_be_numbers() -> None:
    assert points(axis(key="gain", **{"from": 0}, to=1, points=3)) == [
        {"gain": f"{x}"} for x in (0.0, 0.5, 1.0)
    ]
    assert len(points(axis(draws=3, ranges={"gain": [0, 1.5]}))) == 3


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol"])
def test_draws_stay_inside_and_fill_their_ranges(method: str) -> None:
    found = points(axis(draws=16, ranges={"a": ["2 um", "4 um"], "b": ["1 /h", "3 /h"]}, method=method))
    values = np.array([float(p["a"].split()[0]) for p in found])
    assert len(found) == 16
    assert values.min() >= 2.0
    assert values.max() <= 4.0
    assert np.all(np.histogram(values, 4, (2, 4))[0] == 4)  # both methods put one draw into each sixteenth


def test_same_seed_same_draws() -> None:
    sweep = axis(draws=5, ranges={"a": ["2 um", "4 um"]}, seed=3)
    assert points(sweep) == points(sweep)
    assert points(sweep) != points(axis(draws=5, ranges={"a": ["2 um", "4 um"]}, seed=4))


def test_assumed_draws_every_range_of_the_scenario() -> None:
    liver = load_scenario("s0_relay")
    found = points_of([axis(draws=2, assumed=True)], liver, Path())
    assert len(found[0]) > 50
    load_scenario("s0_relay", [f"{key}={value}" for key, value in found[0].items()])


def test_table_gives_a_point_per_line(tmp_path: Path) -> None:
    (tmp_path / "design.csv").write_text("a,b\n1 nM,2\n3 nM,4\n")
    assert points(axis(table="design.csv"), folder=tmp_path) == [
        {"a": "1 nM", "b": "2"},
        {"a": "3 nM", "b": "4"},
    ]


def test_table_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    (tmp_path / "design.csv").write_bytes(b"\xef\xbb\xbfa, b\r\n1 nM, 2\r\n\r\n")
    assert points(axis(table="design.csv"), folder=tmp_path) == [{"a": "1 nM", "b": "2"}]


def test_table_that_is_no_file_or_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "design.csv").symlink_to("/dev/zero")
    with pytest.raises(SweepError, match="is no file"):
        points(axis(table="design.csv"), folder=tmp_path)
    (tmp_path / "long.csv").write_text("a\n" + "".join(f"{i}\n" for i in range(10_001)))
    with pytest.raises(SweepError, match="10,001 points; expected no more than 10,000"):
        points(axis(table="long.csv"), folder=tmp_path)


@pytest.mark.parametrize("text", ["", "a,b\n", "a,a\n1,2\n", "a,b\n1\n", "a,\n1,2\n", "a,b\n1,\n"])
def test_broken_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "design.csv").write_text(text)
    with pytest.raises(SweepError, match=r"design\.csv"):
        points(axis(table="design.csv"), folder=tmp_path)


@pytest.mark.parametrize(
    "keys",
    [
        {"from": "1 nM", "to": "2 h", "points": 3},
        {"from": "x", "to": "2 nM", "points": 3},
        {"from": "0 nM", "to": "2 nM", "points": 3, "scale": "log"},
    ],
)
def test_broken_axis_is_refused(keys: dict) -> None:
    with pytest.raises(SweepError):
        points(axis(key="a", **keys))


@pytest.mark.parametrize(
    "keys",
    [
        {"key": "a", "values": [1, 2], "points": 3},
        {"key": "a", "values": [1, 2], "scale": "log"},
        {"key": "a", "from": 1, "to": 2, "points": 3, "seed": 1},
        {"draws": 2, "ranges": {"a": [1, 2]}, "assumed": True},
        {"draws": 2, "assumed": True, "scale": "log"},
        {"draws": 2, "ranges": {}},
    ],
)
def test_axis_with_what_it_would_not_use_is_refused(keys: dict) -> None:
    with pytest.raises(ValidationError):
        axis(**keys)


def test_point_given_twice_is_refused() -> None:
    with pytest.raises(SweepError, match="a=1: given twice"):
        points(axis(key="a", values=[1, 2, 1]))


def test_sobol_sequence_without_balance_is_refused() -> None:
    with pytest.raises(SweepError, match="such as 4 or 8"):
        points(axis(draws=5, method="sobol", ranges={"a": [1, 2]}))


def test_two_axes_of_one_key_are_refused() -> None:
    with pytest.raises(SweepError, match="two axes set a"):
        points(axis(key="a", values=[1]), axis(key="a", values=[2]))


def test_convergence_refines_one_key_at_a_time() -> None:
    found = converging({"a": ["1", "2"], "b": ["x", "y", "z"]})
    assert found == [{"a": "1", "b": "x"}, {"a": "2", "b": "x"}, {"a": "1", "b": "y"}, {"a": "1", "b": "z"}]
    assert converging({"replicates": ["3", "9"]}) == [{}]
