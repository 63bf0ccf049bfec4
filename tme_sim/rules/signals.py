"""Gathers what every cell senses into one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.jit import BLOCK, block_kernel, kernel
from tme_sim.rules.contacts import both_sides, contact_with_state, sums_around
from tme_sim.rules.tables import RuleError
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue

# Sources that are columns of a matrix with one row per cell (or site), in the order the kernel walks them.
_MATRICES = ("fields", "variables", "cargo", "docked", "drug", "damage", "exposure")
# Signals that stand alone.
_SINGLE = ("contact dead", "free neighbours", "distance to vessel", "energy", "age", "time", "perfusion")
# Codes of what stands at a site, as `count_around` orders its counts; counts to a word, and bits to a count.
_FREE, _DEAD, _LIVING = 0, 1, 2
_COUNTS = 8
_PREFIXES = {
    "held": ("cargo", "cargo"),
    "arriving": ("cargo", "cargo"),
    "docked": ("docked", "pools"),
    "drug": ("drug", "drugs"),
    "damage": ("damage", "drugs"),
    "exposure": ("exposure", "drugs"),
}


@dataclass(frozen=True)
class SignalTable:
    """Where each signal comes from.

    Attributes
    ----------
    names : tuple of str
        Signals in column order.
    start : int64 (8,)
        First entry of each matrix in ``column``, ``target`` and ``factor``.
    column, target : int64 (n_entries,)
        Column read, column written.
    factor : float64 (n_entries,)
        Multiplies what is read (1 but for ``arriving``: decay rate times gain, 1/min).
    contact : int64 (n_types,)
        Column written for contacts with each living cell type, -1 where not asked for.
    single : int64 (7,)
        Columns written for the signals in ``_SINGLE``, -1 where not asked for.
    touched : int64 (n_touched, 3)
        Column written, type of neighbours, their variable, of the signals ``contact TYPE VARIABLE``.
    """

    names: tuple[str, ...]
    start: np.ndarray
    column: np.ndarray
    target: np.ndarray
    factor: np.ndarray
    contact: np.ndarray
    single: np.ndarray
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
        entries: list[tuple[int, int, int, float]] = []
        contact = np.full(len(layout.cell_types), -1, np.int64)
        single = np.full(len(_SINGLE), -1, np.int64)
        faults = []
        touched: list[tuple[int, int, int]] = []
        for target, name in enumerate(names):
            if name in names[:target]:
                faults.append(f"signal {name!r} is repeated")
            elif name.startswith("trait ") and name[6:] in layout.traits:
                continue  # `Physiology.read` writes traits, which few scenarios have
            elif name in _SINGLE:
                single[_SINGLE.index(name)] = target
            elif name.startswith("contact ") and name[8:] in layout.cell_types:
                contact[layout.cell_types.index(name[8:])] = target
            elif state := contact_with_state(name, layout):
                touched.append((target, *state))
            elif found := _matrix_column(name, layout):
                matrix, column = found
                factor = 1.0
                if name.startswith("arriving "):
                    factor = cargo_decay_per_min[name[9:]] * cargo_gain.get(name[9:], 1.0)
                entries.append((matrix, column, target, factor))
            else:
                faults.append(f"signal {name!r} is unknown, or both a field and a variable")
        if faults:
            raise RuleError("\n".join(faults))
        entries.sort()
        matrices = np.arange(len(_MATRICES) + 1)
        return cls(
            names=tuple(names),
            start=np.searchsorted([entry[0] for entry in entries], matrices).astype(np.int64),
            column=np.array([entry[1] for entry in entries], np.int64),
            target=np.array([entry[2] for entry in entries], np.int64),
            factor=np.array([entry[3] for entry in entries], np.float64),
            contact=contact,
            single=single,
            touched=np.array(touched, np.int64).reshape(-1, 3),
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


def gather_signals(
    tissue: Tissue,
    table: SignalTable,
    energy: np.ndarray,
    out_signals: np.ndarray,
    begin: int = 0,
    around: Around | None = None,
) -> None:
    """Fill the signals of cells, dead ones too.

    Contacts and free neighbours count the Moore neighbourhood (8 sites, 26 in three dimensions) inside the
    lattice.

    Parameters
    ----------
    tissue : Tissue
    table : SignalTable
    energy : float64 (n,)
        Energy supply over demand of each cell, dimensionless.
    begin, around : int, Around
        First row of the cells to fill, and what `look_around` gave; all cells and looked at here when left out.
    out_signals : float64 (n, n_signals)
        Filled for as many cells as it has rows: fields in their unit, variables and damage dimensionless, held cargo
        in units, arriving in units per min times gain, docked in vesicles, drug in nM held, exposure in nM·min,
        contacts and free neighbours as counts, distance in µm (inf without a vessel), age and time in min, perfusion
        0 to 1.
    """
    cells = tissue.cells
    n_sites = tissue.grid.n_sites
    around = around or look_around(tissue, table)
    rows = slice(begin, begin + len(out_signals))
    _gather(
        len(out_signals),
        table.start,
        table.column,
        table.target,
        table.factor,
        table.contact,
        table.single,
        tissue.field_table.T,
        cells["variables"][rows],
        cells["cargo"][rows],
        cells["docked"][rows],
        cells["drug"][rows],
        cells["damage"][rows],
        cells["exposure"][rows],
        cells["site"][rows],
        cells["type"][rows],
        cells["death"][rows],
        cells["born_min"][rows],
        begin,
        cells.occupant,
        tissue.vessel_distance_um.reshape(n_sites),
        tissue.vessel.reshape(n_sites),
        energy[rows],
        tissue.clock.minutes,
        around.counts,
        out_signals.T,
    )
    for (target, _, _), sums in zip(table.touched, around.sums, strict=True):
        out_signals[:, target] = sums[cells["site"][rows]]


@dataclass(frozen=True)
class Around:
    """What stands around every site: `count_around`, and `sums_around` of the signals ``touched``."""

    counts: np.ndarray
    sums: np.ndarray


def look_around(tissue: Tissue, table: SignalTable) -> Around:
    """Return what stands around every site of a tissue, for the signals of a table."""
    cells, shape = tissue.cells, tissue.grid.shape
    counts = count_around(cells.occupant, cells["type"], cells["death"], len(table.contact), shape)
    return Around(counts, sums_around(tissue, table.touched))


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


def _matrix_column(name: str, layout: Layout) -> tuple[int, int] | None:
    plain = [
        (_MATRICES.index(group), words.index(name))
        for group, words in (("fields", layout.fields), ("variables", layout.variables))
        if name in words
    ]
    if len(plain) == 1:
        return plain[0]
    prefix, _, rest = name.partition(" ")
    if not plain and prefix in _PREFIXES:
        matrix, names = _PREFIXES[prefix]
        words = getattr(layout, names)
        if rest in words:
            return _MATRICES.index(matrix), words.index(rest)
    return None


@block_kernel
def _gather(
    first,
    last,
    start,
    column,
    target,
    factor,
    contact,
    single,
    fields,
    variables,
    cargo,
    docked,
    drug,
    damage,
    exposure,
    site,
    cell_type,
    death,
    born_min,
    first_row,
    occupant,
    distance_um,
    vessel,
    energy,
    now_min,
    neighbours,
    out_signals,
):
    n = len(site)
    for block in range(first, last):
        begin, end = block * BLOCK, min(n, (block + 1) * BLOCK)
        # Unsigned, since numba wraps signed indices.
        at = site[begin:end].astype(np.uint64)
        for entry in range(start[0], start[1]):
            out, values = out_signals[target[entry]][begin:end], fields[column[entry]]
            for i in range(len(out)):
                out[i] = values[at[i]]
        _copy(begin, end, start[1], start[2], column, target, factor, variables, out_signals)
        _copy(begin, end, start[2], start[3], column, target, factor, cargo, out_signals)
        _copy(begin, end, start[3], start[4], column, target, factor, docked, out_signals)
        _copy(begin, end, start[4], start[5], column, target, factor, drug, out_signals)
        _copy(begin, end, start[5], start[6], column, target, factor, damage, out_signals)
        _copy(begin, end, start[6], start[7], column, target, factor, exposure, out_signals)
        # A row that is not at home on its site (one taken out, say) counts itself as a neighbour.
        home = occupant[at] == first_row + np.arange(begin, end)
        dead = death[begin:end] != 0
        for kind in range(len(contact)):
            if contact[kind] >= 0:
                itself = home & ~dead & (cell_type[begin:end] == kind)
                _subtract(neighbours, _LIVING + kind, at, itself, out_signals[contact[kind]][begin:end])
        if single[0] >= 0:
            _subtract(neighbours, _DEAD, at, home & dead, out_signals[single[0]][begin:end])
        if single[1] >= 0:
            _subtract(neighbours, _FREE, at, home & False, out_signals[single[1]][begin:end])
        if single[2] >= 0:
            out_signals[single[2]][begin:end] = distance_um[at]
        if single[3] >= 0:
            out_signals[single[3]][begin:end] = energy[begin:end]
        if single[4] >= 0:
            out_signals[single[4]][begin:end] = now_min - born_min[begin:end]
        if single[5] >= 0:
            out_signals[single[5]][begin:end] = now_min
        if single[6] >= 0:
            out_signals[single[6]][begin:end] = vessel[at]


@kernel
def _subtract(neighbours, code, at, itself, out_count):
    """Write one count of `count_around` at the sites ``at``, less the cell itself."""
    words, shift = neighbours[code // _COUNTS], np.uint64(_COUNTS * (code % _COUNTS))
    for i in range(len(out_count)):
        out_count[i] = float((words[at[i]] >> shift) & np.uint64(255)) - itself[i]


@kernel
def _copy(begin, end, first, last, column, target, factor, matrix, out_signals):
    """Copy columns of a matrix with one row per cell, times their factors."""
    for entry in range(first, last):
        source, to, times = column[entry], target[entry], factor[entry]
        out, values = out_signals[to][begin:end], matrix[begin:end, source]
        for i in range(len(out)):
            out[i] = values[i] * times
