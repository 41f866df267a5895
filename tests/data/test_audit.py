"""Scans that cannot be used are all named before training starts."""

import csv
import gzip
import itertools
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from scripts.data.audit import audited_scans, check_scans
from scripts.data.checks import whole_file
from scripts.data.checks.scan_facts import examine
from scripts.errors import InputError


@pytest.fixture(autouse=True)
def _own_cache_and_small_files(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(whole_file, "SLACK", 2**20)


def truncated(path, write_scan):
    write_scan(path)
    path.write_bytes(path.read_bytes()[:-500])


def truncated_without_compression(path, write_scan):
    path = path.with_suffix("")  # .nii
    truncated(path, write_scan)
    return path


def no_nifti(path, write_scan):
    path.write_bytes(b"a photograph")


def empty(path, write_scan):
    path.touch()


def flat(path, write_scan):
    write_scan(path, voxels=np.ones((9, 8)))


def one_slice(path, write_scan):
    write_scan(path, voxels=np.ones((9, 8, 1)))


def series(path, write_scan):
    write_scan(path, voxels=np.ones((9, 8, 7, 3)))


def with_nan(path, write_scan):
    voxels = np.ones((9, 8, 7))
    voxels[1, 2, 3] = np.nan
    voxels[4, 4, 4] = np.inf
    write_scan(path, voxels=voxels)


def coloured(path, write_scan):
    voxels = np.zeros((9, 8, 7), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), path)


def blank(path, write_scan):
    write_scan(path, voxels=np.ones((9, 8, 7)))


def five_axes(path, write_scan):
    write_scan(path, voxels=np.arange(504.0).reshape(9, 8, 7, 1, 1))


def singular(path, write_scan):
    image = nib.Nifti1Image(np.arange(504, dtype=np.float32).reshape(9, 8, 7), None)
    image.header.set_sform(np.diag([2.0, 0, 2, 1]), code=1)
    nib.save(image, path)


BAD = {
    truncated: "is truncated",
    truncated_without_compression: "is truncated",
    no_nifti: "cannot be read",
    empty: "cannot be read",
    flat: "is not 3D (shape 9x8)",
    one_slice: "is not 3D (shape 9x8x1)",
    series: "holds 3 volumes (shape 9x8x7x3)",
    with_nan: "has 2 voxels that are NaN or infinite",
    singular: "not invertible",
    coloured: "has voxels that are colours",
    blank: "is constant",
    five_axes: "is not 3D (shape 9x8x7x1x1)",
}


@pytest.mark.parametrize(
    "spoil",
    list(BAD),
    ids=lambda spoil: spoil.__name__,
)
def test_the_fault_of_a_scan_is_said(spoil, tmp_path, write_scan):
    path = tmp_path / "scan.nii.gz"
    path = spoil(path, write_scan) or path
    assert BAD[spoil] in examine(path).fault


def test_all_faulty_scans_are_named_in_one_error(tmp_path, write_scan):
    faults = {
        truncated: "is truncated",
        no_nifti: "cannot be read",
        series: "holds 3 volumes",
        with_nan: "has 2 voxels",
    }
    good = write_scan(tmp_path / "good.nii.gz")
    scans = [{"image": str(good)}]
    for spoil in faults:
        scans.append({"image": str(tmp_path / f"{spoil.__name__}.nii.gz")})
        spoil(tmp_path / f"{spoil.__name__}.nii.gz", write_scan)
    with pytest.raises(InputError, match="4 of 5 scans cannot be used") as caught:
        check_scans(scans)
    for spoil, text in faults.items():
        assert f"{spoil.__name__}.nii.gz {text}" in str(caught.value)
    assert "good" not in str(caught.value)


def test_of_many_faulty_scans_the_first_ten_are_named(tmp_path):
    scans = [{"image": str(tmp_path / f"gone_{i:02d}.nii.gz")} for i in range(12)]
    with pytest.raises(InputError, match="and 2 more") as caught:
        check_scans(scans)
    assert "gone_09" in str(caught.value) and "gone_10" not in str(caught.value)


def test_good_scans_pass(tmp_path, write_scan):
    check_scans([{"image": str(write_scan(tmp_path / f"{seed}.nii.gz", seed=seed))} for seed in range(3)])


def test_a_fourth_axis_of_one_passes(tmp_path, write_scan):
    assert not examine(write_scan(tmp_path / "scan.nii.gz", voxels=np.arange(504.0).reshape(9, 8, 7, 1))).fault


def test_every_image_of_a_scan_is_checked(tmp_path, write_scan):
    empty(tmp_path / "pet.nii.gz", write_scan)
    scan = {"image": str(write_scan(tmp_path / "ct.nii.gz")), "pet": str(tmp_path / "pet.nii.gz")}
    with pytest.raises(InputError, match=r"1 of 2 scans cannot be used: .*pet\.nii\.gz"):
        check_scans([scan], images=["image", "pet"])


def damaged(path, write_scan):
    """Voxels changed on the way: the stream inflates, and its checksum does not fit."""
    write_scan(path)
    stored = bytearray(gzip.compress(gzip.decompress(path.read_bytes()), 0))
    stored[len(stored) // 2] ^= 1
    path.write_bytes(stored)


def in_micrometres(path, write_scan):
    image = nib.load(write_scan(path))
    image.header.set_xyzt_units("micron")
    nib.save(image, path)


def beyond_float32(path, write_scan):
    nib.save(nib.Nifti1Image(np.linspace(0, 1e39, 504).reshape(9, 8, 7), np.eye(4)), path)


def far_away(path, write_scan):
    write_scan(path, affine=np.array([[1, 0, 0, 1e9], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))


def huge_by_its_header(path, write_scan):
    raw = bytearray(gzip.decompress(write_scan(path).read_bytes()))
    raw[42:48] = np.array([30000, 30000, 30000], "<i2").tobytes()
    path.write_bytes(gzip.compress(raw))


def followed_by_zeros(path, write_scan):
    path.write_bytes(write_scan(path).read_bytes() + gzip.compress(bytes(2**21)))


def of_another_format(path, write_scan):
    return write_scan(path).rename(path.with_name("scan.nrrd"))


TOLD = {
    damaged: "is damaged (CRC check failed",
    in_micrometres: "by its header, which would be read as mm: multiply its affine by 0.001",
    beyond_float32: "has values that float32 cannot hold",
    far_away: "a kilometre or more",
    huge_by_its_header: "is truncated: by its header it has 108,000,000,000,000 bytes of voxels",
    followed_by_zeros: "goes on long after its voxels",
    of_another_format: "is no NIfTI file (.nii, .nii.gz): convert it",
}


@pytest.mark.parametrize("spoil", list(TOLD), ids=lambda spoil: spoil.__name__)
def test_what_the_transforms_would_trip_over_is_said(spoil, tmp_path, write_scan):
    path = tmp_path / "scan.nii.gz"
    path = spoil(path, write_scan) or path
    assert TOLD[spoil] in examine(path).fault


@pytest.fixture
def cohort(tmp_path, write_scan):
    """Five scans of four subjects, the third of which is damaged and the fourth a mask."""
    files = [write_scan(tmp_path / "in" / f"{number}.nii.gz", seed=number) for number in range(3)]
    files.append(write_scan(tmp_path / "in" / "3.nii.gz", voxels=np.arange(5760).reshape(20, 18, 16) // 2880))
    files.append(write_scan(tmp_path / "in" / "4.nii.gz", seed=4))
    damaged(files[2], write_scan)
    return [{"image": str(file), "subject": f"S{number % 4}", "scan": number} for number, file in enumerate(files)]


@pytest.fixture
def table(tmp_path):
    """A function: audit.csv as dictionaries, by file."""

    def read():
        with open(tmp_path / "out" / "audit.csv", encoding="utf-8", newline="") as file:
            return {Path(row["path"]).name: row for row in csv.DictReader(file)}

    return read


def test_scans_that_cannot_be_used_stop_a_run_and_are_on_record(cohort, tmp_path, table):
    with pytest.raises(InputError, match=r"1 of 5 scans cannot be used: .*2\.nii\.gz is damaged.*--on_bad_scan skip"):
        audited_scans(cohort, output_dir=tmp_path / "out")
    assert table()["2.nii.gz"]["verdict"] == "faulty"


def test_they_are_left_out_where_that_is_asked_for(cohort, tmp_path, caplog):
    usable = audited_scans(cohort, on_bad_scan="skip", output_dir=tmp_path / "out")
    assert [Path(scan["image"]).name for scan in usable] == ["0.nii.gz", "1.nii.gz", "4.nii.gz"]
    assert [scan["scan"] for scan in usable] == [0, 1, 2] and len({scan["fingerprint"] for scan in usable}) == 3
    assert "1 files are left out" in caplog.text and "2.nii.gz is damaged" in caplog.text


def test_what_looks_like_a_mask_is_left_out_with_the_way_to_say_otherwise(cohort, caplog):
    audited_scans(cohort, on_bad_scan="skip")
    assert "1 files have the values of masks" in caplog.text and "CASE_seg" in caplog.text and "list" in caplog.text


def test_a_list_is_believed(cohort, caplog):
    usable = audited_scans([scan | {"listed": True} for scan in cohort], on_bad_scan="skip")
    assert len(usable) == 4 and "3.nii.gz" in caplog.text and "is listed as a scan" in caplog.text


def test_all_files_are_on_record_with_what_was_found(cohort, tmp_path, table):
    audited_scans(cohort, on_bad_scan="skip", output_dir=tmp_path / "out")
    assert {name: row["verdict"] for name, row in table().items()} == {
        **{"0.nii.gz": "usable", "1.nii.gz": "usable", "2.nii.gz": "faulty", "3.nii.gz": "mask", "4.nii.gz": "usable"}
    }
    row = table()["0.nii.gz"]
    assert (row["subject"], row["shape"], row["spacing_mm"]) == ("S0", "20x18x16", "1.5 x 2.5 x 3.5")
    assert float(row["min"]) < float(row["max"]) and len(row["fingerprint"]) == 32


def test_a_page_is_written_about_suspects_alone(cohort, tmp_path):
    pages = []
    audited_scans(cohort, on_bad_scan="skip", output_dir=tmp_path, write_page=lambda path, rows: pages.append(rows))
    audited_scans([cohort[0]], output_dir=tmp_path, write_page=lambda path, rows: pages.append(rows))
    ((first, second),) = pages
    assert first[0].endswith("2.nii.gz") and second[0].endswith("3.nii.gz")


def test_nothing_left_is_refused(cohort):
    with pytest.raises(
        InputError, match=r"None of 1 files can be used as a scan: .*3\.nii\.gz has the values of a mask"
    ):
        audited_scans([cohort[3]])


def test_subjects_with_the_same_scan_are_one(cohort, tmp_path):
    shutil.copy(cohort[0]["image"], tmp_path / "again.nii.gz")
    again = cohort[1] | {"image": str(tmp_path / "again.nii.gz"), "subject": "Zoe"}
    assert [scan["subject"] for scan in audited_scans([cohort[0], again])] == ["S0", "S0"]


def test_people_who_share_another_image_such_as_an_atlas_stay_apart(cohort):
    scans = [scan | {"atlas": cohort[4]["image"]} for scan in cohort[:2]]
    usable = audited_scans(scans, images=["image", "atlas"])
    assert [scan["subject"] for scan in usable] == ["S0", "S1"]
    assert [scan["fingerprint"] for scan in usable] == [examine(scan["image"]).fingerprint for scan in scans]


def test_a_scan_with_one_faulty_image_is_left_out_whole(cohort):
    scans = [cohort[0] | {"pet": cohort[1]["image"]}, cohort[4] | {"pet": cohort[2]["image"]}]
    usable = audited_scans(scans, images=["image", "pet"], on_bad_scan="skip")
    assert [scan["image"] for scan in usable] == [cohort[0]["image"]]


def test_what_all_scans_take_in_memory_is_said(cohort, caplog):
    with caplog.at_level("INFO"):
        audited_scans([cohort[0]], spacing=(1.5, 2.5, 3.5))
    assert "at 1.5 x 2.5 x 3.5 mm, all scans take about" in caplog.text


def test_long_audits_say_how_far_they_are(cohort, caplog, monkeypatch):
    times = itertools.count(0, 10)
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    with caplog.at_level("INFO"):
        audited_scans([cohort[0], cohort[1]])
    assert "Reading file 1 of 2" in caplog.text


def test_another_way_with_bad_scans_is_refused(cohort):
    with pytest.raises(InputError, match="on_bad_scan is Skip: give one of stop, skip"):
        audited_scans(cohort, on_bad_scan="Skip")
