"""Says whether pyphysicell can be timed beside this project; it is no dependency."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

# Measured once on a machine of two cores, one thread, seconds per simulated hour: 2 fields, 5 rules.
PUBLISHED = {"10,000 cells": 11.4, "50,000 cells": 64.6}


def main() -> dict[str, float | str]:
    """Print the published times of pyphysicell 0.1.4 and whether it is installed here."""
    try:
        found = version("pyphysicell")
    except PackageNotFoundError:
        found = "not installed"
    print(
        f"pyphysicell here: {found}. Its times are not measured by this command; "
        "version 0.1.4 with 2 fields and 5 rules took,"
    )
    print("in seconds per simulated hour: " + ", ".join(f"{k} {v}" for k, v in PUBLISHED.items()) + ".\n")
    return {"installed": found, **PUBLISHED}


if __name__ == "__main__":
    main()
