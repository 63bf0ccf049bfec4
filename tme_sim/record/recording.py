"""What a run has left to be written: time series, snapshots, events, books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import Ledger
from tme_sim.state.tissue import Tissue


class Recordable(Protocol):
    """What the recorder needs of a model.

    Attributes
    ----------
    tissue : Tissue
        State, read only.
    title : str
        One line for readers.
    seed : int
        Seed of the run.
    resolved_yaml, resolved_json : str
        The scenario with every default and override filled in.
    numerics_version : str
        Raised with every change that alters results.
    rule_rows : sequence of mappings
        One mapping of column name to text per rule, all with the same keys.
    classes : mapping
        Classes of resistance now, by drug: arrays ``id``, ``founder``, ``code``; asked for once, at the end.
    route_rows : sequence of mappings
        The same per drug and route by which the outside reaches a cell: ``drug``, ``route``, ``evidence``.
    """

    @property
    def tissue(self) -> Tissue: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def resolved_yaml(self) -> str: ...  # noqa: D102
    @property
    def resolved_json(self) -> str: ...  # noqa: D102
    @property
    def numerics_version(self) -> str: ...  # noqa: D102
    @property
    def rule_rows(self) -> Sequence[Mapping[str, str]]: ...  # noqa: D102
    @property
    def route_rows(self) -> Sequence[Mapping[str, str]]: ...  # noqa: D102
    @property
    def classes(self) -> Mapping[str, Mapping[str, np.ndarray]]: ...  # noqa: D102


@dataclass(frozen=True)
class Column:
    """Name, unit and meaning of recorded values."""

    name: str
    unit: str
    long_name: str


@dataclass(frozen=True)
class Snapshot:
    """The tissue at one moment.

    Attributes
    ----------
    fields : float32 (nz, ny, nx, n_fields)
        Each in its unit.
    pools : float32 (nz, ny, nx, n_pools)
        Free vesicles.
    perfusion, vessel_distance_um : float32 (nz, ny, nx)
        Share of supply of each site's vessel; distance to the nearest perfused one.
    cells : dict of arrays (n,)
        One per column, sorted by id.
    flux : float64 (n_pools, n_cell_types, n_cell_types)
        Vesicles internalised since the start.
    """

    minutes: float
    fields: np.ndarray
    pools: np.ndarray
    perfusion: np.ndarray
    vessel_distance_um: np.ndarray
    cells: dict[str, np.ndarray]
    flux: np.ndarray


@dataclass(frozen=True)
class Recording:
    """A whole run in memory; everything a run file holds but the facts about the machine.

    Attributes
    ----------
    minutes : float64 (n_times,)
        Times of the series.
    series : float64 (n_times, n_measures)
        Values of ``measures``, in order.
    events : dict of structured arrays
        ``births``, ``deaths``, ``transitions``; ``switches`` where there are clones.
    classes : mapping
        Classes of resistance at the end, by drug: arrays ``id``, ``founder``, ``code``; empty without a washout.
    """

    run_id: str
    title: str
    seed: int
    resolved_yaml: str
    resolved_json: str
    numerics_version: str
    rule_rows: tuple[Mapping[str, str], ...]
    route_rows: tuple[Mapping[str, str], ...]
    layout: Layout
    grid: Grid
    dt_min: float
    measures: tuple[Column, ...]
    minutes: np.ndarray
    series: np.ndarray
    cell_columns: tuple[Column, ...]
    snapshots: tuple[Snapshot, ...]
    events: dict[str, np.ndarray]
    ledger: Ledger
    classes: Mapping[str, Mapping[str, np.ndarray]]
