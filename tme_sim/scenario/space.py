"""Space and time of a scenario: grid, clock, vessels and where cells are at the start."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError, ValidationError

from tme_sim.scenario.block import (
    Block,
    CellName,
    DataFile,
    Diffusion,
    Duration,
    Length,
    PositiveShare,
    Provenance,
    Ratio,
    Share,
    default,
)
from tme_sim.scenario.faults import Problems, problem, shown
from tme_sim.scenario.number import Quantity, Sourced, number_schema
from tme_sim.scenario.units import Scale

MAX_SITES = 10**8


class Medium(Provenance):
    """The medium over the cells of a dish: each site stands for the column above it, mixed from top to bottom."""

    height: Length = Field(description="Height of the medium.")
    mixing: Diffusion = default("0 um^2/s", "Added to every diffusion coefficient: convection in the medium")


class GridSpec(Block):
    """The lattice."""

    size: tuple[Length, ...] = Field(
        description="Size in x, y and, in three dimensions, z.", min_length=2, max_length=3
    )
    spacing: Length = default("20 um", "Edge of a site")
    interstitial_fraction: PositiveShare = default(
        "0.2", "Share of a site in which factors and vesicles are dissolved, 1 in a dish"
    )

    medium: Medium | None = Field(None, description="Medium over the cells of a dish; default: tissue.")

    @model_validator(mode="after")
    def _medium_over_one_layer(self) -> Self:
        if self.medium is None:
            return self
        if self.interstitial_fraction != 1:
            raise problem("a dish has no interstitium: medium needs interstitial_fraction: 1")
        if len(self.size) == 3 and self.size[2] > self.spacing:
            raise problem("medium lies over one layer of sites; leave out size z")
        if self.medium.height < self.spacing:
            raise problem(
                f"the medium, {self.medium.height.written}, is lower than a site, {self.spacing.written}"
            )
        return self

    @model_validator(mode="after")
    def _whole_sites(self) -> Self:
        for axis, length in zip("xyz", self.size, strict=False):
            exact = length / self.spacing
            if exact > MAX_SITES:
                break
            sites = max(1, round(exact))
            if abs(exact - sites) > 1e-9 * sites:
                raise problem(
                    f"size {axis} = {length.written} is {exact:.6g} sites of {self.spacing.written}; "
                    f"expected a whole number; the nearest size is {sites * self.spacing:g} um"
                )
        if math.prod(length / self.spacing for length in self.size) > MAX_SITES:
            raise problem(f"more than {MAX_SITES:.0e} sites; expected a smaller size or a larger spacing")
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of sites (nz, ny, nx)."""
        sites = [max(1, round(length / self.spacing)) for length in self.size]
        return (sites[2] if len(sites) == 3 else 1, sites[1], sites[0])


class TimeSpec(Block):
    """The clock."""

    step: Duration = default("6 min", "Length of a step")
    duration: Duration = Field(description="Simulated time of a run.")

    @model_validator(mode="after")
    def _holds_a_step(self) -> Self:
        if self.duration < self.step:
            raise problem(f"duration {self.duration.written} is shorter than the step, {self.step.written}")
        return self

    @property
    def n_steps(self) -> int:
        """Steps of a run, the last one completed."""
        return math.ceil(self.duration / self.step * (1 - 1e-12))


class SproutingSpec(Provenance):
    """Vessels that live: they sprout, join, and are perfused only on a path between two roots."""

    inhibition: Length = Field(
        description="Way along vessels within which a tip keeps others away and joins nothing."
    )
    persistence: Ratio = Field(description="Weight of going straight on, beside those of gradients.")


class VesselSpec(Provenance):
    """Vessels that cross the tissue."""

    layout: Literal["random", "regular", "file"] = Field(
        description="random: no two closer than `spacing`; regular: hexagonal; file: positions from a table."
    )
    spacing: Length | None = Field(
        None, description="Distance between vessels, required but for layout: file; default: none."
    )
    radius: Length = default("5 um", "Radius of a vessel")
    file: DataFile | None = Field(
        None, description="CSV with columns x_um, y_um[, z_um], for layout: file; default: none."
    )
    cell: CellName = Field(description="Type of the cells of the vessel wall: each living one is a vessel.")
    sprouting: SproutingSpec | None = Field(
        None, description="Vessels grow, and blood flows only on paths between roots; default: vessels stay."
    )

    @model_validator(mode="after")
    def _fits_layout(self) -> Self:
        if self.layout == "file" and self.file is None:
            raise problem("layout: file needs a file")
        if self.layout != "file" and self.spacing is None:
            raise problem(f"layout: {self.layout} needs a spacing")
        if self.layout != "file" and self.file is not None:
            raise problem(f"layout: {self.layout} takes no file")
        return self


_DISTANCE = Quantity(Scale("um"), at_least=0)


def _read_point(raw: Any, info: ValidationInfo) -> tuple[Sourced, ...]:
    if not isinstance(raw, list | tuple) or len(raw) not in (2, 3):
        raise problem(f"got {shown(raw)}; expected a position [x, y] or [x, y, z]")
    problems, point = Problems(), []
    for i, part in enumerate(raw):
        try:
            point.append(_DISTANCE.read(part, info))
        except (PydanticCustomError, ValidationError) as error:
            problems.add((i,), error, part)
    problems.settle()
    return tuple(point)


def _read_centre(raw: Any, info: ValidationInfo) -> Literal["middle"] | tuple[Sourced, ...]:
    return "middle" if raw == "middle" else _read_point(raw, info)


_POINT_SCHEMA = {"type": "array", "items": number_schema("um"), "minItems": 2, "maxItems": 3}
Point = Annotated[tuple[Sourced, ...], PlainValidator(_read_point), WithJsonSchema(_POINT_SCHEMA)]
Centre = Annotated[
    Literal["middle"] | tuple[Sourced, ...],
    PlainValidator(_read_centre),
    WithJsonSchema({"anyOf": [{"const": "middle"}, _POINT_SCHEMA]}),
]


class Nodule(Block):
    """A disc or ball of cells."""

    centre: Centre = Field("middle", description="Centre [x, y(, z)], or middle; default: middle.")
    radius: Length = Field(description="Radius.")
    filling: PositiveShare = default("100 %", "Share of the sites that hold a cell")


class Placement(Block):
    """Where the cells of one type are at the start."""

    nodules: tuple[Nodule, ...] = Field((), description="Nodules of this type; default: none.")
    density: Share | None = Field(
        None, description="Share of the sites that hold such a cell; default: none."
    )
    where: Literal["anywhere", "outside", "inside"] = Field(
        "anywhere", description="Sites that `density` refers to, relative to all nodules; default: anywhere."
    )
    at: tuple[Point, ...] = Field((), description="Positions [x, y(, z)] of single cells; default: none.")

    @model_validator(mode="after")
    def _places_something(self) -> Self:
        if not self.nodules and self.density is None and not self.at:
            raise problem("expected nodules, a density or positions (at)")
        return self


def _read_label(raw: Any) -> int:
    if isinstance(raw, int) or (isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 10):
        return int(raw)
    raise problem(f"got {shown(raw)}; expected the value of a pixel, a whole number")


Label = Annotated[int, PlainValidator(_read_label), WithJsonSchema({"type": "integer"})]


class LabelImage(Block):
    """An image with one pixel per site."""

    file: DataFile = Field(description="PNG or TIFF; the value of a pixel is a label.")
    types: dict[Label, CellName] = Field(
        description="Cell type of each label; other labels are empty.", min_length=1
    )


class TissueSpec(Block):
    """Cells at the start: a placement per cell type, a table, an image.

    Placements are keys of their own; read them with `placements`.
    """

    model_config = {"extra": "allow"}
    __pydantic_extra__: dict[CellName, Placement] = Field(init=False)  # pyright: ignore - pydantic types it so

    from_file: DataFile | None = Field(
        None, description="CSV with columns x_um, y_um[, z_um], type[, id]; default: none."
    )
    label_image: LabelImage | None = Field(None, description="Image with one pixel per site; default: none.")

    @property
    def placements(self) -> dict[str, Placement]:
        """Placement of each cell type that has one."""
        return dict(self.__pydantic_extra__)

    @model_validator(mode="before")
    @classmethod
    def _is_mapping(cls, raw: Any) -> Any:
        return {} if raw is None else raw
