"""Reads the evidence that rules cite: documents, mechanisms, bibliography and parameters."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import yaml

from tme_sim.resources import data_dir

TIERS = ("A", "B", "C", "D")
BASES = ("stated", "inferred", "assumed")
STATUSES = ("F", "FM", "D", "G", "NF")


class EvidenceError(ValueError):
    """A file of the seeds folder is faulty; one line per fault, with file and line."""


@dataclass(frozen=True)
class Mechanism:
    """One statement of a source document, in our own words.

    Attributes
    ----------
    id : str
        ``S0-03``: document and running number.
    document, locator : str
        Key in documents.yaml; where in the document.
    source_cell, carrier, cargo, recipient, effect, condition : str
        Who acts on whom by what, and when.
    strength : str
        How the document supports it.
    model_form : str
        How a model may express it.
    tier : str
        A needed, B optional module, C knob or readout, D out of scope.
    basis : str
        Whether the model form is ``stated``, ``inferred`` or ``assumed``.
    reason : str
        Why it is out of scope (tier D only).
    line : int
        Line in mechanisms.csv.
    """

    id: str
    document: str
    locator: str
    source_cell: str
    carrier: str
    cargo: str
    recipient: str
    effect: str
    condition: str
    strength: str
    model_form: str
    tier: str
    basis: str
    reason: str
    line: int


@dataclass(frozen=True)
class Parameter:
    """One number found, derived or assumed.

    Attributes
    ----------
    id : str
        ``O2-1``: group and running number.
    name, unit : str
    value, low, high : float or None
        In ``unit``; None where none was found.
    status : str
        F found, FM found in a public model, D derived, G general knowledge (a prior), NF not found.
    source : tuple of str
        Keys of bibliography.yaml; empty for D, G and NF.
    note : str
    line : int
        Line in parameters.csv.
    """

    id: str
    name: str
    value: float | None
    unit: str
    low: float | None
    high: float | None
    status: str
    source: tuple[str, ...]
    note: str
    line: int


@dataclass(frozen=True)
class Source:
    """An entry of bibliography.yaml: citation and, where known, doi, pmid, pmcid or url."""

    key: str
    citation: str
    doi: str
    pmid: str
    pmcid: str
    url: str
    line: int


@dataclass(frozen=True)
class Document:
    """One of the source documents: citation, identifiers, licence, and what of it was read."""

    key: str
    citation: str
    doi: str
    pmcid: str
    licence: str
    read: str
    line: int


@cache
def mechanisms() -> tuple[Mechanism, ...]:
    """Return every statement of the documents, in file order."""
    return read_mechanisms(data_dir("seeds") / "mechanisms.csv")


@cache
def parameters() -> tuple[Parameter, ...]:
    """Return every row of parameters.csv, in file order."""
    return read_parameters(data_dir("seeds") / "parameters.csv")


@cache
def bibliography() -> tuple[Source, ...]:
    """Return every source, in file order."""
    return tuple(_entries(data_dir("seeds") / "bibliography.yaml", Source))


@cache
def documents() -> tuple[Document, ...]:
    """Return the source documents, in file order."""
    return tuple(_entries(data_dir("seeds") / "documents.yaml", Document))


@cache
def known_ids() -> frozenset[str]:
    """Return the ids that a rule may cite."""
    return frozenset(row.id for row in mechanisms())


@cache
def known_sources() -> frozenset[str]:
    """Return what a number may name as ``source``: bibliography keys, ``parameters:ID`` and ``assumed``."""
    return frozenset(
        (
            *(entry.key for entry in bibliography()),
            *(f"parameters:{row.id}" for row in parameters()),
            "assumed",
        )
    )


def read_mechanisms(path: Path) -> tuple[Mechanism, ...]:
    """Read a mechanisms table.

    Raises
    ------
    EvidenceError
        Naming every fault with its line: repeated ids, unknown tier or basis, missing words.
    """
    faults: list[str] = []
    rows = []
    seen: dict[str, int] = {}
    for line, cells in _rows(path, Mechanism, faults):
        where = f"{path.name}:{line}"
        if cells["id"] in seen:
            faults.append(f"{where}: id {cells['id']} was given on line {seen[cells['id']]} already")
        seen[cells["id"]] = line
        faults += [f"{where}: {name} is empty" for name in ("id", "document", "effect") if not cells[name]]
        faults += _outside(where, "tier", cells["tier"], TIERS)
        faults += _outside(where, "basis", cells["basis"], BASES)
        rows.append(Mechanism(**cells, line=line))
    _raise(faults)
    return tuple(rows)


def read_parameters(path: Path) -> tuple[Parameter, ...]:
    """Read a table of parameters.

    Raises
    ------
    EvidenceError
        Naming every fault with its line: repeated ids, numbers that are none, unknown status, a found number
        without source.
    """
    faults: list[str] = []
    rows = []
    seen: dict[str, int] = {}
    for line, cells in _rows(path, Parameter, faults):
        where = f"{path.name}:{line}"
        if cells["id"] in seen:
            faults.append(f"{where}: id {cells['id']} was given on line {seen[cells['id']]} already")
        seen[cells["id"]] = line
        faults += _outside(where, "status", cells["status"], STATUSES)
        source = tuple(key.strip() for key in cells["source"].split(";") if key.strip())
        if cells["status"] in ("F", "FM") and not source:
            faults.append(f"{where}: status {cells['status']} needs a source")
        numbers = {name: _number(where, name, cells[name], faults) for name in ("value", "low", "high")}
        rows.append(Parameter(**{**cells, **numbers, "source": source}, line=line))
    _raise(faults)
    return tuple(rows)


def _rows(path: Path, row_type: type, faults: list[str]) -> Iterator[tuple[int, dict]]:
    """Yield (line, cells by column) of a CSV file whose header must be the fields of ``row_type``."""
    expected = [field.name for field in fields(row_type) if field.name != "line"]
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if header != expected:
            raise EvidenceError(
                f"{path.name}:1: columns are {','.join(header)}; expected {','.join(expected)}"
            )
        for cells in reader:
            line = reader.line_num
            if len(cells) != len(expected):
                faults.append(f"{path.name}:{line}: {len(cells)} columns; expected {len(expected)}")
            else:
                yield line, dict(zip(expected, (cell.strip() for cell in cells), strict=True))


def _entries(path: Path, entry_type: type) -> Iterator:
    """Yield the entries of a YAML mapping of key -> {field: text}, each with its line."""
    names = [field.name for field in fields(entry_type) if field.name not in ("key", "line")]
    faults: list[str] = []
    entries = {}
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for key_node, node in root.value if isinstance(root, yaml.MappingNode) else []:
        where, key = f"{path.name}:{key_node.start_mark.line + 1}", key_node.value
        if key in entries:
            faults.append(f"{where}: {key} is repeated")
        if not isinstance(node, yaml.MappingNode):
            faults.append(f"{where}: {key}: expected fields {', '.join(names)}")
            continue
        texts = {name_node.value: " ".join(value.value.split()) for name_node, value in node.value}
        faults += [f"{where}: {key}: unknown field {name}" for name in texts if name not in names]
        if not texts.get("citation"):
            faults.append(f"{where}: {key}: citation is missing")
        known = {name: texts.get(name, "") for name in names}
        entries[key] = entry_type(key=key, **known, line=key_node.start_mark.line + 1)
    _raise(faults)
    yield from entries.values()


def _outside(where: str, name: str, word: str, allowed: tuple[str, ...]) -> list[str]:
    return [] if word in allowed else [f"{where}: {name} is {word!r}; expected one of {', '.join(allowed)}"]


def _number(where: str, name: str, text: str, faults: list[str]) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        faults.append(f"{where}: {name} is {text!r}; expected a number or nothing")
        return None


def _raise(faults: list[str]) -> None:
    if faults:
        raise EvidenceError("\n".join(faults))
