"""What the page lets a reader change: interventions at a moment, and sliders; both as settings of the scenario."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from tme_sim.measures.measure import field_unit
from tme_sim.scenario.resolved import written
from tme_sim.scenario.scenario import Scenario
from tme_sim.scenario.units import Scale, UnitError, to_internal

_METABOLITES = ("glucose", "lactate", "glutamine", "pyruvate")
_QUANTITY = re.compile(r"([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(.*)")
_TIMING = ("from", "until", "when", "stop_when", "active")
# What only the start of a run reads; everything else acts on the running model.
_FOUNDING = ("grid", "tissue", "vessels", "seed")


@dataclass(frozen=True)
class Offer:
    """An intervention that a button starts.

    Attributes
    ----------
    key : str
        Its name in the scenario; ``dose DRUG`` for one more dose.
    label, hint : str
        What the button says, and the sentence beside it.
    block : dict
        The intervention as a scenario writes it, without its timing; of a dose the dose.
    own : bool
        Whether the scenario declares it.
    """

    key: str
    label: str
    hint: str
    block: Mapping[str, Any]
    own: bool

    @property
    def is_dose(self) -> bool:
        """Whether it is a dose, which ends by itself."""
        return self.key.startswith("dose ")

    @property
    def drug(self) -> str:
        """The drug of a dose."""
        return self.key.removeprefix("dose ")


def offers_of(scenario: Scenario) -> list[Offer]:
    """Return the scenario's interventions, then doses of its drugs and what can be done in every tissue."""
    own = list(_declared(scenario))
    done = {(offer.block.get("kind"), offer.block.get("target")) for offer in own}
    general = [
        offer
        for offer in _general(scenario)
        if (offer.block.get("kind"), offer.block.get("target")) not in done
    ]
    return [*_doses(scenario), *own, *general]


def _declared(scenario: Scenario) -> Iterator[Offer]:
    for name, act in scenario.interventions.items():
        block = _untimed(written(act))
        yield Offer(name, name.replace("_", " "), _sentence(block), block, own=True)


def _untimed(block: Mapping[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in block.items() if key not in _TIMING}


def _doses(scenario: Scenario) -> Iterator[Offer]:
    for name, drug in scenario.drugs.items():
        if drug.schedule:
            given = written(drug.schedule[0])
        elif drug.reference is not None:
            given = written(drug.reference)
        else:
            continue
        if scenario.fields[drug.field].vessel is None:  # blood brings none; in a dish fresh medium does
            if scenario.grid.medium is not None:
                medium = {drug.field: _plain(given["dose"])}
                yield _offer(f"medium_with_{name}", kind="exchange_medium", medium=medium)
            continue
        dose = {key: given[key] for key in ("dose", "for", "route", "at_most") if key in given}
        size = _plain(dose["dose"])
        length = f" for {_plain(dose['for'])}" if "for" in dose else ""
        yield Offer(f"dose {name}", f"give {name}", f"{size}{length}", dose, own=False)


def _general(scenario: Scenario) -> Iterator[Offer]:
    if scenario.vesicles:
        yield _offer("block_all_vesicles", kind="block_release", target="all", factor=0)
    for name, field in scenario.fields.items():
        if field_unit(name) == "mmHg" and field.solve == "steady":
            level = "40 mmHg" if scenario.resistance is None else scenario.resistance.normoxia.written
            yield _offer(f"clamp_{name}", kind="clamp", target=name, level=level)
        elif field.interstitial and name not in _METABOLITES:
            yield _offer(f"neutralise_{name}", kind="neutralise", target=name, rate="100 /h")


def _offer(key: str, **block: Any) -> Offer:
    return Offer(key, key.replace("_", " "), _sentence(block), block, own=False)


def _sentence(block: Mapping[str, Any]) -> str:
    """Return what an intervention does in a few words."""
    kind, target = str(block["kind"]).replace("_", " "), str(block.get("target", "")).replace("_", " ")
    numbers = [
        f"{key.replace('_', ' ')} {_plain(block[key])}"
        for key in ("factor", "rate", "level", "amount", "to", "fraction", "gain")
        if key in block
    ]
    numbers += [f"{name} {_plain(level)}" for name, level in block.get("medium", {}).items()]
    cell = f" in {block['cell']}" if "cell" in block else ""
    return f"{kind} {target}{cell}".rstrip() + (f" ({', '.join(numbers)})" if numbers else "")


def _plain(number: Any) -> str:
    return str(number["value"] if isinstance(number, Mapping) else number)


def start(scenario: Scenario, offer: Offer, minutes: float) -> tuple[str, tuple[str, ...]]:
    """Return the name under which an intervention starts now, and the settings that make it."""
    now = f"{minutes:g} min"
    if offer.is_dose:
        schedule = [written(dose) for dose in scenario.drugs[offer.drug].schedule]
        whole = [*schedule, {**offer.block, "from": now}]
        return offer.key, (f"drugs.{offer.drug}.schedule={json.dumps(whole)}",)
    name, known = offer.key, scenario.interventions
    block = (
        _untimed(written(known[name])) if name in known else offer.block
    )  # sliders may have turned its numbers
    number = 2
    while name in known and known[name].active and float(known[name].start) <= minutes:
        name, number = f"{offer.key}_{number}", number + 1
    return name, (f"interventions.{name}={json.dumps({**block, 'from': now})}",)


def stop(scenario: Scenario, name: str, minutes: float) -> tuple[str, ...]:
    """Return the settings that end an intervention now."""
    if float(scenario.interventions[name].start) >= minutes:
        return (f"interventions.{name}.active=false",)
    return (f"interventions.{name}.until={minutes:g} min",)


def in_force(scenario: Scenario, key: str, minutes: float) -> str | None:
    """Return the name of the intervention of this key that is in force or waits for its condition; None if none."""
    for name, act in scenario.active_interventions().items():
        known = name == key or (name.startswith(f"{key}_") and name.removeprefix(f"{key}_").isdigit())
        ends = math.inf if act.until is None else float(act.until)
        if known and float(act.start) <= minutes < ends:
            return name
    return None


@dataclass(frozen=True)
class Knob:
    """A slider for one number that the scenario declares as adjustable.

    Attributes
    ----------
    key : str
        Dotted key, as a setting names it.
    label, unit : str
    value, low, high : float
        In ``unit``, as the scenario writes it.
    founding : bool
        Whether only a new start reads it.
    """

    key: str
    label: str
    unit: str
    value: float
    low: float
    high: float
    founding: bool

    def of(self, name: str, other: str) -> Knob:
        """Return the slider of the same number of another intervention."""
        return replace(self, key=self.key.replace(f"interventions.{name}.", f"interventions.{other}.", 1))

    @property
    def step(self) -> float:
        """Step of the slider: a hundredth of the range, rounded down to 1, 2 or 5 times a power of ten."""
        about = (self.high - self.low) / 100.0
        power = 10.0 ** math.floor(math.log10(about))
        return next(s * power for s in (5.0, 2.0, 1.0) if s * power <= about * (1.0 + 1e-9))

    def setting(self, value: float) -> str:
        """Return what sets it."""
        kept = min(max(value, self.low), self.high)
        return f"{self.key}={kept:.10g} {self.unit}".rstrip()


def knobs_of(scenario: Scenario) -> list[Knob]:
    """Return a slider per adjustable number; without a documented range it goes from 0 to three times the value."""
    return [knob for key in scenario.adjustable if (knob := _knob(scenario, key)) is not None]


def _knob(scenario: Scenario, key: str) -> Knob | None:
    node = written(scenario)
    for part in key.split("."):
        node = _part(node, part)
    block = isinstance(node, Mapping)
    text = str(node["value"]) if block else str(node)
    quantity = _QUANTITY.fullmatch(text)
    if quantity is None:
        return None  # a word, not a number
    value, unit = float(quantity[1]), quantity[2]
    low, high = (0.0, 3.0 * value) if value > 0.0 else (0.0, 1.0)
    if block and "range" in node:
        with suppress(UnitError):
            low, high = (_in_unit(str(end), unit) for end in node["range"])
    return Knob(
        key=f"{key}.value" if block else key,
        label=key.replace("_", " ").replace(".", " · "),
        unit=unit,
        value=value,
        low=low,
        high=high,
        founding=key.split(".")[0] in _FOUNDING or key == "time.step" or key.endswith(".start"),
    )


def _in_unit(text: str, unit: str) -> float:
    """Return a written number in another unit of the same dimension."""
    return float(text.removesuffix(unit)) if text.endswith(unit) else to_internal(text, Scale(unit))


def _part(node: Any, part: str) -> Any:
    if isinstance(node, list):
        if part.isdigit():
            return node[int(part)]
        return next(item for item in node if isinstance(item, Mapping) and item.get("name") == part)
    return node[part]
