"""What all blocks of a scenario share: frozen models, types of numbers, types of names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import core_schema

from tme_sim.scenario.faults import problem, shown
from tme_sim.scenario.number import Quantity, Sourced
from tme_sim.scenario.units import DIMENSIONLESS, Scale
from tme_sim.scenario.vocabulary import RESERVED, FieldScale, Vocabulary

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")


@dataclass
class Reading:
    """What validators need to know of the scenario that is being read.

    Attributes
    ----------
    vocabulary : Vocabulary
        All names.
    folder : Path
        Folder that file names are relative to.
    fields : list of FieldScale
        Field whose block is being read, last one innermost.
    """

    vocabulary: Vocabulary
    folder: Path
    fields: list[FieldScale] = field(default_factory=list)

    @contextmanager
    def inside(self, scale: FieldScale) -> Iterator[None]:
        """Read values in the units of one field."""
        self.fields.append(scale)
        try:
            yield
        finally:
            self.fields.pop()


def reading(info: ValidationInfo) -> Reading:
    """Return the context of a validation."""
    if not isinstance(info.context, Reading):
        raise TypeError(
            "a scenario is read by load_scenario or read_scenario, which know its names and units"
        )
    return info.context


class Block(BaseModel):
    """A frozen part of a scenario; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def default(text: str | dict, meaning: str, alias: str | None = None) -> Any:
    """Return a field whose default is written as a scenario would write it, and stated in its description."""
    return Field(text, alias=alias, description=f"{meaning}; default: {text or 'that of each key'}.")


class Provenance(Block):
    """A block whose numbers share a source."""

    source: str | None = Field(
        None, description="Bibliography key, parameters:ID or assumed; default: none given."
    )
    why: str | None = Field(None, description="Reason of what is assumed; default: none given.")
    evidence: tuple[str, ...] = Field((), description="Ids of mechanisms; default: none.")


def _level(info: ValidationInfo) -> Scale:
    return reading(info).fields[-1].level


def _uptake(info: ValidationInfo) -> Scale:
    return reading(info).fields[-1].uptake


Length = Annotated[Sourced, Quantity(Scale("um"), above=0)]
Distance = Annotated[Sourced, Quantity(Scale("um"), at_least=0)]
Duration = Annotated[Sourced, Quantity(Scale("min"), above=0)]
Instant = Annotated[Sourced, Quantity(Scale("min"), at_least=0)]
Rate = Annotated[Sourced, Quantity(Scale("1/min"), at_least=0)]
Diffusion = Annotated[Sourced, Quantity(Scale("um^2/min"), at_least=0)]
Pressure = Annotated[Sourced, Quantity(Scale("mmHg"), at_least=0)]
PositivePressure = Annotated[Sourced, Quantity(Scale("mmHg"), above=0)]
PressureRate = Annotated[Sourced, Quantity(Scale("mmHg/min"), at_least=0)]
Concentration = Annotated[Sourced, Quantity(Scale("nM"), above=0)]
Solubility = Annotated[Sourced, Quantity(Scale("nM/mmHg"), above=0)]
MolarMass = Annotated[Sourced, Quantity(Scale("kDa"), above=0)]
Flux = Annotated[Sourced, Quantity(Scale("molecules/min"), at_least=0)]
PositiveFlux = Annotated[Sourced, Quantity(Scale("molecules/min"), above=0)]
Ratio = Annotated[Sourced, Quantity(DIMENSIONLESS, at_least=0)]
Positive = Annotated[Sourced, Quantity(DIMENSIONLESS, above=0)]
Share = Annotated[Sourced, Quantity(DIMENSIONLESS, at_least=0, at_most=1)]
PositiveShare = Annotated[Sourced, Quantity(DIMENSIONLESS, above=0, at_most=1)]
LEVEL = Quantity(_level, at_least=0)
Level = Annotated[Sourced, LEVEL]
PositiveLevel = Annotated[Sourced, Quantity(_level, above=0)]
Uptake = Annotated[Sourced, Quantity(_uptake, at_least=0)]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=0, le=10**9)]


def _declared(kind: str, names: Callable[[Vocabulary], Iterable[str]]) -> AfterValidator:
    def check(name: str, info: ValidationInfo) -> str:
        known = tuple(names(reading(info).vocabulary))
        if name not in known:
            raise problem(f"got {shown(name)}; there is no such {kind}", name, known)
        return name

    return AfterValidator(check)


CellName = Annotated[str, _declared("cell type", lambda words: words.cell_types)]
VariableName = Annotated[str, _declared("variable", lambda words: words.variables)]
FieldName = Annotated[str, _declared("field", lambda words: words.fields)]
PoolName = Annotated[str, _declared("pool of vesicles", lambda words: words.pools)]
CargoName = Annotated[str, _declared("cargo", lambda words: words.cargo)]
DrugName = Annotated[str, _declared("drug", lambda words: words.drugs)]
IntegrinName = Annotated[str, _declared("integrin", lambda words: words.integrins)]
SignalName = Annotated[str, _declared("signal", lambda words: words.signals)]
BehaviourName = Annotated[str, _declared("behaviour", lambda words: words.behaviours)]


def _new_name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise problem(f"got {shown(name)}; a name is a letter, then up to 62 letters, digits or _")
    if name in RESERVED:
        raise problem(f"{name} is a word of the rules; choose another name")
    return name


NewName = Annotated[str, AfterValidator(_new_name)]


def _every(raw: Any) -> Any:
    if isinstance(raw, str) and raw.startswith("every "):
        return raw.removeprefix("every ")
    if isinstance(raw, Sourced) or raw == "never":
        return raw
    raise problem(f"got {shown(raw)}; expected a schedule such as every 1 h, or never")


class _Every(Quantity):
    """A schedule ``every 1 h``, minutes; ``never`` is zero."""

    def read(self, raw: object, info: ValidationInfo) -> Sourced:
        """Read one schedule."""
        if raw == "never":
            return Sourced(0.0, "min", "never")
        value = super().read(_every(raw), info)
        return Sourced(value, "min", f"every {value.written.removeprefix('every ')}")

    def __get_pydantic_json_schema__(self, schema: object, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": "^(never|every .+)$"}


Every = Annotated[Sourced, _Every(Scale("min"), above=0)]


class DataFile(Path):
    """Path of a data file, with its name as the scenario writes it and the hash of its content.

    Attributes
    ----------
    written : str
        Relative to the scenario's folder; where there is none, to the present one.
    sha256 : str
        Hash of its bytes, hexadecimal.
    """

    def __init__(self, *parts: str | Path, written: str = "", sha256: str = ""):
        super().__init__(*parts)
        self.written, self.sha256 = written, sha256

    def with_segments(self, *parts: str | PathLike[str]) -> Path:
        """Return an ordinary path: what is derived from the file is not the file."""
        return Path(*parts)

    def __reduce__(self) -> tuple:
        return (_data_file, (str(self), self.written, self.sha256))

    def __copy__(self) -> DataFile:
        return self

    def __deepcopy__(self, memo: dict) -> DataFile:
        return self

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            cls._read,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda file: file.written),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: object, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            "type": "string",
            "description": "File name, relative to the scenario's folder, else to the present one.",
        }

    @classmethod
    def _read(cls, raw: object, info: ValidationInfo) -> DataFile:
        if isinstance(raw, DataFile):
            return raw
        if not isinstance(raw, str) or not raw.strip() or "\0" in raw:
            raise problem(f"got {shown(raw)}; expected the name of a file")
        beside = reading(info).folder / raw
        path = (
            beside if beside.exists() else Path(raw)
        )  # an override on the command line means the folder one is in
        try:
            content = path.read_bytes()
        except OSError as error:
            where = (
                "" if beside.is_absolute() and beside == path else f" (sought in {beside.parent} and here)"
            )
            raise problem(f"{raw} cannot be read: {error.strerror}{where}") from None
        return cls(path, written=raw, sha256=hashlib.sha256(content).hexdigest())


def _data_file(path: str, written: str, sha256: str) -> DataFile:
    return DataFile(path, written=written, sha256=sha256)


def _one_or_many(raw: Any) -> Any:
    return [raw] if isinstance(raw, str) else raw


_WORDS_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Words = Annotated[tuple[str, ...], BeforeValidator(_one_or_many), WithJsonSchema(_WORDS_SCHEMA)]
