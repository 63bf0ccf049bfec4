"""Where what a cell senses comes from, and reading it for any cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tme_sim.numerics.jit import BLOCK, block_kernel, kernel
from tme_sim.rules.contacts import both_sides, contact_with_state, sums_around
from tme_sim.rules.tables import RuleError
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue

# Codes of where a signal comes from: first what has a column per name, then what stands alone.
FIELD, VARIABLE, CARGO, DOCKED, DRUG, DAMAGE, EXPOSURE, TRAIT = range(8)
CONTACT, DEAD, FREE, DISTANCE, ENERGY, AGE, TIME, PERFUSION, TOUCHED = range(8, 17)
_SINGLE = {
    "contact dead": DEAD,
    "free neighbours": FREE,
    "distance to vessel": DISTANCE,
    "energy": ENERGY,
    "age": AGE,
    "time": TIME,
    "perfusion": PERFUSION,
}
# Codes of what stands at a site, as `count_around` orders its counts; counts to a word, and bits to a count.
_FREE, _DEAD, _LIVING = 0, 1, 2
_COUNTS = 8
_PREFIXES = {
    "held": (CARGO, "cargo"),
    "arriving": (CARGO, "cargo"),
    "docked": (DOCKED, "pools"),
    "drug": (DRUG, "drugs"),
    "damage": (DAMAGE, "drugs"),
    "exposure": (EXPOSURE, "drugs"),
    "trait": (TRAIT, "traits"),
    "contact": (CONTACT, "cell_types"),
}


@dataclass(frozen=True)
class SignalTable:
    """Where each signal comes from.

    Attributes
    ----------
    names : tuple of str
        Signals in column order.
    source : int64 (n_signals,)
        `FIELD` to `TOUCHED`.
    column : int64 (n_signals,)
        Which field, variable, ..., cell type or row of ``touched``; 0 for what stands alone.
    factor : float64 (n_signals,)
        Multiplies what is read (1 but for ``arriving``: decay rate times gain, 1/min).
    n_types : int
    touched : int64 (n_touched, 2)
        Type of neighbours and their variable, of the signals ``contact TYPE VARIABLE``.
    """

    names: tuple[str, ...]
    source: np.ndarray
    column: np.ndarray
    factor: np.ndarray
    n_types: int
    touched: np.ndarray

    @classmethod
    def compile(
        cls,
        names: Sequence[str],
        layout: Layout,
        *,
        cargo_decay_per_min: Mapping[str, float],
        cargo_gain: Mapping[str, float],
    ) -> SignalTable:
        """Look up every signal.

        Parameters
        ----------
        names : sequence of str
            Signals in column order, in the rule words.
        layout : Layout
        cargo_decay_per_min : mapping
            Decay rate of each cargo in its recipient, 1/min.
        cargo_gain : mapping
            Gain of each cargo's arrival signal, dimensionless; 1 where missing.

        Raises
        ------
        RuleError
            For names that are unknown, repeated, or both a field and a variable.
        """
        entries: list[tuple[int, int, float]] = []
        faults = []
        touched: list[tuple[int, int]] = []
        for at, name in enumerate(names):
            factor = 1.0
            if name in names[:at]:
                faults.append(f"signal {name!r} is repeated")
            elif state := contact_with_state(name, layout):
                entries.append((TOUCHED, len(touched), factor))
                touched.append(state)
            elif found := _find(name, layout):
                if name.startswith("arriving "):
                    factor = cargo_decay_per_min[name[9:]] * cargo_gain.get(name[9:], 1.0)
                entries.append((*found, factor))
            else:
                faults.append(f"signal {name!r} is unknown, or both a field and a variable")
        if faults:
            raise RuleError("\n".join(faults))
        return cls(
            names=tuple(names),
            source=np.array([source for source, _, _ in entries], np.int64),
            column=np.array([column for _, column, _ in entries], np.int64),
            factor=np.array([factor for _, _, factor in entries], np.float64),
            n_types=len(layout.cell_types),
            touched=np.array(touched, np.int64).reshape(-1, 2),
        )


def signal_names(layout: Layout) -> tuple[str, ...]:
    """Return every signal that a tissue of this layout offers, in the rule words."""
    return (
        *layout.fields,
        *layout.variables,
        *(f"{word} {name}" for word in ("held", "arriving") for name in layout.cargo),
        *(f"docked {name}" for name in layout.pools),
        *(f"{word} {name}" for word in ("drug", "damage", "exposure") for name in layout.drugs),
        *(f"trait {name}" for name in layout.traits),
        *(f"contact {name}" for name in layout.cell_types),
        *(f"contact {name} {variable}" for name in layout.cell_types for variable in layout.variables),
        *_SINGLE,
    )


def _find(name: str, layout: Layout) -> tuple[int, int] | None:
    """Return source and column of a signal; None for a name that is unknown, or both a field and a variable."""
    if name in _SINGLE:
        return _SINGLE[name], 0
    if (name in layout.fields) != (name in layout.variables):
        source, words = (FIELD, layout.fields) if name in layout.fields else (VARIABLE, layout.variables)
        return source, words.index(name)
    prefix, _, rest = name.partition(" ")
    if name not in layout.fields and prefix in _PREFIXES:
        source, group = _PREFIXES[prefix]
        words = getattr(layout, group)
        if rest in words:
            return source, words.index(rest)
    return None


class Sources(NamedTuple):
    """What signals of a tissue are read from, as kernels take it; a row per field, variable and so on.

    Sites and cells are the last axis: fields (n_fields, n_sites), variables (n_variables, >= n), site (n,).
    """

    fields: np.ndarray
    variables: np.ndarray
    cargo: np.ndarray
    docked: np.ndarray
    drug: np.ndarray
    damage: np.ndarray
    exposure: np.ndarray
    traits: np.ndarray
    site: np.ndarray
    cell_type: np.ndarray
    death: np.ndarray
    born_min: np.ndarray
    occupant: np.ndarray
    distance_um: np.ndarray
    vessel: np.ndarray
    energy: np.ndarray
    now_min: float
    counts: np.ndarray
    sums: np.ndarray


def sources_of(tissue: Tissue, table: SignalTable, energy: np.ndarray) -> Sources:
    """Return what the signals of a table are read from, what stands around every site counted and summed.

    ``energy`` float64 (n,) is the supply over the demand of each cell.
    """
    cells, grid = tissue.cells, tissue.grid
    matrices = ("variables", "cargo", "docked", "drug", "damage", "exposure", "traits")
    counts = count_around(cells.occupant, cells["type"], cells["death"], table.n_types, grid.shape)
    return Sources._make(
        [
            tissue.field_table.T,
            *(cells.whole(name) for name in matrices),
            *(cells[name] for name in ("site", "type", "death", "born_min")),
            cells.occupant,
            tissue.vessel_distance_um.reshape(grid.n_sites),
            tissue.vessel.reshape(grid.n_sites),
            energy,
            float(tissue.clock.minutes),
            counts,
            sums_around(tissue, table.touched),
        ]
    )


def gather_signals(tissue: Tissue, table: SignalTable, energy: np.ndarray, out_signals: np.ndarray) -> None:
    """Fill the signals of all cells, dead ones too.

    Contacts and free neighbours count the Moore neighbourhood (8 sites, 26 in three dimensions) inside the
    lattice.

    Parameters
    ----------
    tissue : Tissue
    table : SignalTable
    energy : float64 (n,)
        Energy supply over demand of each cell, dimensionless.
    out_signals : float64 (n, n_signals)
        Fields in their unit, variables and damage dimensionless, held cargo in units, arriving in units per min
        times gain, docked in vesicles, drug in nM held, exposure in nM·min, contacts and free neighbours as counts,
        distance in µm (inf without a vessel), age and time in min, perfusion 0 to 1.
    """
    sources = sources_of(tissue, table, energy)
    _gather(len(out_signals), table.source, table.column, table.factor, sources, out_signals.T)


@block_kernel
def _gather(first, last, source, column, factor, sources, out_signals):
    n = out_signals.shape[1]
    values = np.empty(BLOCK)
    for block in range(first, last):
        begin, end = block * BLOCK, min(n, (block + 1) * BLOCK)
        rows = np.arange(begin, end).astype(np.uint64)
        for signal in range(len(source)):
            read_signal(source[signal], column[signal], factor[signal], sources, rows, values)
            out_signals[signal, begin:end] = values[: end - begin]


@kernel
def read_signal(source, column, factor, sources, rows, out_values):
    """Write one signal, an entry of a `SignalTable`, of the cells in ``rows`` to as many ``out_values``.

    Rows are unsigned, since numba wraps signed indices.
    """
    if source == CONTACT:
        _count(_LIVING + column, sources, rows, out_values)
    elif source == DEAD:
        _count(_DEAD, sources, rows, out_values)
    elif source == FREE:
        _count(_FREE, sources, rows, out_values)
    elif source == AGE:
        for i in range(len(rows)):
            out_values[i] = sources.now_min - sources.born_min[rows[i]]
    elif source == TIME:
        for i in range(len(rows)):
            out_values[i] = sources.now_min
    elif source in (FIELD, DISTANCE, PERFUSION, TOUCHED):
        values, site = _of_sites(source, column, sources), sources.site
        for i in range(len(rows)):
            out_values[i] = values[np.uint64(site[rows[i]])]
    else:
        values = _of_cells(source, column, sources)
        for i in range(len(rows)):
            out_values[i] = values[rows[i]] * factor


@kernel
def _of_sites(source, column, sources):
    """Return the values of all sites for a signal that is read at the cell's own."""
    if source == FIELD:
        return sources.fields[column]
    if source == DISTANCE:
        return sources.distance_um
    if source == PERFUSION:
        return sources.vessel
    return sources.sums[column]


@kernel
def _of_cells(source, column, sources):
    """Return the values of all cells for a signal that is theirs."""
    if source == VARIABLE:
        return sources.variables[column]
    if source == CARGO:
        return sources.cargo[column]
    if source == DOCKED:
        return sources.docked[column]
    if source == DRUG:
        return sources.drug[column]
    if source == DAMAGE:
        return sources.damage[column]
    if source == EXPOSURE:
        return sources.exposure[column]
    if source == TRAIT:
        return sources.traits[column]
    return sources.energy


@kernel
def _count(code, sources, rows, out_count):
    """Write one count of `count_around` at the sites of cells, less the cell itself.

    A row that is not at home on its site (one taken out, say) counts itself as a neighbour.
    """
    words, shift = sources.counts[code // _COUNTS], np.uint64(_COUNTS * (code % _COUNTS))
    for i in range(len(rows)):
        row = rows[i]
        at = np.uint64(sources.site[row])
        own = _DEAD if sources.death[row] != 0 else _LIVING + sources.cell_type[row]
        itself = own == code and sources.occupant[at] == np.int64(row)
        out_count[i] = float((words[at] >> shift) & np.uint64(255)) - itself


def count_around(
    occupant: np.ndarray,
    cell_type: np.ndarray,
    death: np.ndarray,
    n_types: int,
    shape: tuple[int, int, int],
) -> np.ndarray:
    """Count what stands at each site and its Moore neighbours: free sites, dead cells, living ones by type.

    Parameters
    ----------
    occupant : int32 (n_sites,)
        Row of the cell at each site, -1 where free.
    cell_type, death : int16, int8 (n,)
    shape : (nz, ny, nx)

    Returns
    -------
    uint64 (n_words, n_sites)
        Eight counts to a word, a byte each (at most 27), in the order free, dead, first type, second type, ...
    """
    once = np.zeros((-(-(_LIVING + n_types) // _COUNTS), len(occupant)), np.uint64)
    _mark(occupant, cell_type, death, once)
    counts = once.reshape(-1, *shape)
    for axis in (3, 2, 1):
        if counts.shape[axis] > 1:
            counts = counts + both_sides(counts, axis)
    return counts.reshape(once.shape)


@kernel
def _mark(occupant, cell_type, death, out_once):
    """Set the byte of what stands at each site to 1."""
    for site in range(len(occupant)):
        cell = occupant[site]
        code = _FREE
        if cell >= 0:
            code = _DEAD if death[cell] != 0 else _LIVING + cell_type[cell]
        out_once[code // _COUNTS, site] = np.uint64(1) << np.uint64(_COUNTS * (code % _COUNTS))
