"""Watches a run and keeps what its schedules ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import replace

import numpy as np

from tme_sim.measures.condition import suggestion
from tme_sim.measures.measure import CellColumn, Context, Measure, evaluate
from tme_sim.measures.registry import MeasureError, cell_columns_for, measures_for
from tme_sim.record.identity import run_id
from tme_sim.record.recording import Column, Recordable, Recording, Snapshot
from tme_sim.record.schedule import Every, Schedule
from tme_sim.state.codes import ALIVE
from tme_sim.state.layout import Layout
from tme_sim.state.tissue import Tissue

HOURLY, DAILY = Every(60.0), Every(1440.0)

# Columns of the state, with unit and meaning; ids stay whole numbers, see `cell_table`.
_STATE_COLUMNS = (
    Column("id", "1", "Cell, given once"),
    Column("parent", "1", "Mother; -1 for a founder"),
    Column("founder", "1", "Founder of the clone"),
    Column("generation", "1", "Divisions since the founder"),
    Column("type", "1", "Cell type"),
    Column("site", "1", "Flat index of the site"),
    Column("x", "um", "Position of the centre, x"),
    Column("y", "um", "Position of the centre, y"),
    Column("z", "um", "Position of the centre, z"),
    Column("born", "min", "Time of birth"),
    Column("stage", "1", "Stage of the cell cycle"),
    Column("death", "1", "Cause of death"),
    Column("died", "min", "Time of death; nan while alive"),
    Column("vessel_distance", "um", "Distance to the nearest perfused vessel"),
)
_HERITABLE = (
    Column("clone", "1", "Heritable state"),
    Column("barcode", "1", "Mark of the founder"),
)
_GROUPS = (
    # column of the state, names from the layout, prefix in the file, unit, meaning
    ("variables", "variables", "", "1", "Intracellular variable"),
    ("cargo", "cargo", "held_", "1", "Units of cargo held"),
    ("docked", "pools", "docked_", "1", "Vesicles docked"),
    ("drug", "drugs", "drug_", "nM", "Drug held, per site volume"),
    ("damage", "drugs", "damage_", "1", "Damage by"),
    ("exposure", "drugs", "exposure_", "nM min", "Time integral of drug held"),
)


class Recorder:
    """Observes a model: `start`, then `observe` after every step, then `finish`.

    It only reads. It pickles with all it has kept, so that a resumed run records what an unbroken one would.
    All is held in memory until it is written: about 4 bytes per site, field and snapshot.

    Parameters
    ----------
    measures_at, snapshots_at : Schedule
        When to keep measures and when snapshots; the first and the last moment are kept in any case.
    measures : sequence of str, optional
        Names of the measures to keep; default all that the layout has.
    context : Context, optional
        What measures know besides the tissue.
    """

    def __init__(
        self,
        measures_at: Schedule = HOURLY,
        snapshots_at: Schedule = DAILY,
        measures: Sequence[str] | None = None,
        context: Context | None = None,
    ):
        self.measures_at = measures_at
        self.snapshots_at = snapshots_at
        self.context = context or Context()
        self._chosen = measures
        self._model: Recordable | None = None
        self._minutes: list[float] = []
        self._series: list[np.ndarray] = []
        self._snapshots: list[Snapshot] = []

    def start(self, model: Recordable) -> None:
        """Take the model's present state as the first moment."""
        self.attach(model)
        self._keep_measures(model.tissue)
        self._keep_snapshot(model.tissue)

    def attach(self, model: Recordable) -> None:
        """Go on with a model after unpickling, or with one that goes on otherwise, without keeping anything now.

        Measures that only the model as it is now has were not known before: nan.
        """
        before = self._measures if self._model is not None else {}
        self._model = model
        layout = model.tissue.layout
        self._measures = choose(measures_for(layout), self._chosen)
        self._cell_columns = cell_columns_for(layout)
        if before and [*before] != [*self._measures]:
            self._series = [
                np.array([dict(zip(before, row, strict=True)).get(name, np.nan) for name in self._measures])
                for row in self._series
            ]

    @property
    def latest(self) -> dict[str, float]:
        """Measures at the last moment kept."""
        return dict(zip(self._measures, self._series[-1].tolist(), strict=True))

    @property
    def course(self) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Times kept, minutes (n_times,), and the values of every measure (n_times,), by name."""
        series = np.array(self._series).reshape(len(self._minutes), len(self._measures))
        return np.array(self._minutes), dict(zip(self._measures, series.T, strict=True))

    def twin(self, model: Recordable) -> Recorder:
        """Return a recorder with what this one has kept, to be finished while this one goes on."""
        twin = copy(self)
        twin._minutes, twin._series = list(self._minutes), list(self._series)
        twin._snapshots = list(self._snapshots)
        twin.attach(model)
        return twin

    def observe(self, tissue: Tissue) -> None:
        """Keep what the schedules ask for; call once after every step."""
        if self.measures_at(tissue.clock):
            self._keep_measures(tissue)
        if self.snapshots_at(tissue.clock):
            self._keep_snapshot(tissue)

    def finish(self) -> Recording:
        """Keep the last moment and return the whole run.

        Raises
        ------
        RuntimeError
            When `start` or `attach` was not called.
        """
        if self._model is None:
            raise RuntimeError("the recorder has no model: call start(model) first")
        model, tissue = self._model, self._model.tissue
        self._keep_measures(tissue, complete=True)
        self._keep_snapshot(tissue)
        return Recording(
            run_id=run_id(model.resolved_json, model.seed, model.numerics_version),
            title=model.title,
            seed=model.seed,
            resolved_yaml=model.resolved_yaml,
            resolved_json=model.resolved_json,
            numerics_version=model.numerics_version,
            rule_rows=tuple(model.rule_rows),
            route_rows=tuple(model.route_rows),
            layout=tissue.layout,
            grid=tissue.grid,
            dt_min=tissue.clock.dt_min,
            measures=tuple(Column(m.name, m.unit, m.long_name) for m in self._measures.values()),
            minutes=np.array(self._minutes),
            series=np.array(self._series).reshape(len(self._minutes), len(self._measures)),
            cell_columns=cell_columns(tissue.layout, self._cell_columns),
            snapshots=tuple(self._snapshots),
            events={name: tissue.events.table(name) for name in event_names(tissue.layout)},
            ledger=deepcopy(tissue.ledger),
            classes=model.classes,
        )

    def _keep_measures(self, tissue: Tissue, *, complete: bool = False) -> None:
        """Keep this moment; a complete one takes the place of what was kept of the same moment."""
        if self._minutes and self._minutes[-1] == tissue.clock.minutes:
            if not complete:
                return
            self._minutes.pop()
            self._series.pop()
        context = replace(self.context, complete=complete)
        self._minutes.append(tissue.clock.minutes)
        self._series.append(np.array(list(evaluate(self._measures, tissue, context).values())))

    def _keep_snapshot(self, tissue: Tissue) -> None:
        if self._snapshots and self._snapshots[-1].minutes == tissue.clock.minutes:
            return
        self._snapshots.append(
            take_snapshot(tissue, self._cell_columns, replace(self.context, complete=True))
        )

    def __getstate__(self) -> dict:
        state = self.__dict__.copy()
        state["_model"] = None
        state.pop("_measures", None)
        state.pop("_cell_columns", None)
        return state


def choose(measures: dict[str, Measure], names: Sequence[str] | None) -> dict[str, Measure]:
    """Return the measures with these names, in this order; all for None.

    Raises
    ------
    MeasureError
        When there is no such measure.
    """
    if names is None:
        return measures
    for name in names:
        if name not in measures:
            raise MeasureError(f"record: no measure {name!r}{suggestion(name, measures)}")
    return {name: measures[name] for name in names}


def take_snapshot(
    tissue: Tissue, extra: Mapping[str, CellColumn] | None = None, context: Context | None = None
) -> Snapshot:
    """Return a copy of the tissue as it is now, with extra columns worked out per cell."""
    return Snapshot(
        minutes=tissue.clock.minutes,
        fields=tissue.fields.astype(np.float32),
        pools=tissue.pools.astype(np.float32),
        perfusion=tissue.vessel.astype(np.float32),
        vessel_distance_um=tissue.vessel_distance_um.astype(np.float32),
        cells=cell_table(tissue, extra or {}, context or Context()),
        flux=tissue.ledger.flux.copy(),
    )


def inherits(layout: Layout) -> bool:
    """Return whether cells have heritable traits or clones."""
    return bool(layout.traits or layout.clones)


def event_names(layout: Layout) -> tuple[str, ...]:
    """Return the tables of events that a run of this layout has."""
    return ("births", "deaths", "transitions", *(["switches"] if layout.clones else []))


def cell_columns(layout: Layout, extra: Mapping[str, CellColumn]) -> tuple[Column, ...]:
    """Return the columns of `cell_table`, in order."""
    columns: list[Column] = list(_STATE_COLUMNS)
    if inherits(layout):
        columns += _HERITABLE
        columns += [Column(f"trait_{name}", "1", f"Heritable trait {name}") for name in layout.traits]
    for _, names, prefix, unit, meaning in _GROUPS:
        columns += [Column(f"{prefix}{name}", unit, f"{meaning} {name}") for name in getattr(layout, names)]
    columns += [Column(column.name, column.unit, column.long_name) for column in extra.values()]
    _refuse_doubles(columns)
    return tuple(columns)


def cell_table(tissue: Tissue, extra: Mapping[str, CellColumn], context: Context) -> dict[str, np.ndarray]:
    """Return one array per column, all cells and remains, sorted by id."""
    cells = tissue.cells
    order = np.argsort(cells["id"], kind="stable")
    site = cells["site"][order]
    position = tissue.grid.positions_um(site)
    table = {
        **{name: cells[name][order] for name in ("id", "parent", "founder", "generation", "type", "site")},
        **{axis: position[:, column] for column, axis in enumerate("xyz")},
        "born": cells["born_min"][order],
        "stage": cells["stage"][order],
        "death": cells["death"][order],
        "died": np.where(cells["death"][order] == ALIVE, np.nan, cells["died_min"][order]),
        "vessel_distance": tissue.vessel_distance_um.reshape(-1)[site],
    }
    if inherits(tissue.layout):
        table |= {name: cells[name][order] for name in ("clone", "barcode")}
        table |= {f"trait_{name}": cells["traits"][order, at] for at, name in enumerate(tissue.layout.traits)}
    for group, names, prefix, _, _ in _GROUPS:
        values = cells[group][order]
        table |= {
            f"{prefix}{name}": values[:, column] for column, name in enumerate(getattr(tissue.layout, names))
        }
    shared = context.fresh()
    table |= {
        name: np.asarray(column.function(tissue, shared), float)[order] for name, column in extra.items()
    }
    return table


def _refuse_doubles(columns: Sequence[Column]) -> None:
    names = [column.name for column in columns]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(
            f"two columns of cells are named {', '.join(doubled)}; rename a variable or a cell column"
        )
