import time

import pytest

from tme_sim.scenario.faults import ScenarioError
from tme_sim.scenario.merge import place_of, plain
from tme_sim.scenario.source import MAX_BYTES, read_file, read_text


def data(text):
    return plain(read_text(text, "t.yaml"))


def refusal(text):
    with pytest.raises(ScenarioError) as caught:
        read_text(text, "t.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        (".5", 0.5),
        ("NO", "NO"),
        ("on", "on"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        ("~", None),
        ("null", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("-3", -3),
        ("=", "="),
        ("20 um", "20 um"),
    ],
)
def test_scalar_is_read_by_the_yaml_1_2_core_schema(text, value):
    read = data(f"k: {text}")["k"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: !!python/object:os.system x", "1:4: tags"),
        ("a: !local x", "1:4: tags"),
        ("a: &x 1\nb: *x", "1:4: anchors"),
        ("a: *x", "anchors"),
        ("a: 1\nb: 2\na: 3", "3:1: the key a occurs twice; first at t.yaml:1:1"),
        ("a: .nan", "1:4: got .nan; expected a finite number"),
        ("a: [1, -.inf]", "1:8: got -.inf"),
        ("a: 1e999", "1:4: got 1e999"),
        ("a: 1\n---\nb: 2", "2:1: holds more than one"),
        ("[1, 2]: 3", "a key must be a word"),
        ("a: " + "9" * 200, "100 digits"),
        ("a: [1", "valid YAML"),
        ("a:\n\t- b", "valid YAML"),
        ("a: \x07", "valid YAML"),
        ("? \n: 1", "empty"),
        ("a: %TAG", "valid YAML"),
    ],
)
def test_what_is_dangerous_or_ambiguous_is_refused(text, reason):
    assert reason in refusal(text)


def test_depth_is_limited():
    assert data("a: " + "[" * 20 + "]" * 20)["a"] is not None
    assert "deeper than 20" in refusal("a: " + "[" * 21 + "]" * 21)


@pytest.mark.parametrize(
    "bomb",
    [
        "a: &a [x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\n" * 1000,
        "[" * 500_000,
        "{a: " * 200_000,
        "- " * 400_000,
        "a: " + "9" * 900_000,
        "a: 1e" + "9" * 900_000,
        "a: " + "x" * (MAX_BYTES + 1),
        "".join(f"k{i}: 1\n" for i in range(80_000)),
        "a: [" + "1, " * 300_000 + "1]",
    ],
)
def test_bomb_is_refused_fast(bomb):
    began = time.perf_counter()
    refusal(bomb)
    assert time.perf_counter() - began < 2.0


def test_file_that_is_not_utf8_is_refused_with_its_place(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ScenarioError, match=r"2:4: is not UTF-8"):
        read_file(path)


def test_byte_order_mark_is_accepted(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert plain(read_file(path)) == {"a": 1}


def test_too_large_file_is_refused(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ScenarioError, match="larger than 1 MiB"):
        read_file(path)


def test_missing_file_and_folder_are_faults(tmp_path):
    for path in (tmp_path, tmp_path / "none.yaml"):
        with pytest.raises(ScenarioError, match="cannot be read"):
            read_file(path)


def test_place_is_line_and_column_of_key_and_value():
    root = read_text("a:\n  b: [1,\n      2]\n", "t.yaml")
    assert str(place_of(root, ("a", "b", 1))) == "t.yaml:3:7"
    assert str(place_of(root, ("a", "b"), of_key=True)) == "t.yaml:2:3"
    assert str(place_of(root, ("a", "missing", "x"))) == "t.yaml:2:3"
