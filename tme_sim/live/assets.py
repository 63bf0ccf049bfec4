"""The files that the page's browser needs, read from an archive that travels with the package."""

from __future__ import annotations

import mimetypes
import re
import zipfile
from functools import cache
from pathlib import Path

ARCHIVE = Path(__file__).with_name("assets.zip")
_CITED = re.compile(r"@widgetti/solara-vuetify-app@[0-9.]+|requirejs@[0-9.]+")


class AssetsError(RuntimeError):
    """The archive does not hold what the installed Solara asks for."""


@cache
def _archive() -> dict[str, bytes]:
    with zipfile.ZipFile(ARCHIVE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def asset(path: str) -> tuple[bytes, str] | None:
    """Return the bytes and media type of a file, None where there is no such file."""
    data = _archive().get(path)
    if data is None:
        return None
    return data, mimetypes.guess_type(path)[0] or "application/octet-stream"


def check_assets(template: str) -> None:
    """Refuse a Solara whose page names other versions than those in the archive.

    Raises
    ------
    AssetsError
        With the versions that are missing.
    """
    packed = {"/".join(name.split("/")[: 2 if name.startswith("@") else 1]) for name in _archive()}
    missing = sorted(set(_CITED.findall(template)) - packed)
    if missing:
        raise AssetsError(
            f"the installed solara needs {', '.join(missing)}, which tme-sim does not carry; "
            "install the version that fits: pip install 'tme-sim[live]'"
        )
