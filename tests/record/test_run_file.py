import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

from tests.record.made_tissue import LAYOUT, MadeModel, advance, made_tissue
from tme_sim.record import store
from tme_sim.record.compare import differences
from tme_sim.record.reader import RunFileError, open_run, verify
from tme_sim.record.recorder import Recorder
from tme_sim.record.schedule import Every
from tme_sim.record.seal import check_seal, seal
from tme_sim.record.writer import RunExists, build_content, is_done, write_run
from tme_sim.state.cells import Cells
from tme_sim.state.clock import Clock
from tme_sim.state.events import Events
from tme_sim.state.grid import Grid
from tme_sim.state.layout import Layout
from tme_sim.state.ledger import Ledger
from tme_sim.state.tissue import Tissue


def record(seed=7, nz=1, steps=10, n=12):
    model = MadeModel(made_tissue(n=n, nz=nz), seed=seed)
    recorder = Recorder(Every(12.0), Every(30.0))
    recorder.start(model)
    for _ in range(steps):
        advance(model.tissue)
        recorder.observe(model.tissue)
    return recorder.finish()


@pytest.fixture(scope="module")
def recording():
    return record()


@pytest.fixture(scope="module")
def path(recording, tmp_path_factory):
    return write_run(recording, tmp_path_factory.mktemp("runs") / "run.h5", provenance={"host": "here"})


# --- what is written is what was recorded


def test_series_read_back_equal(recording, path):
    with open_run(path) as run:
        frame = run.timeseries
    assert np.array_equal(frame.to_numpy(), recording.series, equal_nan=True)
    assert frame.index.tolist() == recording.minutes.tolist()
    assert list(frame) == [measure.name for measure in recording.measures]
    assert frame.attrs["units"]["tumour_oxygen_mean"] == "mmHg"


def test_fields_and_pools_read_back_equal(recording, path):
    with open_run(path) as run:
        for at, snapshot in enumerate(recording.snapshots):
            minutes = run.snapshot_minutes[at]
            assert np.array_equal(run.field("il6", minutes), snapshot.fields[..., 1])
            assert np.array_equal(run.pool("hsc_vesicle", minutes), snapshot.pools[..., 1])
            assert np.array_equal(run.vessels("perfusion", minutes), snapshot.perfusion)


def test_planes_are_chunked_one_by_one(path):
    with h5py.File(path) as file:
        assert file["fields/il6"].chunks == (1, 1, 12, 12)
        assert "chunks" not in file["fields/il6"].attrs


def test_cells_read_back_equal(recording, path):
    with open_run(path) as run:
        for minutes, snapshot in zip(run.snapshot_minutes, recording.snapshots, strict=True):
            frame = run.cells(minutes)
            assert np.array_equal(frame["id"], snapshot.cells["id"])
            assert np.array_equal(frame["STAT3"], snapshot.cells["STAT3"])
            assert frame["type"].cat.codes.tolist() == snapshot.cells["type"].tolist()


def test_events_read_back_in_words(path):
    with open_run(path) as run:
        deaths = run.events("deaths")
    assert deaths["cause"].tolist() == ["apoptosis", "drug", "drug"]
    assert deaths["drug"].isna().tolist() == [True, False, False]


def test_flux_says_who_took_up_whose(path):
    with open_run(path) as run:
        flux = run.flux
    row = flux.query("pool == 'normoxic_exosome' and donor == 'tumour' and recipient == 'hsc'")
    assert row["vesicles"].item() == 30.0
    assert flux["vesicles"].sum() == 35.0


def test_ledger_names_its_accounts(path):
    with open_run(path) as run:
        assert run.ledger("pools").loc["normoxic_exosome", "internalised"] == 35.0


def test_scenario_rules_and_names_travel_in_the_file(path):
    with open_run(path) as run:
        assert run.scenario_yaml == MadeModel(made_tissue()).resolved_yaml
        assert run.rules["evidence"].tolist() == ["S0-08", "S0-03 S0-06"]
        assert run.layout == LAYOUT
        assert run.grid.shape == (1, 12, 12)
        assert run.seed == 7
        assert run.provenance == {"host": "here"}


def test_run_with_nothing_in_it_reads_back(tmp_path):
    layout = Layout(("tumour",), (), (), (), (), ())
    grid = Grid((1, 4, 5), 20.0, 0.2)
    nothing = np.zeros((1, 4, 5, 0))
    tissue = Tissue(
        layout, grid, Clock(6.0), 1, Cells(layout, 20), nothing, nothing, np.zeros((1, 4, 5)),
        np.full((1, 4, 5), np.inf), np.zeros(0), Ledger.empty(0, 0, 0, 1), Events(),
    )  # fmt: skip
    recorder = Recorder()
    recorder.start(MadeModel(tissue, rule_rows=[]))
    path = write_run(recorder.finish(), tmp_path / "run.h5")
    with open_run(path) as run:
        assert run.layout == layout
        assert len(run.cells()) == len(run.flux) == len(run.rules) == len(run.events("deaths")) == 0
        assert run.timeseries["living_cells"].tolist() == [0.0]
        assert np.isnan(run.timeseries["tumour_vessel_distance"]).all()
    for group in (
        "timeseries",
        "fields",
        "vesicles",
        "cells",
        "flux",
        "ledger",
        "layout",
        "events/births",
        "rules",
    ):
        with xarray.open_dataset(path, group=group, engine="h5netcdf") as data:
            data.load()


def test_three_dimensional_run_reads_back(tmp_path):
    made = record(nz=3)
    with open_run(write_run(made, tmp_path / "run.h5")) as run:
        assert np.array_equal(run.field("oxygen"), made.snapshots[-1].fields[..., 0])


def test_unknown_field_lists_the_known_ones(path):
    with open_run(path) as run, pytest.raises(KeyError, match="known: oxygen, il6, SN38"):
        run.field("oxigen")


def test_xarray_labels_series_without_our_code(path):
    with xarray.open_dataset(path, group="timeseries", engine="h5netcdf") as data:
        assert data["tumour_oxygen_mean"].dims == ("time",)
        assert data["tumour_oxygen_mean"].attrs["units"] == "mmHg"
        assert data["time"].attrs["units"] == "min"


def test_xarray_labels_space_without_our_code(path):
    with xarray.open_dataset(path, group="fields", engine="h5netcdf") as data:
        assert data["oxygen"].dims == ("time", "z", "y", "x")
        assert data["x"].attrs["units"] == "um"
        assert float(data["x"][0]) == 10.0


@pytest.mark.parametrize(
    "group", ["vesicles", "vessels", "cells", "flux", "ledger", "layout", "events/deaths", "rules"]
)
def test_xarray_opens_every_group(path, group):
    with xarray.open_dataset(path, group=group, engine="h5netcdf") as data:
        data.load()


def test_every_dataset_is_checksummed_and_of_fixed_length(path):
    def check(name, item):
        if isinstance(item, h5py.Dataset):
            assert item.fletcher32, name
            assert item.dtype.kind != "O", name

    with h5py.File(path) as file:
        file.visititems(check)


# --- equal runs are equal bytes


def test_equal_runs_are_byte_equal():
    assert bytes(build_content(record(), {})) == bytes(build_content(record(), {}))


def test_facts_about_the_machine_are_no_difference(recording, path, tmp_path):
    other = write_run(recording, tmp_path / "run.h5", provenance={"host": "elsewhere", "wall_s": 3.5})
    assert differences(path, other) == []


def test_differences_are_named(path, tmp_path):
    changed = record(steps=10)
    changed.snapshots[-1].fields[0, 2, 3, 0] += 1.0
    assert differences(path, write_run(changed, tmp_path / "run.h5")) == [
        "/fields/oxygen: 1 of 432 differ, by up to 1"
    ]


# --- whole or not at all


def test_same_run_again_is_left_as_it_is(recording, tmp_path):
    path = write_run(recording, tmp_path / "run.h5")
    before = path.stat().st_mtime_ns, path.stat().st_ino
    write_run(recording, path, provenance={"host": "later"})
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_another_run_is_refused_with_its_id(recording, path):
    with pytest.raises(RunExists) as caught:
        write_run(record(seed=8), path)
    assert caught.value.found == recording.run_id
    assert caught.value.path == path


def test_foreign_file_is_refused_and_kept(recording, tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("dear reader")
    with pytest.raises(RunExists) as caught:
        write_run(recording, path)
    assert caught.value.found is None
    assert path.read_text() == "dear reader"


def test_force_replaces(recording, tmp_path):
    path = write_run(recording, tmp_path / "run.h5")
    other = record(seed=8)
    write_run(other, path, force=True)
    assert is_done(path, other.run_id)


def test_nothing_there_is_not_done(tmp_path):
    assert not is_done(tmp_path / "run.h5", "00")


def test_other_process_was_faster_with_the_same_run(recording, tmp_path, monkeypatch):
    path = tmp_path / "run.h5"

    def faster(*arguments, **options):
        write_now(*arguments, **options)
        raise FileExistsError(errno.EEXIST, "exists")

    write_now = store.publish
    monkeypatch.setattr("tme_sim.record.writer.publish", faster)
    assert write_run(recording, path) == path


def test_file_system_without_links_gets_the_file_by_rename(recording, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    verify(write_run(recording, tmp_path / "run.h5"))
    assert [item.name for item in tmp_path.iterdir()] == ["run.h5"]


def test_full_disk_is_an_error_and_leaves_nothing(recording, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            write_run(recording, tmp_path / "run.h5")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(tmp_path.iterdir()) == []


def test_full_disk_under_force_keeps_the_old_file(recording, tmp_path, monkeypatch):
    path = write_run(recording, tmp_path / "run.h5")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_run(record(seed=8), path, force=True)
    assert is_done(path, recording.run_id)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("step", ["write", "fsync", "link"])
def test_killed_while_writing_leaves_nothing_under_the_name(tmp_path, step):
    path = tmp_path / "run.h5"
    program = f"""
import os, pathlib, signal
from tme_sim.record.store import publish
os.{step} = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
publish(pathlib.Path({str(path)!r}), [b"content"])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()
    store.publish(path, [b"content"])
    assert path.read_bytes() == b"content"


def test_missing_folder_is_a_plain_error(recording, tmp_path):
    with pytest.raises(FileNotFoundError):
        write_run(recording, tmp_path / "nowhere" / "run.h5")


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the superuser")
def test_read_only_folder_is_an_error_and_leaves_nothing(recording, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(PermissionError):
        write_run(recording, folder / "run.h5")
    assert list(folder.iterdir()) == []


# --- damage is seen


def test_every_flipped_bit_is_seen(path):
    raw = bytearray(path.read_bytes())
    rng = np.random.default_rng(5)
    end = len(raw) - 200
    for at in [*rng.integers(0, len(raw), 300), *range(end, len(raw))]:
        bit = 1 << int(rng.integers(8))
        raw[at] ^= bit
        with pytest.raises(RunFileError):
            check_seal(raw)
        raw[at] ^= bit
    assert check_seal(raw) > 0


@pytest.mark.parametrize("keep", [0, 1, 60, 5000, -1, -1000])
def test_truncated_file_is_seen(path, tmp_path, keep):
    cut = tmp_path / "cut.h5"
    cut.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RunFileError):
        open_run(cut)


def test_trailing_bytes_are_seen(path, tmp_path):
    longer = tmp_path / "longer.h5"
    longer.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(RunFileError):
        verify(longer)


def test_foreign_hdf5_file_is_no_run(tmp_path):
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = np.arange(1000)
    with pytest.raises(RunFileError, match="no trailer"):
        open_run(tmp_path / "foreign.h5")


def test_sealed_content_that_is_not_hdf5_is_no_run(tmp_path):
    path = tmp_path / "text.h5"
    path.write_bytes(b"text" + seal(b"text"))
    with pytest.raises(RunFileError, match="cannot be read as HDF5"):
        open_run(path)


def test_newer_format_is_refused_by_number(recording, tmp_path, monkeypatch):
    monkeypatch.setattr("tme_sim.record.writer.FORMAT_VERSION", 99)
    path = write_run(recording, tmp_path / "run.h5")
    with pytest.raises(RunFileError, match="format 99"):
        open_run(path)


def test_missing_file_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_run(Path(tmp_path / "none.h5"))
