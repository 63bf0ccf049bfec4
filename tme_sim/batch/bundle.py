"""Packs finished run files into bundles, for file systems that count files."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from itertools import batched
from pathlib import Path
from typing import BinaryIO

from tme_sim.batch.folder import Folder
from tme_sim.record.shard import Shard, bundle_name
from tme_sim.record.store import publish_built

RUNS_PER_BUNDLE = 1000
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that an archive can hold: equal runs are equal bytes


def bundle(folder: Folder, most: int = RUNS_PER_BUNDLE) -> list[Path]:
    """Pack the finished run files of a batch into archives of at most ``most``; return these.

    A file goes only after its copy has been read back whole, so that a crash leaves both.

    Raises
    ------
    RunFileError
        When a run file is damaged; nothing of its bundle is removed.
    OSError
        When a bundle cannot be written; nothing of it is removed.
    """
    alone = [shard for shard in folder.shards().values() if not shard.bundled]
    return [_pack(folder, shards) for shards in batched(alone, most)]


def _pack(folder: Folder, shards: Sequence[Shard]) -> Path:
    path = folder.bundles / bundle_name(shard.run_id for shard in shards)

    def build(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # run files are compressed already
            for shard in shards:
                shard.check()
                archive.writestr(zipfile.ZipInfo(shard.member, _DATE), shard.path.read_bytes())

    publish_built(path, build, lambda _: b"")
    for shard in shards:
        Shard(shard.run_id, path, bundled=True).check()
    for shard in shards:
        shard.path.unlink(missing_ok=True)
    return path
