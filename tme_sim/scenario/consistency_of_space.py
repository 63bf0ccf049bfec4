"""Checks of vessels, first tissue and boundaries against the grid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tme_sim.scenario.checks import Finding
from tme_sim.scenario.faults import Path, shown
from tme_sim.scenario.matter import Boundary
from tme_sim.scenario.scenario import Scenario

_OF_VESSELS = ("sprouting", "extension", "regression")


def axes_of(scenario: Scenario) -> Sequence[tuple[str, float]]:
    """Return the name and the length in µm of each axis."""
    return [(axis, float(length)) for axis, length in zip("xyz", scenario.grid.size, strict=False)]


def vessel_findings(scenario: Scenario) -> Iterator[Finding]:
    """Yield vessels that do not fit the grid, and behaviours that no vessel shows."""
    vessels = scenario.vessels
    yield from _growth_of_vessels(scenario)
    if vessels is None:
        return
    site = scenario.grid.spacing
    if vessels.radius >= site:
        yield Finding(
            ("vessels", "radius"), f"got {vessels.radius.written}; expected less than a site, {site.written}"
        )
    if vessels.spacing is None:
        return
    if vessels.spacing < site:
        yield Finding(
            ("vessels", "spacing"), f"got {vessels.spacing.written}; expected at least a site, {site.written}"
        )
    for axis, length in axes_of(scenario)[:2]:
        if vessels.spacing > length:
            reason = f"got {vessels.spacing.written}; the grid is only {length:g} um long in {axis}"
            yield Finding(("vessels", "spacing"), reason)


def _growth_of_vessels(scenario: Scenario) -> Iterator[Finding]:
    """Some behaviours act in vessel cells alone; those of growing vessels do not migrate."""
    vessels = scenario.vessels
    grows = vessels is not None and vessels.sprouting is not None
    used: list[tuple[Path, str, str]] = [
        (("rules", i, "behaviour"), rule.cell, rule.behaviour) for i, rule in enumerate(scenario.rules)
    ]
    for kind, cell in scenario.cells.items():
        used += [(("cells", kind, "base", name), kind, name) for name, value in cell.base.items() if value]
    for path, kind, behaviour in used:
        is_vessel = vessels is not None and kind == vessels.cell
        of_vessels = behaviour in _OF_VESSELS or behaviour.startswith("recruitment ")
        if of_vessels and not is_vessel:
            reason = f"{behaviour} is never felt: {kind} is not the type of vessels.cell"
            yield Finding(path, reason, at_key=True)
        elif behaviour in ("sprouting", "extension") and not grows:
            yield Finding(path, f"{behaviour} is never felt: there is no vessels.sprouting", at_key=True)
        elif behaviour == "migration" and is_vessel and grows:
            reason = f"{kind} cells are fixed in growing vessels; write extension, the speed of tips"
            yield Finding(path, reason, at_key=True)


def tissue_findings(scenario: Scenario) -> Iterator[Finding]:
    """Yield nodules and places outside the grid or taken twice, and densities above one."""
    axes, taken = axes_of(scenario), {}
    densities = 0.0
    for kind, placement in scenario.tissue.placements.items():
        densities += placement.density or 0.0
        for i, nodule in enumerate(placement.nodules):
            centre = [length / 2 for _, length in axes] if nodule.centre == "middle" else nodule.centre
            path: Path = ("tissue", kind, "nodules", i)
            if len(centre) != len(axes):
                yield Finding((*path, "centre"), f"has {len(centre)} coordinates; the grid has {len(axes)}")
                continue
            for (axis, length), at in zip(axes, centre, strict=True):
                if at < nodule.radius or at + nodule.radius > length:
                    reason = f"reaches from {at - nodule.radius:g} to {at + nodule.radius:g} um in {axis}"
                    yield Finding(path, f"{reason}; the grid from 0 to {length:g}")
        for i, point in enumerate(placement.at):
            path = ("tissue", kind, "at", i)
            if len(point) != len(axes):
                yield Finding(path, f"has {len(point)} coordinates; the grid has {len(axes)}")
            elif any(x >= length for x, (_, length) in zip(point, axes, strict=True)):
                yield Finding(path, f"got {shown(point)}; outside the grid")
            else:
                site = tuple(int(x / scenario.grid.spacing) for x in point)
                if site in taken:
                    yield Finding(path, f"got {shown(point)}; the site is taken by a {taken[site]}")
                taken[site] = kind
    if densities > 1 + 1e-12:
        yield Finding(("tissue",), f"densities add up to {100 * densities:g} %; expected at most 100 %")


def boundary_findings(scenario: Scenario) -> Iterator[Finding]:
    """Yield values on faces that a section does not have."""
    if scenario.grid.shape[0] > 1:
        return
    blocks: list[tuple[str, str, Boundary]] = [
        ("fields", name, f.boundary) for name, f in scenario.fields.items()
    ]
    blocks += [("vesicles", name, pool.boundary) for name, pool in scenario.vesicles.items()]
    for block, name, boundary in blocks:
        for face in boundary.fixed:
            if face.startswith("z") and not (face == "z_high" and scenario.grid.medium):
                reason = "this face of it is always no_flux"
                yield Finding((block, name, "boundary", face), f"the grid has one layer; {reason}")
