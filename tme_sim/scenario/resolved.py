"""The resolved scenario: everything written out, for people (YAML), for hashing (JSON), for editors (schema)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from tme_sim.scenario.block import DataFile
from tme_sim.scenario.number import Sourced
from tme_sim.scenario.scenario import Scenario


class _Dumper(yaml.SafeDumper):
    """Writes without aliases, which the reader refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True."""
        return True


def resolved_yaml(scenario: Scenario) -> str:
    """Return a scenario that needs no library and states every default, with units; it loads back to an equal one.

    Files that the scenario names stay named, relative to its folder.
    """
    data = _written(scenario)
    data.pop("use", None)
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def resolved_json(scenario: Scenario) -> str:
    """Return the canonical text for hashing: sorted keys, numbers in internal units, files by the hash of their bytes.

    What does not change a result is left out: titles, sources, reasons, ranges, evidence, names of libraries and
    adjustable keys. Lists keep their order, and so do the names that give columns their order.
    """
    data = _canonical(scenario)
    data["order"] = {key: list(getattr(scenario, key)) for key in _ORDERED}
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a scenario file, for editors."""
    schema = Scenario.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "tme-sim scenario"}


_ORDERED = ("cells", "variables", "fields", "vesicles", "cargo", "drugs")
_INERT = frozenset(
    ("title", "documents", "clock", "use", "source", "why", "evidence", "adjustable", "basis", "name", "scenario")
)


def _keys(block: BaseModel) -> dict[str, Any]:
    values = {(info.alias or name): getattr(block, name) for name, info in type(block).model_fields.items()}
    return {**values, **(block.__pydantic_extra__ or {})}


def _written(value: Any) -> Any:
    if isinstance(value, Sourced):
        return _number(value.plain())
    if isinstance(value, BaseModel):
        return {key: _written(part) for key, part in _keys(value).items() if part is not None}
    if isinstance(value, Mapping):
        return {str(key): _written(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_written(part) for part in value]
    return value if isinstance(value, bool | int | float) or value is None else str(value)


def _number(plain: Any) -> Any:
    """Turn text that is a bare number into a number, so that it prints without quotes."""
    if isinstance(plain, dict):
        return {key: part if key in ("source", "why") else _number(part) for key, part in plain.items()}
    if isinstance(plain, list):
        return [_number(part) for part in plain]
    try:
        return int(plain) if plain.lstrip("-").isdigit() else float(plain)
    except ValueError:
        return plain


def _canonical(value: Any) -> Any:
    if isinstance(value, Sourced):
        return float(value) + 0.0
    if isinstance(value, DataFile):
        return f"sha256:{value.sha256}"
    if isinstance(value, BaseModel):
        return {key: _canonical(part) for key, part in _keys(value).items() if key not in _INERT}
    if isinstance(value, Mapping):
        return {str(key): _canonical(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_canonical(part) for part in value]
    return value if isinstance(value, bool | int | float) or value is None else str(value)
