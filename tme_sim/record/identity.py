"""The name of a run: a hash of everything that decides its result."""

from __future__ import annotations

import hashlib

FORMAT_VERSION = 1


def run_id(resolved_json: str, seed: int, numerics_version: str, format_version: int = FORMAT_VERSION) -> str:
    """Return 32 hexadecimal digits that two runs share only when they must give equal results.

    Parameters
    ----------
    resolved_json : str
        The scenario with every default and override filled in, keys sorted.
    seed : int
        Seed of the run.
    numerics_version : str
        Raised with every change that alters results.
    """
    digest = hashlib.sha256()
    for part in (resolved_json, str(seed), numerics_version, str(format_version)):
        raw = part.encode()
        digest.update(len(raw).to_bytes(8, "little"))
        digest.update(raw)
    return digest.hexdigest()[:32]
