"""Pydantic's errors in the words of this project."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from tme_sim.scenario.checks import Finding
from tme_sim.scenario.faults import Path, nearest, shown

MOST_FAULTS = 200  # each looks for the nearest known word, which takes a third of a millisecond
_EXPECTED = {
    "string_type": "text; quote it if it is meant to be text",
    "string_sub_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
    "dataclass_type": "keys and values",
    "tuple_type": "a list",
    "list_type": "a list",
}


def findings_of(error: ValidationError, model: type[BaseModel]) -> Iterator[Finding]:
    """Yield a finding for each error that is not a mere consequence of another; of many for the first, and how many."""
    if error.error_count() > MOST_FAULTS:
        yield Finding((), f"{error.error_count():,} faults; these are {MOST_FAULTS} of them", None, False)
    for line in error.errors(include_url=False)[:MOST_FAULTS]:
        kind, got, context = line["type"], line["input"], line.get("ctx", {})
        if kind == "consequence":
            continue
        path: Path = tuple(line["loc"])
        at_key = bool(path) and path[-1] == "[key]" and kind != "extra_forbidden"
        path = path[:-1] if at_key else path
        suggestion = context.get("suggestion")
        match kind:
            case "problem":
                reason = line["msg"]
            case "extra_forbidden":
                at_key = True
                keys = _keys_at(model, path[:-1])
                suggestion = nearest(path[-1], keys)
                reason = "unknown key" if suggestion else f"unknown key; expected one of {', '.join(keys)}"
            case "missing":
                reason = "missing"
            case "literal_error":
                words = [
                    word.strip("' ")
                    for word in str(context.get("expected", "")).replace(" or ", ",").split(",")
                ]
                suggestion = nearest(got, words, likeness=0.7)  # of few words, the opposite may be next
                reason = f"got {shown(got)}; expected {context.get('expected')}"
            case "too_short" if not got:
                reason = f"got {shown(got)}; expected {context.get('min_length')} or more"
            case _ if kind in _EXPECTED:
                reason = f"got {shown(got)}; expected {_EXPECTED[kind]}"
            case _:
                reason = f"got {shown(got)}; {line['msg'][:1].lower()}{line['msg'][1:]}"
        yield Finding(path, reason, suggestion, at_key)


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """Return the keys of the block at a path."""
    annotation: Any = model
    for part in path:
        block = _block_of(annotation)
        if block is not None:
            keys = {info.alias or name: info.annotation for name, info in block.model_fields.items()}
            extra = get_args(inspect.get_annotations(block, eval_str=True).get("__pydantic_extra__"))
            annotation = keys.get(str(part), extra[-1] if extra else None)
        else:
            arguments = get_args(_bare(annotation))
            annotation = (
                arguments[-1]
                if get_origin(_bare(annotation)) is dict
                else arguments[0]
                if arguments
                else None
            )
    block = _block_of(annotation)
    return [info.alias or name for name, info in block.model_fields.items()] if block is not None else []


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return _bare(next((part for part in get_args(annotation) if part is not type(None)), None))
    return annotation


def _block_of(annotation: Any) -> type[BaseModel] | None:
    bare = _bare(annotation)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None
