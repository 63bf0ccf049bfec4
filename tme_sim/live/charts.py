"""Which charts a scenario has, from the measures that were kept of its run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tme_sim.analysis.palette import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILLION, type_colours
from tme_sim.live.svg import Chart, Line
from tme_sim.scenario.scenario import Scenario, layout_of

Series = Mapping[str, np.ndarray]
_NICHES = (
    ("resistant_fraction_{}", "all tumour cells", BLACK, ""),
    ("resistant_fraction_rim_{}", "in the rim", VERMILLION, "6 3"),
    ("resistant_fraction_perfused_{}", "near vessels", BLUE, "2 3"),
)
_HYPOXIA = (
    ("hypoxic_share_10", "below 10 mmHg", BLUE, "2 3"),
    ("hypoxic_share_2p5", "below 2.5 mmHg", VERMILLION, ""),
)


def charts_of(scenario: Scenario, series: Series) -> list[Chart]:
    """Return cells by type, resistance by niche, hypoxia, vesicles and drugs, as far as the scenario has them."""
    return list(_charts(scenario, series))


def _charts(scenario: Scenario, series: Series) -> Iterator[Chart]:
    layout = layout_of(scenario)
    colours = type_colours(layout.cell_types)
    counts = [
        Line(name.replace("_", " "), colours[name], np.where(values > 0, values, np.nan))
        for name in layout.cell_types
        if (values := series.get(f"{name}_cells")) is not None and values.max(initial=0.0) > 0
    ]
    yield Chart("Living cells by type", tuple(counts), logarithmic=True)
    for drug in layout.drugs:
        if scenario.resistance is not None and f"resistant_fraction_{drug}" in series:
            rows = [(name.format(drug), *style) for name, *style in _NICHES]
            yield Chart(f"Tumour cells resistant to {drug}", _lines(series, rows), "%")
    if any(name in series for name, *_ in _HYPOXIA):
        yield Chart("Hypoxic tumour cells", _lines(series, _HYPOXIA), "%")
    if layout.pools:
        yield Chart("Vesicles", tuple(_vesicles(layout.pools, series)), logarithmic=True)
    for drug in layout.drugs:
        field = scenario.drugs[drug].field
        in_vessels = [(f"{field}_plasma", "free, in vessels", PURPLE, "")]
        rows = (
            *(in_vessels if scenario.fields[field].vessel is not None else []),
            (f"{field}_at_tumour", "free, at tumour cells", ORANGE, "6 3"),
            (f"{drug}_held_in_tumour", "held by tumour cells", BLACK, "2 3"),
        )
        yield Chart(f"Drug: {drug}", _lines(series, rows), "nM")


def _lines(series: Series, rows) -> tuple[Line, ...]:
    return tuple(
        Line(label, colour, series[name], dashes) for name, label, colour, dashes in rows if name in series
    )


def _vesicles(pools: tuple[str, ...], series: Series) -> Iterator[Line]:
    """Yield all pools together: free ones, and those taken up since the start."""
    for suffix, label, colour, dashes in (
        ("free", "free", GREEN, ""),
        ("internalised", "taken up since the start", BLACK, "6 3"),
    ):
        parts = [series[f"{pool}_{suffix}"] for pool in pools if f"{pool}_{suffix}" in series]
        if parts:
            total = np.sum(parts, axis=0)
            yield Line(label, colour, np.where(total > 0, total, np.nan), dashes)
