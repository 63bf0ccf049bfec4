import re
from pathlib import Path

import pytest

from tme_sim.resources import data_dir
from tme_sim.rules.evidence import (
    EvidenceError,
    bibliography,
    documents,
    known_ids,
    known_sources,
    mechanisms,
    parameters,
    read_mechanisms,
    read_parameters,
)

ROOT = data_dir("seeds").parent
MECHANISM = (
    "id,document,locator,source_cell,carrier,cargo,recipient,effect,condition,strength,model_form,tier,basis"
)
PARAMETER = "id,name,value,unit,low,high,status,source,note"


def made(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "made.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_mechanisms_hold_every_statement_once():
    ids = [row.id for row in mechanisms()]
    assert len(ids) == len(set(ids)) == 192


def test_mechanism_ids_begin_with_their_document():
    prefix = {row.document: row.id[:2] for row in mechanisms()}
    assert sorted(prefix.values()) == ["S0", "S1", "S2", "S3", "S4"]
    assert {row.id[:2] for row in mechanisms()} == set(prefix.values())


def test_mechanism_documents_are_known():
    assert {row.document for row in mechanisms()} == {row.key for row in documents()}


def test_known_ids_hold_the_relay():
    assert {f"S0-{number:02d}" for number in range(1, 15)} <= known_ids()


def test_tier_d_mechanisms_and_they_alone_have_a_reason():
    assert [row.id for row in mechanisms() if (row.tier == "D") != bool(row.reason)] == []


def test_parameter_ids_run_per_group():
    numbers: dict[str, list[int]] = {}
    for row in parameters():
        group, _, number = row.id.rpartition("-")
        numbers.setdefault(group, []).append(int(number))
    assert [name for name, found in numbers.items() if found != list(range(1, len(found) + 1))] == []


def test_parameter_sources_are_in_the_bibliography():
    keys = {entry.key for entry in bibliography()}
    assert [(row.id, key) for row in parameters() for key in row.source if key not in keys] == []


def test_parameter_values_lie_in_their_range():
    ranged = [row for row in parameters() if None not in (row.value, row.low, row.high)]
    assert [row.id for row in ranged if not row.low <= row.value <= row.high] == []


def test_parameter_ids_named_in_notes_exist():
    known = {row.id for row in parameters()}
    groups = "|".join({row.id.rpartition("-")[0] for row in parameters()})
    named = {name for row in parameters() for name in re.findall(rf"\b(?:{groups})-\d+\b", row.note)}
    assert named - known == set()


def test_every_source_is_cited_somewhere():
    cited = {key for row in parameters() for key in row.source} | {row.document for row in mechanisms()}
    texts = [
        p.read_text(encoding="utf-8") for p in (*ROOT.glob("configs/**/*.yaml"), *ROOT.glob("docs/**/*.md"))
    ]
    uncited = {entry.key for entry in bibliography()} - cited
    assert {key for key in uncited if not any(key in text for text in texts)} == set()


def test_identifiers_are_well_formed():
    forms = {"doi": r"10\.\d{4,}/\S+", "pmid": r"\d+", "pmcid": r"PMC\d+", "url": r"https://\S+"}
    bad = [
        (entry.key, name)
        for entry in bibliography()
        for name, form in forms.items()
        if getattr(entry, name) and not re.fullmatch(form, getattr(entry, name))
    ]
    assert bad == []


def test_known_sources_hold_keys_parameters_and_assumed():
    assert {"he2022", "parameters:O2-1", "assumed"} <= known_sources()


def test_read_mechanisms_names_every_fault_with_line(tmp_path):
    row = "S9-1,doc,-,-,-,-,-,says so,-,-,-,{},{},"
    path = made(
        tmp_path, MECHANISM + ",reason", row.format("A", "stated"), row.format("E", "guessed"), "S9-2,doc"
    )
    with pytest.raises(EvidenceError) as caught:
        read_mechanisms(path)
    assert sorted(str(caught.value).splitlines()) == [
        "made.csv:3: basis is 'guessed'; expected one of stated, inferred, assumed",
        "made.csv:3: id S9-1 was given on line 2 already",
        "made.csv:3: tier is 'E'; expected one of A, B, C, D",
        "made.csv:4: 2 columns; expected 14",
    ]


def test_read_parameters_names_every_fault_with_line(tmp_path):
    path = made(tmp_path, PARAMETER, "X-1,thing,much,um,,,F,,")
    with pytest.raises(EvidenceError) as caught:
        read_parameters(path)
    assert str(caught.value).splitlines() == [
        "made.csv:2: status F needs a source",
        "made.csv:2: value is 'much'; expected a number or nothing",
    ]


def test_read_refuses_other_columns(tmp_path):
    with pytest.raises(EvidenceError, match="made.csv:1: columns are a,b; expected id,name"):
        read_parameters(made(tmp_path, "a,b"))
