import sys

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.record.made_batch import KEY, made_batch
from tests.record.test_run_file import record
from tme_sim.analysis.export.target import TARGETS, appearing
from tme_sim.cli.app import app
from tme_sim.record.reader import open_run
from tme_sim.record.writer import write_run


@pytest.fixture(scope="module")
def flat(tmp_path_factory):
    return write_run(record(), tmp_path_factory.mktemp("flat") / "run.h5")


@pytest.fixture(scope="module")
def deep(tmp_path_factory):
    return write_run(record(nz=3), tmp_path_factory.mktemp("deep") / "run.h5")


def export(file, form, out, *more):
    return CliRunner().invoke(app, ["export", str(file), "--to", form, "--out", str(out), *more])


# --- csv


def test_csv_tables_read_back_equal(flat, tmp_path):
    assert export(flat, "csv", tmp_path / "out").exit_code == 0
    with open_run(flat) as run:
        series = pd.read_csv(tmp_path / "out" / "timeseries.csv")
        assert np.array_equal(series.drop(columns="time_min"), run.timeseries, equal_nan=True)
        assert series["time_min"].tolist() == run.timeseries.index.tolist()
        cells, expected = pd.read_csv(tmp_path / "out" / "cells.csv"), run.cells()
        assert cells["id"].tolist() == expected["id"].tolist()
        assert cells["type"].tolist() == expected["type"].tolist()
        sites = pd.read_csv(tmp_path / "out" / "sites.csv")
        assert np.allclose(sites["il6"], run.field("il6").reshape(-1), rtol=1e-6)
        at = sites.set_index("site").loc[cells["site"], ["x", "y", "z"]].to_numpy()
        assert np.array_equal(at, cells[["x", "y", "z"]])
        assert pd.read_csv(tmp_path / "out" / "flux.csv")["vesicles"].sum() == 35.0


def test_csv_is_what_r_expects(flat, tmp_path):
    export(flat, "csv", tmp_path / "out", "--at", "30 min")
    for path in (tmp_path / "out").iterdir():
        raw = path.read_bytes()
        assert b"\r" not in raw
        header = raw.decode("utf-8").splitlines()[0].split(",")
        assert all(name.replace(".", "_").isidentifier() and not name.startswith("_") for name in header), (
            header
        )
    assert ",NA" in (tmp_path / "out" / "cells.csv").read_text()
    assert ",nan" not in (tmp_path / "out" / "timeseries.csv").read_text()
    cells = pd.read_csv(tmp_path / "out" / "cells.csv")
    assert cells["time_min"].unique().tolist() == [30.0]
    about = pd.read_csv(tmp_path / "out" / "columns.csv")
    described = set(about.loc[about["table"] == "cells", "column"])
    assert described == set(cells.columns) - {"time_min"}


def test_csv_of_a_batch_has_every_run_and_skips_what_is_damaged(tmp_path):
    folder = made_batch(tmp_path / "batch", replicates=2, steps=4, merged=False)
    folder.run_file(f"{3:032x}").write_bytes(b"no")
    done = export(folder.path, "csv", tmp_path / "out")
    assert done.exit_code == 0
    assert f"{3:032x}" in done.stderr
    runs = pd.read_csv(tmp_path / "out" / "runs.csv")
    assert runs["status"].tolist().count("done") == 7
    assert runs[KEY].tolist() == [1.0, 10.0] * 4
    series = pd.read_csv(tmp_path / "out" / "timeseries.csv")
    assert len(series) == 7 * 3
    last = series[(series["arm"] == "blocked") & (series["replicate"] == 1) & (series[KEY] == 10.0)].iloc[-1]
    assert last["tumour_cells"] == runs["tumour_cells"][7]


# --- AnnData


def test_anndata_reads_back_with_spatial_coordinates(flat, tmp_path):
    import anndata

    assert export(flat, "anndata", tmp_path / "run.h5ad").exit_code == 0
    found = anndata.read_h5ad(tmp_path / "run.h5ad")
    with open_run(flat) as run:
        cells = run.cells()
        assert np.array_equal(found.obsm["spatial"], cells[["x", "y"]])
        assert np.allclose(found[:, "STAT3"].X.ravel(), cells["STAT3"])
        assert found.obs["type"].tolist() == cells["type"].tolist()
        assert found.obs["type"].dtype == "category"
        oxygen = run.field("oxygen").reshape(-1)[cells["site"]]
        assert np.array_equal(found.obs["field_oxygen"], oxygen)
        assert found.uns["tme_sim"]["run_id"] == run.run_id
    assert found.obs_names.is_unique
    assert found.var.loc["held_pERK", "kind"] == "cargo held"
    assert found.var.loc["drug_SN38", "unit"] == "nM"


def test_anndata_of_a_volume_has_three_coordinates(deep, tmp_path):
    import anndata

    export(deep, "anndata", tmp_path / "run.h5ad", "--at", "0 min")
    found = anndata.read_h5ad(tmp_path / "run.h5ad")
    assert found.obsm["spatial"].shape == (found.n_obs, 3)
    assert found.uns["tme_sim"]["time_min"] == 0.0


# --- VTK


@pytest.mark.parametrize("which", ["flat", "deep"])
def test_vtk_reads_back_with_every_value_at_its_place(which, request, tmp_path):
    import pyvista

    file = request.getfixturevalue(which)
    assert export(file, "vtk", tmp_path / "out").exit_code == 0
    reader = pyvista.get_reader(tmp_path / "out" / "fields.pvd")
    with open_run(file) as run:
        assert reader.time_values == run.snapshot_minutes.tolist()
        reader.set_active_time_value(reader.time_values[-1])
        image = reader.read()[0]
        cells = run.cells()
        inside = image.find_containing_cell(cells[["x", "y", "z"]].to_numpy())
        oxygen = run.field("oxygen").reshape(-1)[cells["site"]]
        assert np.array_equal(image.cell_data["fields/oxygen (mmHg)"][inside], oxygen)
        assert image.bounds[1] == run.grid.shape[2] * run.grid.spacing_um
        points = pyvista.read(tmp_path / "out" / "cells_0002.vtp")
        assert np.array_equal(points.points, cells[["x", "y", "z"]].to_numpy(np.float32))
        assert np.array_equal(points.point_data["STAT3"], cells["STAT3"])
        names = points.field_data["type_names"]
        assert [names[code] for code in points.point_data["type"]] == cells["type"].tolist()


# --- SpatialData and OME-Zarr


def test_spatialdata_reads_back(flat, tmp_path):
    import spatialdata

    done = export(flat, "spatialdata", tmp_path / "run.zarr")
    assert done.exit_code == 0, done.stderr
    found = spatialdata.read_zarr(tmp_path / "run.zarr")
    with open_run(flat) as run:
        cells = run.cells()
        circles = found["cells"]
        assert np.array_equal(np.c_[circles.geometry.x, circles.geometry.y], cells[["x", "y"]])
        assert np.array_equal(found["fields"].sel(c="oxygen").to_numpy(), run.field("oxygen")[0])
        assert found["table"].obs["type"].tolist() == cells["type"].tolist()
    in_um = spatialdata.get_extent(found["fields"])
    assert in_um["x"] == pytest.approx((0.0, 240.0))


def test_ome_zarr_reads_back(deep, tmp_path):
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    done = export(deep, "ome-zarr", tmp_path / "run.ome.zarr")
    assert done.exit_code == 0, done.stderr
    nodes = list(Reader(parse_url(tmp_path / "run.ome.zarr"))())
    image = np.asarray(nodes[0].data[0])
    with open_run(deep) as run:
        assert np.array_equal(image[-1, 0], run.field("oxygen"))
        assert nodes[0].metadata["channel_names"][0] == "oxygen (mmHg)"


# --- refusals


def test_nothing_is_replaced_without_force(flat, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("precious")
    refused = export(flat, "csv", tmp_path / "out")
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]
    assert export(flat, "csv", tmp_path / "out", "--force").exit_code == 0
    assert not (tmp_path / "out" / "thesis.tex").exists()


def test_unknown_format_missing_file_and_missing_folder_are_refused(flat, tmp_path):
    assert export(flat, "xml", tmp_path / "out").exit_code == 2
    assert export(tmp_path / "none.h5", "csv", tmp_path / "out").exit_code == 2
    assert export(flat, "csv", tmp_path / "no" / "folder").exit_code == 2
    assert export(flat, "csv", tmp_path / "out", "--at", "noon").exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_time_outside_of_the_run_is_refused_and_another_snapshot_is_named(flat, tmp_path):
    refused = export(flat, "csv", tmp_path / "out", "--at", "5000d")
    assert refused.exit_code == 2
    assert "outside of the run" in refused.stderr
    assert list(tmp_path.iterdir()) == []
    with open_run(flat) as run:
        first, second = run.snapshot_minutes[:2]
    told = export(flat, "csv", tmp_path / "out", "--at", f"{first + 0.9 * (second - first)} min")
    assert told.exit_code == 0
    assert f"the nearest snapshot is that of {second / 1440:.4g} d" in told.stderr
    assert export(flat, "csv", tmp_path / "exact", "--at", f"{second} min").stderr == ""


def test_batch_in_other_formats_is_refused(tmp_path):
    folder = made_batch(tmp_path / "batch", replicates=1, steps=2)
    refused = export(folder.path, "vtk", tmp_path / "out")
    assert refused.exit_code == 2
    assert "csv alone" in refused.stderr


@pytest.mark.parametrize(
    ("form", "library"),
    [("anndata", "anndata"), ("vtk", "pyvista"), ("spatialdata", "spatialdata"), ("ome-zarr", "ome_zarr")],
)
def test_missing_library_names_the_extra(form, library, flat, tmp_path, monkeypatch):
    for module in [name for name in sys.modules if name.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"tme_sim.analysis.export.{TARGETS[form].module}", raising=False)
    refused = export(flat, form, tmp_path / "out")
    assert refused.exit_code == 2
    assert "pip install 'tme-sim[export]'" in refused.stderr


def test_failed_export_leaves_nothing_behind(tmp_path):
    def half(path):
        path.mkdir()
        (path / "half").write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError), appearing(tmp_path / "out") as path:
        half(path)
    assert list(tmp_path.iterdir()) == []


def test_help_names_every_format():
    help_text = CliRunner().invoke(app, ["export", "--help"], env={"COLUMNS": "200"}).stdout
    assert all(name in help_text for name in TARGETS)
