"""What is typed into the page's controls."""

from __future__ import annotations

import pytest

from tme_sim.live.controls import seed_of


@pytest.mark.parametrize(("text", "seed"), [("0", 0), (" 12 ", 12), ("18446744073709551615", 2**64 - 1)])
def test_seed_is_read_as_typed(text: str, seed: int) -> None:
    assert seed_of(text) == seed


@pytest.mark.parametrize("text", ["", "-1", "1.5", "abc", "18446744073709551616", "²", "١٢", "9" * 5000])
def test_what_is_no_seed_is_none(text: str) -> None:
    assert seed_of(text) is None
