"""Translates what a scenario says of heredity into plain numbers."""

from __future__ import annotations

import numpy as np

from tme_sim.model.specs import Numbers
from tme_sim.numerics.spread import BETA, FIXED, LOGNORMAL, NORMAL
from tme_sim.processes.heredity import Inheritance, Trait
from tme_sim.rules.expression import Expression
from tme_sim.scenario.heredity import FITNESS, CloneSpec, TraitSpec

_KINDS = {"lognormal": LOGNORMAL, "normal": NORMAL, "beta": BETA}


def inheritance_of(numbers: Numbers) -> Inheritance:
    """Return what founders get and daughters inherit."""
    layout, blocks = numbers.layout, numbers.scenario.heredity()
    traits = [
        _trait(spec, layout.cell_types.index(kind), name, _clones(numbers))
        for kind, block in blocks.items()
        for name, spec in block.traits.items()
    ]
    if FITNESS in layout.traits:
        of_clone = np.array([1.0, *(float(clone.fitness) for clone in _clones(numbers).values())])
        traits.append(Trait(-1, True, FIXED, 1.0, 0.0, 0.0, 1.0, 1.0, of_clone))
    code = {name: i + 1 for i, name in enumerate(layout.clones)}
    founders = np.ones((len(layout.cell_types), len(code) + 1))
    switching = np.zeros((len(code) + 1, len(code) + 1))
    for kind, block in blocks.items():
        if block.clones:
            shares = np.zeros(len(code) + 1)
            for name, share in block.shares().items():
                shares[code[name]] = share
            founders[layout.cell_types.index(kind)] = np.cumsum(shares)
        for switch in block.switching:
            switching[code[switch.start], code[switch.to]] += switch.probability
    founders[:, -1] = 1.0
    return Inheritance(
        traits=tuple(traits),
        founders=founders,
        switching=np.cumsum(switching, axis=1),
        barcodes=np.array(
            [blocks[kind].barcodes if kind in blocks else 0 for kind in layout.cell_types], np.int64
        ),
    )


def expression_of(numbers: Numbers) -> Expression:
    """Return what traits do to behaviours."""
    layout, column = numbers.layout, numbers.column
    rows: list[tuple[int, int, int, bool]] = []
    evidence: dict[str, tuple[str, ...]] = {}
    neutral = dict.fromkeys(layout.traits, 1.0)
    for kind, block in numbers.scenario.heredity().items():
        code = layout.cell_types.index(kind)
        for name, spec in block.traits.items():
            at, evidence[name], neutral[name] = layout.traits.index(name), spec.evidence, spec.neutral
            words = spec.multiplies or spec.shifts
            rows += [(code, at, column[word], bool(spec.multiplies)) for word in words if word in column]
        if block.costly:
            rows.append((code, layout.traits.index(FITNESS), column["cycle entry"], True))
    kind, trait, behaviour = np.array([row[:3] for row in rows], np.int64).reshape(-1, 3).T
    return Expression(
        neutral=np.array([neutral[name] for name in layout.traits]),
        kind=kind,
        trait=trait,
        behaviour=behaviour,
        multiplies=np.array([row[3] for row in rows], np.bool_),
        evidence=tuple(evidence.get(name, ()) for name in layout.traits),
    )


def _clones(numbers: Numbers) -> dict[str, CloneSpec]:
    """Return the clones of all types in the order of the layout."""
    return {
        name: clone for block in numbers.scenario.heredity().values() for name, clone in block.clones.items()
    }


def _trait(spec: TraitSpec, kind: int, name: str, clones: dict[str, CloneSpec]) -> Trait:
    of_clone = np.array(
        [spec.neutral, *(float(clone.traits.get(name, spec.neutral)) for clone in clones.values())]
    )
    spread = spec.spread
    if spread is None:
        return Trait(kind, bool(spec.multiplies), FIXED, spec.neutral, 0.0, 0.0, 1.0, 1.0, of_clone)
    first = spread.a if spread.a is not None else spec.neutral
    second = spread.b if spread.b is not None else spread.sigma
    return Trait(
        kind=kind,
        multiplies=bool(spec.multiplies),
        spread=_KINDS[spread.kind],
        a=float(first),
        b=float(second or 0.0),
        low=float(spread.low),
        high=float(spread.high),
        heritability=float(spec.heritability),
        of_clone=of_clone,
    )
