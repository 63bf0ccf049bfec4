"""Which name lives in which column."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Names in column order; the same order everywhere in state, tables and files.

    ``walls`` names the cell type of vessel walls, if there are vessels, ``growing`` the same where they sprout,
    ``steady`` the fields that store nothing, ``altered`` the variables that interventions act on; run files do
    not keep these.
    """

    cell_types: tuple[str, ...]
    variables: tuple[str, ...]
    fields: tuple[str, ...]
    pools: tuple[str, ...]
    cargo: tuple[str, ...]
    drugs: tuple[str, ...]
    traits: tuple[str, ...] = ()
    clones: tuple[str, ...] = ()
    growing: tuple[str, ...] = ()
    loads: tuple[str, ...] = ()  # "DRUG in POOL": what vesicles carry of drugs
    walls: tuple[str, ...] = ()
    steady: tuple[str, ...] = ()
    dosed: tuple[str, ...] = ()  # drugs whose plasma is computed from compartments
    altered: tuple[str, ...] = ()
