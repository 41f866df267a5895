"""Scans that cannot be used are all named before training starts."""

import nibabel as nib
import numpy as np
import pytest

from scripts.data.audit import check_scans
from scripts.data.scan_facts import examine
from scripts.errors import InputError


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
    coloured: "cannot",
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
