"""The portrait of a cell, and what was changed, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tme_sim.analysis.palette import BLUE, VERMILLION
from tme_sim.live.portrait import Cause, Portrait, Resistance
from tme_sim.live.watched import Change


def portrait_html(portrait: Portrait) -> str:
    """Return a cell's portrait: why it resists first, then what it is, holds and feels."""
    head = (
        f'<h4><i style="background:{portrait.colour}"></i>{escape(portrait.kind)}, cell {portrait.cell}</h4>'
    )
    causes = "".join(_resistance(found) for found in portrait.resistances)
    tables = "".join(
        f"<table><caption>{escape(title)}</caption>"
        + "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows)
        + "</table>"
        for title, rows in portrait.sections
        if rows
    )
    return head + causes + tables


def _resistance(found: Resistance) -> str:
    verdict = "resistant" if found.resistant else "not resistant"
    style = " tme-resistant" if found.resistant else ""
    text = (
        f"<b>{verdict} to {escape(found.drug)}</b>: {found.exposure} kill with {100 * found.ratio:.0f} % of the "
        f"strength they have on a naive cell; it survives with {100 * found.survival:.0f} % chance, "
        f"a naive one with {100 * found.naive_survival:.0f} %."
    )
    if not found.causes:
        return (
            f'<div class="tme-verdict{style}">{text} Nothing that it feels or holds makes a difference.</div>'
        )
    most = max(abs(cause.share) for cause in found.causes)
    causes = "".join(_cause(cause, most) for cause in found.causes)
    words = f"Why, as shares of a naive cell's log-kill (<span style='color:{VERMILLION}'>protects</span>, "
    return (
        f'<div class="tme-verdict{style}">{text}</div>{words}'
        f"<span style='color:{BLUE}'>sensitises</span>):{causes}"
    )


def _cause(cause: Cause, most: float) -> str:
    width = 50.0 * abs(cause.share) / most
    side = f"left:50%;width:{width:.1f}%" if cause.share > 0 else f"right:50%;width:{width:.1f}%"
    colour = VERMILLION if cause.share > 0 else BLUE
    bar = f'<span><i style="{side};background:{colour}"></i></span>'
    evidence = "".join(
        f"<p><b>{escape(i)}</b> {escape(statement)}<cite>{escape(document)}</cite></p>"
        for i, statement, document in cause.evidence
    )
    cited = f"<details><summary>{len(cause.evidence)} cited</summary>{evidence}</details>" if evidence else ""
    words = "memory (beyond what it feels now)" if cause.route == "memory" else cause.route
    return (
        f'<div class="tme-cause"><div class="tme-push">{bar}<b>{100 * cause.share:+.1f} %</b> {escape(words)}</div>'
        f"{cited}</div>"
    )


def changes_html(changes: Sequence[Change]) -> str:
    """Return what was done, numbered as on the charts."""
    items = "".join(
        f"<li><i>{number}</i>{_moment(change.minutes)}: {escape(change.label)}</li>"
        for number, change in enumerate(changes, 1)
    )
    return f'<ul class="tme-changes">{items}</ul>'


def _moment(minutes: float) -> str:
    return f"{minutes / 60.0:.4g} h" if minutes < 2880.0 else f"day {minutes / 1440.0:.2f}"
