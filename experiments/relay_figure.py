"""Draws the figure of the relay study and works out its numbers: share, where the chain stops, what decides.

``python -m experiments.relay_figure --table docs/relay`` draws it again from the finished tables.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binomtest, norm, spearmanr

from experiments.relay_arms import SCENARIO, read_rows, scene
from experiments.relay_draws import EFFECT, Parameter, parameters_of
from tme_sim.analysis.palette import BLUE, GREY, PALE, VERMILLION
from tme_sim.scenario.load import load_scenario

RAISED = 0.05
SHOWN = 10
RELAY, BLOCKED = "relay", "exosomes blocked"

SHORT = {
    "vessels.spacing": "vessel spacing",
    "fields.oxygen.vessel.value": "oxygen at vessels",
    "fields.oxygen.diffusion": "oxygen diffusion",
    "fields.oxygen.background_uptake": "oxygen uptake, parenchyma",
    "fields.oxygen.half_saturation": "oxygen half-saturation",
    "cells.tumour.metabolism.oxygen_max": "oxygen uptake, tumour",
    "cells.tumour.metabolism.glucose_max": "glucose uptake, tumour",
    "cells.tumour.metabolism.lactate_max": "lactate uptake, tumour",
    "cells.hsc.base.uptake il6": "IL-6 uptake, stellate cells",
    "variables.activation.time": "activation time",
    "fields.il6.half_life": "IL-6 half-life",
    "fields.il6.diffusion": "IL-6 diffusion",
    "fields.il6.vessel.exchange": "IL-6 loss to vessels",
}
_WORDS = (
    ("vesicles.tumour_normoxic_exosome.", "vesicle "),
    ("tumour_normoxic_exosome", "vesicles"),
    ("taken_up_by.", "uptake by "),
    ("cells.tumour.base.", ""),
    ("cells.tumour.metabolism.", ""),
    ("cargo.", ""),
    ("drugs.", ""),
    ("fields.", ""),
    ("variables.", ""),
    ("_", " "),
    (".", " "),
    ("hsc", "stellate cells"),
    ("il6", "IL-6"),
    ("half life", "half-life"),
    ("half saturation", "half-saturation"),
)


def short(parameter: Parameter) -> str:
    """Return a label of a parameter for axes and tables."""
    label = SHORT.get(parameter.key, parameter.label)
    for word, plain in _WORDS:
        label = label.replace(word, plain)
    return label


@dataclass(frozen=True)
class Share:
    """How many of ``total`` draws, with the exact (Clopper-Pearson) 95 % interval of the share."""

    count: int
    total: int

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end."""
        found = binomtest(self.count, self.total).proportion_ci(0.95)
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count} of {self.total} ({self.count / self.total:.1%}, 95 % interval {low:.1%} to {high:.1%})"


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation of a parameter with the effect, with a 95 % interval (Bonett and Wright 2000)."""

    parameter: Parameter
    rho: float
    low: float
    high: float


class Study:
    """The finished draws, as columns.

    Parameters
    ----------
    parameters : sequence of Parameter
    rows : sequence of mappings
        Of relay_draws.csv; draws that failed or have no rim are left out of everything but ``failed``.

    Attributes
    ----------
    at_defaults : float or None
        Effect at the defaults (draw 0), which is no part of the shares.
    """

    def __init__(self, parameters: Sequence[Parameter], rows: Sequence[Mapping[str, str]]):
        drawn = [r for r in rows if int(r["draw"]) > 0]
        whole = [r for r in drawn if r["status"] == "ok" and np.isfinite(float(r[EFFECT] or "nan"))]
        self.parameters, self.rows, self.failed = parameters, whole, len(drawn) - len(whole)
        self.at_defaults = next(
            (float(r[EFFECT]) for r in rows if int(r["draw"]) == 0 and r["status"] == "ok"), None
        )
        self.effect = self.column(EFFECT)

    def column(self, name: str) -> np.ndarray:
        """Return a column, float64 (n_draws,)."""
        return np.array([float(row[name]) for row in self.rows])

    def of(self, arm: str, name: str) -> np.ndarray:
        """Return a readout of an arm, float64 (n_draws,)."""
        return self.column(f"{arm}: {name}")

    def share(self, which: np.ndarray) -> Share:
        """Return the share of draws for which ``which`` holds."""
        return Share(int(which.sum()), len(which))

    def links(self) -> dict[str, Share]:
        """Return in what share of draws each link of the chain holds, each taken by itself."""
        atp = self.of(RELAY, "atp_rim") / self.of(BLOCKED, "atp_rim")
        kill = self.of(RELAY, "ratio_rim") / self.of(BLOCKED, "ratio_rim")
        oxygen = self.of(RELAY, "oxygen_rim_mmhg") / self.of(BLOCKED, "oxygen_rim_mmhg")
        own = self.of(RELAY, "resistant_own_oxygen_rim") - self.of(BLOCKED, "resistant_own_oxygen_rim")
        return {
            "stellate cells: activation above 0.2": self.share(self.of(RELAY, "activation") > 0.2),
            "rim: STAT3 above 0.5": self.share(self.of(RELAY, "stat3_rim") > 0.5),
            "rim: ATP up by more than 10 %": self.share(atp > 1.1),
            "rim: oxygen down by more than 10 %": self.share(oxygen < 0.9),
            "rim: mean log-kill down by more than 10 %": self.share(kill < 0.9),
            "rim: resistant fraction up by more than 0.05": self.share(self.effect > RAISED),
            "the same, against naive cells at their own oxygen": self.share(own > RAISED),
        }

    def correlations(self, outcome: np.ndarray | None = None) -> list[Correlation]:
        """Return rank correlations of all parameters with the effect, strongest first."""
        values, n = self.effect if outcome is None else outcome, len(self.rows)
        found = []
        for parameter in self.parameters:
            rho = float(np.asarray(spearmanr(self.column(parameter.key), values))[0])
            width = norm.ppf(0.975) * np.sqrt((1.0 + rho**2 / 2.0) / (n - 3))
            z = np.arctanh(rho)
            found.append(Correlation(parameter, rho, float(np.tanh(z - width)), float(np.tanh(z + width))))
        return sorted(found, key=lambda c: -abs(c.rho))

    @property
    def chance_rho(self) -> float:
        """Correlation that one of all parameters passes by chance in 5 % of studies (Bonferroni)."""
        level = norm.ppf(1.0 - 0.025 / len(self.parameters)) / np.sqrt(len(self.rows) - 3)
        return float(np.tanh(level))


def draw_figure(parameters: Sequence[Parameter], rows: Sequence[Mapping[str, str]], folder: Path) -> Path:
    """Draw relay_draws.png and .svg into ``folder`` and return the path of the first."""
    study = Study(parameters, rows)
    matplotlib.rcParams.update({"svg.hashsalt": "tme-sim", "font.size": 9})
    figure = Figure(figsize=(13.2, 4.9), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.0, 0.95, 1.0))
    _draw_effects(left, study)
    _draw_links(middle, study)
    _draw_correlations(right, study)
    for axes, letter in zip((left, middle, right), "abc", strict=True):
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(f"{letter}   {axes.get_title(loc='left')}", loc="left", fontsize=10, fontweight="bold")
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "relay_draws.svg", metadata={"Date": None})
    figure.savefig(folder / "relay_draws.png", dpi=160)
    return folder / "relay_draws.png"


def _draw_effects(axes: Axes, study: Study) -> None:
    """Draw the effect of every draw in ascending order; the width of the coloured part is the share."""
    effect = np.sort(study.effect)
    raised = study.share(study.effect > RAISED)
    rank = (np.arange(len(effect)) + 0.5) / len(effect)
    axes.bar(rank, effect, 1.0 / len(effect), color=np.where(effect > RAISED, VERMILLION, GREY))
    axes.axhline(RAISED, color="black", lw=0.8, ls=":")
    axes.axhline(0.0, color="black", lw=0.8)
    axes.text(0.01, RAISED, " 0.05", va="bottom", fontsize=8)
    low, high = raised.interval
    axes.text(
        0.04,
        0.72,
        f"raised by more than 0.05 in\n{raised.count} of {raised.total} draws: {raised.count / raised.total:.1%}\n"
        f"(95 % interval {low:.1%} to {high:.1%})",
        transform=axes.transAxes,
        va="top",
        color=VERMILLION,
    )
    top = max(0.3, float(effect.max()))
    if study.at_defaults is not None:
        top = max(top, study.at_defaults)
        axes.axhline(study.at_defaults, color=BLUE, lw=1.2, ls="--")
        axes.text(
            0.04, study.at_defaults, f"at the defaults: {study.at_defaults:.2f}", va="bottom", color=BLUE
        )
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(min(-0.1, float(effect.min()) * 1.1), top * 1.15)
    axes.set_xlabel("share of draws, sorted by effect")
    axes.set_ylabel("resistant fraction in the rim, relay minus blocked release")
    axes.set_title("What the relay adds", loc="left")


def _draw_links(axes: Axes, study: Study) -> None:
    links = study.links()
    for row, (name, share) in enumerate(links.items()):
        value, (low, high) = share.count / share.total, share.interval
        colour = VERMILLION if row >= len(links) - 2 else BLUE
        axes.barh(row, value, 0.42, color=colour, alpha=0.85)
        axes.plot([low, high], [row, row], color="black", lw=1.2)
        axes.text(0.0, row - 0.3, name, va="bottom", fontsize=8.5)
        axes.text(high + 0.015, row, f"{value:.0%}", va="center", fontsize=8.5)
    axes.set_ylim(len(links) - 0.5, -0.9)
    axes.set_xlim(0.0, 1.0)
    axes.set_yticks([])
    axes.set_xlabel("share of draws (relay against blocked release)")
    axes.set_title("Where the chain stops", loc="left")


def _draw_correlations(axes: Axes, study: Study) -> None:
    """Draw the strongest correlations with two outcomes: STAT3 in the rim, and the resistant fraction there."""
    outcomes = {
        "STAT3 in the rim": (study.of(RELAY, "stat3_rim"), BLUE, -0.13),
        "rise of the resistant fraction": (study.effect, VERMILLION, 0.13),
    }
    found = {
        name: {c.parameter.key: c for c in study.correlations(v)} for name, (v, _, _) in outcomes.items()
    }
    strength = {p.key: max(abs(by_key[p.key].rho) for by_key in found.values()) for p in study.parameters}
    leading = sorted(study.parameters, key=lambda p: -strength[p.key])[:SHOWN]
    axes.axvspan(-study.chance_rho, study.chance_rho, color=PALE, lw=0)
    axes.axvline(0.0, color="black", lw=0.8)
    for name, (_, colour, shift) in outcomes.items():
        for row, parameter in enumerate(leading):
            c = found[name][parameter.key]
            axes.plot([c.low, c.high], [row + shift] * 2, color=colour, lw=1.2)
            axes.plot(c.rho, row + shift, "o", color=colour, ms=5, label=name if row == 0 else None)
    axes.set_yticks(range(len(leading)), [short(p) for p in leading])
    axes.set_ylim(len(leading) + 0.7, -0.6)  # room for the legend below the last row
    axes.set_xlim(-0.75, 0.75)
    axes.legend(loc="lower right", frameon=False, fontsize=8)
    axes.set_xlabel(
        "rank correlation over all draws, 95 % interval\n(band: chance for the largest of "
        f"{len(study.parameters)} parameters)"
    )
    axes.set_title("What decides", loc="left")


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the figure from the tables and print its numbers; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m experiments.relay_figure", description=__doc__)
    parser.add_argument("--table", type=Path, default=Path("docs/relay"), help="folder of relay_draws.csv")
    parser.add_argument("--figures", type=Path, default=Path("docs/figures"))
    options = parser.parse_args(arguments)
    parameters = parameters_of(load_scenario(SCENARIO, scene()))
    rows = read_rows(options.table / "relay_draws.csv")
    draw_figure(parameters, rows, options.figures)
    study = Study(parameters, rows)
    print(
        f"draws without result: {study.failed}; chance level of the largest correlation: {study.chance_rho:.2f}"
    )
    print(f"lowered by more than {RAISED}: {study.share(study.effect < -RAISED)}")
    for name, share in study.links().items():
        print(f"{' '.join(name.split())}: {share}")
    outcomes = {
        "rise of the resistant fraction": None,
        "STAT3 in the rim": study.of(RELAY, "stat3_rim"),
        "rise of ATP in the rim": study.of(RELAY, "atp_rim") / study.of(BLOCKED, "atp_rim"),
        "fall of log-kill in the rim": study.of(BLOCKED, "ratio_rim") - study.of(RELAY, "ratio_rim"),
    }
    for name, outcome in outcomes.items():
        print(name)
        for c in study.correlations(outcome)[:SHOWN]:
            print(
                f"    {short(c.parameter)} ({c.parameter.key}): {c.rho:+.2f} ({c.low:+.2f} to {c.high:+.2f})"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
