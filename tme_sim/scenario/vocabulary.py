"""The words of a scenario's rules: every signal and behaviour that its names allow, with units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tme_sim.scenario.units import DIMENSIONLESS, Scale, UnitError, to_internal

_MIN, _RATE, _UM = Scale("min"), Scale("1/min"), Scale("um")
RESERVED = frozenset(
    [
        "age",
        "all",
        "apoptosis",
        "dead",
        "energy",
        "evidence",
        "extension",
        "extinct",
        "from_file",
        "label_image",
        "middle",
        "migration",
        "necrosis",
        "none",
        "perfusion",
        "phagocytosis",
        "range",
        "regression",
        "source",
        "sprouting",
        "time",
        "value",
        "why",
    ]
)


@dataclass(frozen=True)
class FieldScale:
    """Units of a field.

    Attributes
    ----------
    level : Scale
        Of its value: mmHg or nM, with molar mass where declared.
    saturable : bool
        True: uptake is a maximal rate in ``level`` per minute; False: a first-order rate.
    """

    level: Scale
    saturable: bool = False

    @property
    def uptake(self) -> Scale:
        """Scale of ``uptake FIELD``."""
        return Scale(f"{self.level.internal}/min", self.level.molar_mass_kda) if self.saturable else _RATE


@dataclass(frozen=True)
class Word:
    """A signal or a behaviour.

    Attributes
    ----------
    name : str
        As rules write it.
    scale : Scale
        Its internal unit.
    meaning : str
        One line for people.
    base : float
        For a behaviour: value in a cell type that declares none.
    lowest, highest : float or None
        For a behaviour: limits of its values.
    """

    name: str
    scale: Scale
    meaning: str
    base: float = 0.0
    lowest: float | None = 0.0
    highest: float | None = None


@dataclass(frozen=True)
class Vocabulary:
    """Names of a scenario, in the order in which it declares them."""

    cell_types: tuple[str, ...]
    variables: tuple[str, ...]
    fields: Mapping[str, FieldScale]
    pools: tuple[str, ...]
    cargo: tuple[str, ...]
    drugs: Mapping[str, Scale]
    integrins: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()

    @classmethod
    def sketch(cls, raw: Any) -> Vocabulary:
        """Collect the names of unchecked data, leniently: what is malformed is reported by the schema."""
        top = raw if isinstance(raw, dict) else {}

        def block(key: str) -> dict[str, Any]:
            value = top.get(key)
            return value if isinstance(value, dict) else {}

        fields = {name: field_scale(field) for name, field in block("fields").items()}
        return cls(
            tuple(block("cells")),
            tuple(block("variables")),
            fields,
            tuple(block("vesicles")),
            tuple(block("cargo")),
            {name: _drug_scale(drug, fields) for name, drug in block("drugs").items()},
            tuple(block("integrins")),
            _sketched_traits(block("cells")),
        )

    @cached_property
    def signals(self) -> dict[str, Word]:
        """Every signal by name, with its unit."""
        words = [Word(name, field.level, f"concentration of {name}") for name, field in self.fields.items()]
        words += [Word(name, DIMENSIONLESS, f"level of {name} in the cell") for name in self.variables]
        for name in self.cargo:
            words.append(Word(f"held {name}", DIMENSIONLESS, f"units of {name} in the cell"))
            words.append(Word(f"arriving {name}", _RATE, f"units of {name} used up per time, times its gain"))
        words += [
            Word(f"docked {pool}", DIMENSIONLESS, f"vesicles of {pool} on the cell") for pool in self.pools
        ]
        for drug, scale in self.drugs.items():
            words.append(Word(f"drug {drug}", scale, f"{drug} in the cell"))
            words.append(Word(f"damage {drug}", DIMENSIONLESS, f"damage done by {drug}"))
            words.append(Word(f"exposure {drug}", Scale("nM*min"), f"time integral of {drug} in the cell"))
        words += [Word(f"trait {name}", DIMENSIONLESS, f"inherited {name}") for name in self.traits]
        contacts = (*self.cell_types, "dead")
        words += [Word(f"contact {kind}", DIMENSIONLESS, f"neighbours that are {kind}") for kind in contacts]
        for kind in self.cell_types:
            meaning = f"sum over neighbours that are {kind} of their"
            words += [
                Word(f"contact {kind} {name}", DIMENSIONLESS, f"{meaning} {name}") for name in self.variables
            ]
        words += [
            Word("free neighbours", DIMENSIONLESS, "neighbour sites without a cell"),
            Word("distance to vessel", _UM, "distance to the nearest perfused vessel"),
            Word("energy", DIMENSIONLESS, "supply over demand of ATP"),
            Word("age", _MIN, "time since birth"),
            Word("time", _MIN, "time since the start"),
            Word("perfusion", DIMENSIONLESS, "1 in the wall of a perfused vessel, else 0"),
        ]
        return {word.name: word for word in words}

    @cached_property
    def behaviours(self) -> dict[str, Word]:
        """Every behaviour by name, with its unit and default base value."""
        words = [
            Word(name, DIMENSIONLESS, f"value that {name} relaxes to, 0 to 1", highest=1.0)
            for name in self.variables
        ]
        for name, field in self.fields.items():
            words.append(Word(f"secretion {name}", Scale("molecules/min"), f"release of {name}"))
            words.append(Word(f"uptake {name}", field.uptake, f"uptake of {name}"))
            meaning = f"weight of the gradient of {name} in migration; negative away from it"
            words.append(Word(f"chemotaxis to {name}", DIMENSIONLESS, meaning, lowest=None))
        for pool in self.pools:
            words.append(Word(f"release {pool}", _RATE, f"vesicles of {pool} released per time"))
            words.append(Word(f"uptake {pool}", DIMENSIONLESS, f"factor on the docking rate of {pool}", 1.0))
        for drug in self.drugs:
            words += [
                Word(f"death from {drug}", _RATE, f"rate of death at full damage by {drug}"),
                Word(f"damage by {drug}", _RATE, f"rate of damage at saturating {drug}"),
                Word(f"repair of {drug}", _RATE, f"rate of repair of the damage by {drug}"),
                Word(f"influx {drug}", _RATE, f"entry of {drug} into the cell"),
                Word(f"efflux {drug}", _RATE, f"export of {drug} from the cell"),
                Word(f"metabolism {drug}", _RATE, f"breakdown of {drug} in the cell"),
            ]
        words += [
            Word(f"killing {kind}", _RATE, f"rate of killing each neighbour that is {kind}")
            for kind in self.cell_types
        ]
        words += [
            Word(f"transition to {kind}", _RATE, f"rate of becoming {kind}") for kind in self.cell_types
        ]
        words += [
            Word(
                f"recruitment {kind}",
                _RATE,
                f"rate at which a perfused vessel cell lets {kind} in from blood",
            )
            for kind in self.cell_types
        ]
        words += [
            Word("cycle entry", _RATE, "rate of leaving G1"),
            Word("apoptosis", _RATE, "rate of programmed death"),
            Word("necrosis", _RATE, "rate of death by energy failure"),
            Word("phagocytosis", _RATE, "rate of clearing each neighbour that is dead"),
            Word("migration", Scale("um/min"), "speed of migration"),
            Word("sprouting", _RATE, "rate of starting a sprout, in cells of vessels"),
            Word("extension", Scale("um/min"), "speed at which the tip of a sprout moves on"),
            Word("regression", _RATE, "rate of death by loss of the vessel, in cells of vessels"),
        ]
        return {word.name: word for word in words}


def _sketched_traits(cells: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the traits of all cell types, from unchecked data."""
    blocks = [cell.get("heredity") if isinstance(cell, dict) else None for cell in cells.values()]
    traits = [block.get("traits") if isinstance(block, dict) else None for block in blocks]
    return tuple(name for names in traits if isinstance(names, dict) for name in names)


def _drug_scale(raw: Any, fields: Mapping[str, FieldScale]) -> Scale:
    name = raw.get("field") if isinstance(raw, dict) else None
    field = fields.get(name) if isinstance(name, str) else None
    return field.level if field is not None and field.level.internal == "nM" else Scale("nM")


def field_scale(raw: Any) -> FieldScale:
    """Return the scales of a field from its unchecked block; nM where its unit or molar mass is malformed."""
    block = raw if isinstance(raw, dict) else {}
    return FieldScale(_level_scale(block), "half_saturation" in block)


def _level_scale(block: Mapping[str, Any]) -> Scale:
    unit, mass = block.get("unit"), block.get("molar_mass")
    if isinstance(mass, dict):
        mass = mass.get("value")
    molar_mass = None
    if mass is not None:
        try:
            molar_mass = to_internal(str(mass), Scale("kDa"))
        except UnitError:
            molar_mass = 1.0
        molar_mass = float(molar_mass) if molar_mass > 0 else 1.0
    for internal in ("mmHg", "nM"):
        try:
            to_internal(f"1 {unit}", Scale(internal, molar_mass or 1.0))
        except UnitError:
            continue
        return Scale(internal, molar_mass)
    return Scale("nM", molar_mass)
