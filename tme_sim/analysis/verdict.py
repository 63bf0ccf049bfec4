"""Says in words whether there are enough replicates to say anything."""

from __future__ import annotations

# With n pairs the exact signed-rank test (Wilcoxon 1945, doi:10.2307/3001968) cannot go below p = 2 / 2^n: 6 pairs are
# the fewest that can reach 5 % without assuming how differences are distributed.
ENOUGH = 6


def verdict(n: int) -> str:
    """Return what n replicates allow: empty when they are enough, else a warning for readers.

    Parameters
    ----------
    n : int
        Replicates, or pairs of them.
    """
    if n == 0:
        return "no run: nothing can be said"
    if n == 1:
        return "one run: no interval can be given"
    if n < ENOUGH:
        return (
            f"only {n} runs: the interval takes them as normally distributed; a test that does not needs at least "
            f"{ENOUGH}"
        )
    return ""
