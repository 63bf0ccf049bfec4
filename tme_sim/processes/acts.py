"""Interventions on doses, plasma and whole fields, and what all kinds of interventions share."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tme_sim.numerics.timetable import Timetable
from tme_sim.processes.base import Context
from tme_sim.processes.switch import Switch
from tme_sim.state.ledger import DRUG_ACCOUNTS, FIELD_ACCOUNTS, POOL_ACCOUNTS
from tme_sim.state.tissue import Tissue

_SUPPLIED, _LEFT = FIELD_ACCOUNTS.index("supplied"), FIELD_ACCOUNTS.index("left_boundary")
_DRUG_SUPPLIED, _DRUG_LEFT = DRUG_ACCOUNTS.index("supplied"), DRUG_ACCOUNTS.index("left_boundary")
_POOL_LEFT = POOL_ACCOUNTS.index("left_boundary")


@dataclass(frozen=True)
class Act:
    """One intervention: when it is on, and what it does then at the start of a step and to cells.

    What is done at certain times has a timetable, counted from the moment at which the act went on; it is
    done in the first step that begins at or after each time.
    """

    switch: Switch
    timetable: Timetable = field(default=Timetable(), kw_only=True)

    def begin(self, tissue: Tissue, context: Context) -> None:
        """Act on the tissue at the start of a step."""

    def modify(self, tissue: Tissue, cell_type: np.ndarray, io_behaviours: np.ndarray) -> None:
        """Act on behaviours after the rules."""

    def is_due(self, tissue: Tissue) -> bool:
        """Return whether one of its times has come since the last step."""
        on = self.switch.runs(tissue)[-1][0]
        now, dt_min = tissue.clock.minutes, tissue.clock.dt_min
        moment = 1e-9 * max(
            1.0, now
        )  # times in (now - dt, now]: a timetable leaves out the end, not the begin
        return bool(len(self.timetable.starts(now - dt_min - on + moment, now - on + moment)))


@dataclass(frozen=True)
class ChangeDose(Act):
    """Multiply all doses of a drug that are given meanwhile; 0 is a pause."""

    drug: str
    factor: float


@dataclass(frozen=True)
class WashOut(Act):
    """Take a drug away: none is given, none stays in plasma, tissue or free vesicles; cells keep what they hold."""

    drug: str
    field: int
    drug_column: int

    def begin(self, tissue: Tissue, context: Context) -> None:
        """Empty the drug's field and what vesicles between the cells carry of it; it leaves over the boundary."""
        tissue.plasma[self.field] = 0.0
        replace_field(tissue, self.field, self.drug_column, 0.0, 1.0)
        take_carried(tissue, self.drug_column, 1.0)


@dataclass(frozen=True)
class SetSupply(Act):
    """Hold the level of a field in the vessels."""

    field: int
    level: float

    def begin(self, tissue: Tissue, context: Context) -> None:
        """Replace the plasma level."""
        tissue.plasma[self.field] = self.level


@dataclass(frozen=True)
class Clamp(Act):
    """Hold a steady field at a level in the whole tissue and its vessels."""

    field: int
    level: float

    def begin(self, tissue: Tissue, context: Context) -> None:
        """Tell the solve of the step; blood is at the level too, or it would pull at the sites of vessels."""
        context.clamped[self.field] = self.level
        tissue.plasma[self.field] = self.level


@dataclass(frozen=True)
class Neutralise(Act):
    """Remove a field everywhere at a rate, 1/min."""

    field: int
    rate_per_min: float

    def begin(self, tissue: Tissue, context: Context) -> None:
        """Add to the decay of the field."""
        context.extra_decay[self.field] += self.rate_per_min


@dataclass(frozen=True)
class Capture(Act):
    """Remove a field by an antibody A that binds it reversibly; complexes are cleared.

    With k_on A u − k_off C − k_c C = 0 for the complex C, u is lost at the rate

        k_on A k_c/(k_c + k_off),   k_off = k_on K_d

    A is the mean of the antibody's field. Limit: antibody in excess, what it binds is not taken off its own level.
    """

    field: int
    antibody_field: int
    on_per_nm_min: float
    affinity_nm: float
    cleared_per_min: float

    def rate(self, antibody_nm: float) -> float:
        """Return the rate of loss, 1/min."""
        stays = self.cleared_per_min / (self.cleared_per_min + self.on_per_nm_min * self.affinity_nm)
        return self.on_per_nm_min * antibody_nm * stays

    def begin(self, tissue: Tissue, context: Context) -> None:
        """Add to the decay of the field."""
        antibody = float(np.mean(tissue.fields[..., self.antibody_field]))
        context.extra_decay[self.field] += self.rate(antibody)


@dataclass(frozen=True)
class ExchangeMedium(Act):
    """Replace a share of the medium: dissolved substances by fresh ones, free vesicles and their drug by none.

    Attributes
    ----------
    fresh : tuple of (field, column of its drug or -1, level)
    pools : tuple of int
    """

    share: float
    fresh: tuple[tuple[int, int, float], ...]
    pools: tuple[int, ...]

    def begin(self, tissue: Tissue, context: Context) -> None:
        """Exchange when it is due; what goes leaves over the boundary, what comes is supplied."""
        if not self.is_due(tissue):
            return
        for column, drug, level in self.fresh:
            replace_field(tissue, column, drug, level, self.share)
        for pool in self.pools:
            free = tissue.pools[..., pool]
            tissue.ledger.pools[pool, _POOL_LEFT] += self.share * float(free.sum())
            free *= 1.0 - self.share
        for drug in range(len(tissue.layout.drugs)):
            take_carried(tissue, drug, self.share)


def take_carried(tissue: Tissue, drug: int, share: float) -> None:
    """Take away a share of what free vesicles carry of a drug; its books know what went."""
    for load, words in enumerate(tissue.layout.loads):
        if words.partition(" in ")[0] == tissue.layout.drugs[drug]:
            carried = tissue.loads[..., load]
            tissue.ledger.drugs[drug, _DRUG_LEFT] += share * float(carried.sum())
            carried *= 1.0 - share


def replace_field(tissue: Tissue, column: int, drug: int, level: float, share: float) -> None:
    """Replace a share of a field by a level; the books of the field, and of its drug, know what went and came."""
    values = tissue.fields[..., column]
    sites = share * tissue.capacity(column)
    out, entered = sites * float(values.sum()), sites * level * tissue.grid.n_sites
    values *= 1.0 - share
    values += share * level
    tissue.ledger.fields[column, [_SUPPLIED, _LEFT]] += (entered, out)
    if drug >= 0:
        tissue.ledger.drugs[drug, [_DRUG_SUPPLIED, _DRUG_LEFT]] += (entered, out)
