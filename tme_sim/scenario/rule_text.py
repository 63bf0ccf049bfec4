"""Rules as a scenario writes them, and their conversion to rows in internal units."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from tme_sim.rules.rule import Gate, Rule
from tme_sim.scenario.block import (
    BehaviourName,
    CellName,
    Flag,
    NewName,
    Positive,
    Provenance,
    SignalName,
    default,
    reading,
)
from tme_sim.scenario.faults import consequence, problem, shown
from tme_sim.scenario.number import Quantity, Sourced, read_number
from tme_sim.scenario.units import DIMENSIONLESS, Scale
from tme_sim.scenario.vocabulary import Word

GATE_HILL = 4.0
_GATE = re.compile(r"\s*(\S.*?)\s+(above|below)\s+(.*?)(?:\s+hill\s+(\S+))?\s*")
_HYPOTHESIS = re.compile(r"[A-Za-z]\w*\.[A-Za-z]\w*", re.ASCII)


def _read_gate(raw: Any, info: ValidationInfo) -> GateText:
    if isinstance(raw, GateText):
        return raw
    match = _GATE.fullmatch(raw) if isinstance(raw, str) and len(raw) < 200 else None
    if match is None:
        raise problem(f"got {shown(raw)}; expected a gate such as oxygen below 10 mmHg hill 4")
    signal, side, threshold, hill = match.groups()
    signals = reading(info).vocabulary.signals
    if signal not in signals:
        raise problem(f"{shown(signal)} is no signal of this scenario", signal, signals)
    at = read_number(threshold, signals[signal].scale, above=0)
    steepness = read_number(hill, DIMENSIONLESS, above=0) if hill else GATE_HILL
    return GateText(" ".join(raw.split()), Gate(signal, side == "above", float(at), float(steepness)))


class GateText(str):
    """A gate as written, with its meaning in ``gate``."""

    gate: Gate

    def __new__(cls, text: str, gate: Gate) -> GateText:
        """Make a gate of its text and meaning."""
        self = super().__new__(cls, text)
        self.gate = gate
        return self

    def __reduce__(self) -> tuple:
        return (type(self), (str(self), self.gate))


While = Annotated[
    GateText, PlainValidator(_read_gate), PlainSerializer(str), WithJsonSchema({"type": "string"})
]


def _signal_scale(info: ValidationInfo) -> Scale:
    return _word(info, "signal").scale


class _Saturation(Quantity):
    """Saturation of a rule, in the unit and limits of its behaviour."""

    def read(self, raw: object, info: ValidationInfo) -> Sourced:
        """Read one value."""
        word = _word(info, "behaviour")
        return read_number(raw, word.scale, at_least=word.lowest, at_most=word.highest)


def _word(info: ValidationInfo, key: Literal["signal", "behaviour"]) -> Word:
    name = info.data.get(key)
    words = reading(info).vocabulary
    word = (
        (words.signals if key == "signal" else words.behaviours).get(name) if isinstance(name, str) else None
    )
    if word is None:
        raise consequence()
    return word


class RuleSpec(Provenance):
    """One signal that raises or lowers one behaviour of one type of cell."""

    name: NewName | None = Field(
        None, description="Name by which --set and sweeps find the rule; default: none."
    )
    cell: CellName = Field(description="Type of cell.")
    signal: SignalName = Field(description="What the cell senses.")
    effect: Literal["increases", "decreases"] = Field(description="Direction.")
    behaviour: BehaviourName = Field(description="What changes.")
    to: Annotated[Sourced, _Saturation(DIMENSIONLESS)] = Field(description="Value at saturating signal.")
    half_max: Annotated[Sourced, Quantity(_signal_scale, above=0)] = Field(
        description="Signal at half effect."
    )
    hill: Positive = default("1", "Hill power")
    gates: tuple[While, ...] = Field(
        (),
        alias="while",
        description="Gates `SIGNAL above|below VALUE [hill N]`, all multiply; default N: 4.",
    )
    hypothesis: Annotated[str, Field(pattern=_HYPOTHESIS.pattern)] | None = Field(
        None,
        description="set.name: in force where `hypotheses` chooses this name of the set; default: always.",
    )
    basis: Literal["stated", "inferred", "assumed"] = Field(
        "assumed", description="Where the form of the rule comes from; default: assumed."
    )
    dead: Flag = Field(False, description="Acts on the remains of dead cells too; default: false.")

    def row(self) -> Rule:
        """Return the rule in internal units."""
        return Rule(
            cell=self.cell,
            signal=self.signal,
            increases=self.effect == "increases",
            behaviour=self.behaviour,
            saturation=float(self.to),
            half_max=float(self.half_max),
            hill=float(self.hill),
            gates=tuple(text.gate for text in self.gates),
            evidence=self.evidence,
            basis=self.basis,
            hypothesis=self.hypothesis,
            why=self.why or "",
            dead=self.dead,
        )
