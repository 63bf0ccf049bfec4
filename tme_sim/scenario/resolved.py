"""The resolved scenario written out: for people (YAML), for hashing (JSON), for editors (schema)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from tme_sim.scenario.block import DataFile, Provenance
from tme_sim.scenario.number import Sourced
from tme_sim.scenario.rule_text import GateText
from tme_sim.scenario.scenario import Scenario

_DUMPER: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # four times as fast in C


class _Dumper(_DUMPER):
    """Writes without aliases, which the reader refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True."""
        return True


def resolved_yaml(scenario: Scenario) -> str:
    """Return a scenario that needs no library and states every default; it loads back to an equal one.

    Files that the scenario names stay named, relative to its folder.
    """
    data = written(scenario)
    data.pop("use", None)
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def resolved_json(scenario: Scenario) -> str:
    """Return the canonical text for hashing: sorted keys, internal units, files by the hash of their bytes.

    Sources, reasons and evidence are part of it, because a run file carries them; how a number was written
    and what is merely offered for adjustment are not. Names that order columns keep their order.
    """
    data = _canonical(scenario)
    for key in ("use", "adjustable"):
        del data[key]
    data["order"] = {key: list(getattr(scenario, key)) for key in _ORDERED}
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a scenario file, for editors."""
    schema = Scenario.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "tme-sim scenario"}


_ORDERED = ("cells", "variables", "fields", "vesicles", "cargo", "drugs")
_PROVENANCE = tuple(Provenance.model_fields)


def keys_of(block: BaseModel) -> dict[str, Any]:
    """Return the keys of a block as a scenario writes them, provenance last."""
    values = {(info.alias or name): getattr(block, name) for name, info in type(block).model_fields.items()}
    provenance = {key: values.pop(key) for key in _PROVENANCE if key in values}
    given = {key: value for key, value in provenance.items() if value}
    return {**values, **(block.__pydantic_extra__ or {}), **given}


def written(value: Any) -> Any:
    """Return a block as plain data, numbers as the scenario writes them, every default included."""
    if isinstance(value, Sourced):
        return _number(value.plain())
    if isinstance(value, DataFile):
        return value.written
    if isinstance(value, BaseModel):
        return {key: written(part) for key, part in keys_of(value).items() if part is not None}
    if isinstance(value, Mapping):
        return {str(key): written(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [written(part) for part in value]
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
        block = {
            "value": float(value) + 0.0,
            "range": [float(end) + 0.0 for end in value.range] if value.range is not None else None,
            "source": value.source,
            "why": value.why,
        }
        known = {key: part for key, part in block.items() if part is not None}
        return known if len(known) > 1 else known["value"]
    if isinstance(value, DataFile):
        return f"sha256:{value.sha256}"
    if isinstance(value, GateText):
        return [value.gate.signal, value.gate.above, value.gate.threshold, value.gate.hill]
    if isinstance(value, BaseModel):
        return {key: _canonical(part) for key, part in keys_of(value).items()}
    if isinstance(value, Mapping):
        return {str(key): _canonical(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_canonical(part) for part in value]
    return value if isinstance(value, bool | int | float) or value is None else str(value)
