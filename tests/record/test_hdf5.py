import io
from pathlib import Path

import h5py
import numpy as np
import xarray

from tme_sim.record.hdf5 import building

TIMES = np.arange(5.0)


def file_of(path: Path, datasets: int) -> Path:
    memory = io.BytesIO()  # as runs are built
    with building(memory) as file:
        file.describe(title="née", empty="", number=1.5)
        group = file.branch("series")
        group.write_coordinate("time", TIMES, units="min")
        for number in range(datasets):
            group.write(f"m{number}", TIMES + number, ("time",), units="µm", long_name="a")
    path.write_bytes(memory.getvalue())
    return path


def test_values_units_and_dimensions_are_read_back(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.h5", 3)
    with xarray.open_dataset(path, group="series", engine="h5netcdf", decode_times=False) as data:
        assert data["m2"].dims == ("time",)
        assert data["m2"].attrs["units"] == "µm"
        assert data["m2"].to_numpy().tolist() == [2.0, 3.0, 4.0, 5.0, 6.0]
    with h5py.File(path) as file:
        assert file.attrs["title"].decode() == "née"
        assert (file.attrs["empty"], file.attrs["number"]) == (b"", 1.5)


def test_dimension_lists_every_dataset_that_has_it(tmp_path: Path) -> None:
    with h5py.File(file_of(tmp_path / "a.h5", 4)) as file:
        uses = file["series/time"].attrs["REFERENCE_LIST"]
        assert [file[use["dataset"]].name for use in uses] == [f"/series/m{number}" for number in range(4)]
        assert all(file["series"][f"m{n}"].dims[0][0] == file["series/time"] for n in range(4))


def test_size_grows_no_faster_than_the_number_of_datasets(tmp_path: Path) -> None:
    sizes = [file_of(tmp_path / f"{n}.h5", n).stat().st_size for n in (100, 200, 400)]
    assert sizes[2] - sizes[1] < 2.1 * (sizes[1] - sizes[0])


def test_dataset_below_has_a_dimension_of_above(tmp_path: Path) -> None:
    with building(tmp_path / "a.h5") as file:
        file.write_dimension("run", 2)
        file.branch("end").write("m", np.ones(2), ("run",))
    with xarray.open_dataset(tmp_path / "a.h5", group="end", engine="h5netcdf") as data:
        assert data["m"].dims == ("run",)
        assert "run" not in data.variables


def test_dataset_filled_piece_by_piece_is_nan_where_it_was_not(tmp_path: Path) -> None:
    with building(tmp_path / "a.h5") as file:
        file.write_dimension("run", 5)
        file.write_empty("m", (5,), ("run",), (2,))
        file.write_rows("m", 2, np.array([1.0, 2.0]))
    with h5py.File(tmp_path / "a.h5") as read:
        found = read["m"]
        assert np.array_equal(found[()], [np.nan, np.nan, 1.0, 2.0, np.nan], equal_nan=True)
        assert found.fletcher32
