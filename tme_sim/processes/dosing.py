"""Doses of drugs: what is given when, and the level that the vessels carry.

A level that is imposed stands for itself and wears off with a half-life; amounts pass through the compartments of
`numerics.compartments`, without error of time; a measured curve is followed. What is given is total drug; the
vessels carry the unbound share. From compartments and curves a step takes the mean level over the step, so that
the sum over steps is the exact area under the curve; of an imposed level it takes that at its start.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tme_sim.numerics.compartments import Body
from tme_sim.numerics.timetable import Timetable
from tme_sim.processes.switch import Switch
from tme_sim.state.timeline import BodyState
from tme_sim.state.tissue import Tissue

Runs = list[tuple[float, float]]
# A level has worn off after this many half-lives: 2^-60 is beyond the precision of its start.
_HALF_LIVES = 60.0
# Minutes within which two times are the same moment.
_MOMENT = 1e-6


@dataclass(frozen=True)
class DoseSpec:
    """One line of a schedule.

    Attributes
    ----------
    route : str
        ``level``, ``bolus``, ``infusion`` or ``oral``.
    size : float
        Total level, nM, for ``level``; else amount per dose, nmol.
    timetable : Timetable
        Relative to the moment at which ``switch`` goes on.
    decline_to, decline_min : float
        Share of a dose that counts from ``decline_min`` after the first one on; straight in between.
    """

    route: str
    size: float
    timetable: Timetable
    switch: Switch
    decline_to: float = 1.0
    decline_min: float = math.inf

    def counts(self, since_first_min: float) -> float:
        """Return the share of a dose that counts so long after the first one."""
        if math.isinf(self.decline_min):
            return 1.0
        return 1.0 - (1.0 - self.decline_to) * min(1.0, max(0.0, since_first_min) / self.decline_min)

    def pulses(self, runs: Runs, begin_min: float, end_min: float) -> Iterator[tuple[float, float, float]]:
        """Yield (begin, end, first dose of the run) of pulses that begin within [begin, end)."""
        for on, off in runs:
            for start in self.timetable.starts(begin_min - on, min(end_min, off) - on):
                begin = on + float(start)
                yield begin, min(begin + self.timetable.length_min, off), on + self.timetable.start_min

    def level(self, minutes: float, runs: Runs, half_life_min: float) -> float:
        """Return the total level that it makes at a time, nM."""
        total, reach = 0.0, self.timetable.length_min + _HALF_LIVES * half_life_min + _MOMENT
        for _, end, first in self.pulses(runs, minutes - reach, minutes + _MOMENT):
            if minutes < end - _MOMENT:
                total += self.size * self.counts(minutes - first)
            elif half_life_min > 0.0:
                total += self.size * self.counts(end - first) * 0.5 ** ((minutes - end) / half_life_min)
        return total


@dataclass(frozen=True)
class Curve:
    """A measured total level, nM, straight between its points and 0 outside them."""

    minutes: np.ndarray
    level_nm: np.ndarray

    def mean(self, begin_min: float, end_min: float) -> float:
        """Return the exact mean over a time."""
        inside = self.minutes[(self.minutes > begin_min) & (self.minutes < end_min)]
        first, last = self.minutes[[0, -1]]
        at = np.clip([begin_min, *inside, end_min], first, last)
        return float(np.trapezoid(np.interp(at, self.minutes, self.level_nm), at)) / (end_min - begin_min)


@dataclass(frozen=True)
class CourseSpec:
    """All that is given of one drug.

    Attributes
    ----------
    field : int
        Its field.
    unbound : float
        Free share of total drug in plasma.
    half_life_min : float
        Of imposed levels; 0: gone at once.
    body : Body or None
        Compartments for amounts.
    """

    drug: str
    field: int
    unbound: float
    doses: tuple[DoseSpec, ...]
    half_life_min: float = 0.0
    body: Body | None = None
    curve: Curve | None = None

    def imposed(self, begin_min: float, end_min: float, runs: list[Runs]) -> float:
        """Return the total level of a step that does not come from compartments, nM."""
        level = 0.0 if self.curve is None else self.curve.mean(begin_min, end_min)
        for dose, on in zip(self.doses, runs, strict=True):
            if dose.route == "level":
                level += dose.level(begin_min, on, self.half_life_min)
        return level

    def distribute(
        self, body: Body, state: BodyState, begin_min: float, end_min: float, runs: list[Runs], factor: float
    ) -> None:
        """Give the doses of a step and advance the compartments through it, from one change to the next."""
        at_once, flows = self._given(body, begin_min, end_min, runs, factor)
        length, area = end_min - begin_min, np.zeros(len(body.names))
        cuts = sorted({0.0, *at_once, *(t for f, u, _ in flows for t in (f, u) if 0.0 < t < length)})
        for cut, after in zip(cuts, [*cuts[1:], length], strict=True):
            if cut in at_once:
                state.amounts = state.amounts + at_once[cut]
                state.given_nmol += float(at_once[cut].sum())
            entering = np.zeros(len(body.names))
            for from_, until, rate in flows:
                if from_ <= cut < until:
                    entering += rate
            state.given_nmol += float(entering.sum()) * (after - cut)
            state.amounts, integral = body.advance(state.amounts, entering, after - cut)
            area += integral
        state.total_nm = body.concentration(area) / length
        state.auc_nm_min += body.concentration(area)

    def _given(
        self, body: Body, begin_min: float, end_min: float, runs: list[Runs], factor: float
    ) -> tuple[dict[float, np.ndarray], list[tuple[float, float, np.ndarray]]]:
        """Return what enters the body in a step: nmol by time, and (from, until, nmol/min); times from its begin."""
        at_once: dict[float, np.ndarray] = {}
        flows: list[tuple[float, float, np.ndarray]] = []
        for dose, on in zip(self.doses, runs, strict=True):
            if dose.route == "level":
                continue
            length = dose.timetable.length_min
            for begin, end, first in dose.pulses(on, begin_min - length, end_min):
                amounts = entering_by(dose, body) * (dose.counts(begin - first) * factor)
                from_, until = max(begin - begin_min, 0.0), min(end, end_min) - begin_min
                if dose.route == "infusion":
                    flows.append((from_, until, amounts / length))
                else:
                    from_ = from_ if from_ > _MOMENT else 0.0
                    at_once[from_] = at_once.get(from_, 0.0) + amounts
        return at_once, flows


def entering_by(dose: DoseSpec, body: Body) -> np.ndarray:
    """Return what one dose brings into each compartment, nmol."""
    entering = np.zeros(len(body.names))
    if dose.route == "oral":
        entering[body.index("gut")] = dose.size * body.spec.bioavailability
        entering[body.index("unabsorbed")] = dose.size * (1.0 - body.spec.bioavailability)
    else:
        entering[body.vein] = dose.size
    return entering


def wash_out(body: Body, state: BodyState) -> None:
    """Take all drug out of the body at once; the books know where it went."""
    kept = np.isin(body.names, ("eliminated", "unabsorbed", "washed out"))
    state.amounts[body.index("washed out")] += state.amounts[~kept].sum()
    state.amounts[~kept] = 0.0


@dataclass(frozen=True)
class Expected:
    """What the doses of a drug make of plasma, total drug; as if all conditions held from the start.

    Attributes
    ----------
    doses_min : tuple of float
        The first doses.
    peak_nm, peak_min, end_nm, area_nm_min : float
        Highest level and when, level at the end, area under the curve.
    """

    doses_min: tuple[float, ...]
    peak_nm: float
    peak_min: float
    end_nm: float
    area_nm_min: float


def expected(course: CourseSpec, duration_min: float, dt_min: float, first: int = 3) -> Expected:
    """Return what a course makes of plasma in a run, with its ``first`` doses."""
    always: list[Runs] = [[(0.0, math.inf)] for _ in course.doses]
    state = None if course.body is None else BodyState.empty(len(course.body.names))
    levels = np.zeros(round(duration_min / dt_min))
    for step in range(len(levels)):
        begin, end = step * dt_min, (step + 1) * dt_min
        levels[step] = course.imposed(begin, end, always)
        if course.body is not None and state is not None:
            course.distribute(course.body, state, begin, end, always, 1.0)
            levels[step] += state.total_nm
    starts = sorted(float(t) for dose in course.doses for t in dose.timetable.starts(0.0, duration_min))
    top = int(np.argmax(levels))
    return Expected(
        tuple(starts[:first]),
        float(levels[top]),
        top * dt_min,
        float(levels[-1]),
        float(levels.sum()) * dt_min,
    )


class Dosing:
    """Write the free plasma level of every drug that is given.

    Parameters
    ----------
    courses : list of CourseSpec
    """

    def __init__(self, courses: list[CourseSpec]):
        self.courses = courses

    def look(self, tissue: Tissue) -> None:
        """Let the conditions of doses start and stop them."""
        for course in self.courses:
            for dose in course.doses:
                dose.switch.is_on(tissue)

    def step(self, tissue: Tissue, factors: Mapping[str, float], washed: frozenset[str]) -> None:
        """Add the drugs of this step to ``tissue.plasma``.

        ``factors`` multiply the doses of drugs; drugs in ``washed`` are taken out and not given.
        """
        begin, end = tissue.clock.minutes, (tissue.clock.step + 1) * tissue.clock.dt_min
        for course in self.courses:
            runs = [dose.switch.runs(tissue) for dose in course.doses]
            factor = 0.0 if course.drug in washed else factors.get(course.drug, 1.0)
            level = factor * course.imposed(begin, end, runs)
            if course.body is not None:
                state = tissue.timeline.bodies.setdefault(
                    course.drug, BodyState.empty(len(course.body.names))
                )
                if course.drug in washed:
                    wash_out(course.body, state)
                course.distribute(course.body, state, begin, end, runs, factor)
                level += state.total_nm
            tissue.plasma[course.field] += course.unbound * level
