"""Scans are brought onto one another without a voxel being changed."""

import csv
import gzip
import json
import logging
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.affines import apply_affine, from_matvec
from nibabel.eulerangles import euler2mat

from scripts.data.cohort import find_scans
from scripts.data.synthetic import is_synthetic
from scripts.errors import InputError
from scripts.registration import steps
from scripts.registration.register_cohort import register_cohort

pytest.importorskip("SimpleITK")

POSES = [
    from_matvec(euler2mat(*turn), shift) for turn, shift in [((0, 0, 0), (0, 0, 0)), ((0.2, -0.15, 0.1), (9, -14, 6))]
]
POSES.append(from_matvec(euler2mat(-0.1, 0.2, -0.25), (-30, 5, 12)))


def body(points):
    """An asymmetric body at points [..., 3] (mm): an ellipsoid with three organs."""

    def ball(centre, half):
        return 1 / (1 + np.exp(8 * (np.sqrt((((points - centre) / half) ** 2).sum(-1)) - 1)))

    organs = ball((15, 10, 5), (12, 14, 9)) - 0.6 * ball((-18, -8, 12), (9, 10, 14)) + 0.8 * ball((2, 22, -20), 8)
    return 100 * ball((0, 0, 0), (42, 52, 36)) * (1 + organs)


@pytest.fixture
def cohort(tmp_path, oblique):
    """A function: scans of one body in three poses, on grids of their own; as int16 with scale factors."""

    def make(folder="scans"):
        for i, pose in enumerate(POSES):
            shape, affine = np.array([60, 42, 34]), oblique(i, (2.5, 3.5, 4))
            affine[:3, 3] = pose[:3, 3] - affine[:3, :3] @ (shape - 1) / 2
            points = apply_affine(np.linalg.inv(pose) @ affine, np.stack(np.indices(shape), -1))
            voxels = body(points) + np.random.RandomState(i).normal(0, 2, shape)
            write(tmp_path / folder / "images" / f"scan_{i}.nii.gz", voxels * 10, affine)
            write(tmp_path / folder / "labels" / f"scan_{i}.nii.gz", points[..., 0] > 0, affine)
        return tmp_path / folder

    return make


def write(path, voxels, affine):
    image = nib.Nifti1Image(np.rint(voxels).astype(np.int16), affine)
    image.header.set_slope_inter(0.25, -7)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)


def matrices(output):
    files = sorted((output / "transforms").glob("round_*/*.json"))
    return {f"{file.parent.name}/{file.stem}": json.loads(file.read_text(encoding="utf-8"))["matrix"] for file in files}


@pytest.fixture
def registrations(monkeypatch):
    """A list that grows with each registration; it stops them by an interruption once `limit` are done."""

    class Done(list):
        limit = None

    done, register = Done(), steps.register

    def counted(scan, template):
        if len(done) == done.limit:
            raise KeyboardInterrupt
        done.append(scan)
        return register(scan, template)

    monkeypatch.setattr(steps, "register", counted)
    return done


def test_scans_turned_and_shifted_get_back_onto_one_another(cohort, tmp_path):
    register_cohort(cohort(), tmp_path / "out")
    poses = []
    for i, pose in enumerate(POSES):
        before, after = (nib.load(tmp_path / at / f"images/scan_{i}.nii.gz").affine for at in ("scans", "out"))
        poses.append(after @ np.linalg.inv(before) @ pose)  # body to the common coordinates
    for pose in poses[1:]:
        rest = np.linalg.inv(poses[0]) @ pose
        assert np.linalg.norm(rest[:3, 3]) < 1
        assert np.degrees(np.arccos(min(1, (np.trace(rest[:3, :3]) - 1) / 2))) < 1


def test_only_affines_change(cohort, tmp_path):
    register_cohort(cohort(), tmp_path / "out", 8, 1)
    for kind in ("images", "labels"):
        before, after = (nib.load(tmp_path / at / kind / "scan_1.nii.gz") for at in ("scans", "out"))
        assert not np.allclose(before.affine, after.affine, atol=1)
        assert np.array_equal(before.dataobj.get_unscaled(), after.dataobj.get_unscaled())
        assert after.get_data_dtype() == np.int16 and (after.dataobj.slope, after.dataobj.inter) == (0.25, -7)
        assert np.allclose(after.get_qform(), after.get_sform(), atol=1e-3)
    image, label = (nib.load(tmp_path / "out" / kind / "scan_1.nii.gz").affine for kind in ("images", "labels"))
    assert np.array_equal(image, label)


def test_the_list_is_read_as_a_cohort(cohort, tmp_path):
    scans = find_scans(register_cohort(cohort(), tmp_path / "out", 8, 1), tmp_path, tmp_path)
    assert [Path(scan["image"]).name for scan in scans] == ["scan_0.nii.gz", "scan_1.nii.gz", "scan_2.nii.gz"]
    assert all(Path(scan["label"]).parent == tmp_path / "out" / "labels" for scan in scans)
    with open(tmp_path / "out" / "scans.csv", encoding="utf-8", newline="") as file:
        assert next(csv.DictReader(file))["image"] == "images/scan_0.nii.gz"
    assert nib.load(tmp_path / "out" / "template.nii.gz").header.get_zooms() == (8, 8, 8)


def test_a_registration_that_was_stopped_resumes_and_ends_as_one_that_was_not(cohort, tmp_path, registrations):
    folder = cohort()
    register_cohort(folder, tmp_path / "whole", 8)
    assert len(registrations) == 6
    registrations.clear()
    registrations.limit = 4
    with pytest.raises(KeyboardInterrupt):
        register_cohort(folder, tmp_path / "out", 8)
    registrations.limit = None
    register_cohort(folder, tmp_path / "out", 8)
    assert len(registrations) == 6
    assert matrices(tmp_path / "out") == matrices(tmp_path / "whole")
    for i in range(3):
        file = f"images/scan_{i}.nii.gz"
        assert (tmp_path / "out" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_a_changed_scan_is_registered_anew(cohort, tmp_path, registrations):
    register_cohort(cohort(), tmp_path / "out", 8, 1)
    image = nib.load(tmp_path / "scans/images/scan_2.nii.gz")
    write(tmp_path / "scans/images/scan_2.nii.gz", image.get_fdata() * 3, image.affine)
    register_cohort(tmp_path / "scans", tmp_path / "out", 8, 1)
    assert len(registrations) == 4


def test_a_scan_that_cannot_be_registered_is_named_and_only_shifted(cohort, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(steps, "register", lambda *_: (from_matvec(euler2mat(1, 1, 1), [90, 0, 0]), 0.1))
    with caplog.at_level(logging.INFO):
        register_cohort(cohort(), tmp_path / "out", 8, 1)
    assert "3 scans could not be registered" in caplog.records[-1].message and "scan_2" in caplog.records[-1].message
    assert all(np.allclose(np.array(matrix)[:3, :3], np.eye(3)) for matrix in matrices(tmp_path / "out").values())


def test_scans_of_one_name_are_told_apart_by_subject(cohort, tmp_path):
    cohort("scans/sub-01"), cohort("scans/sub-02")
    for subject in ("sub-01", "sub-02"):
        (tmp_path / f"scans/{subject}/images/scan_2.nii.gz").unlink()
    register_cohort(tmp_path / "scans", tmp_path / "out", spacing=12, rounds=1)
    names = sorted(path.name for path in (tmp_path / "out/images").iterdir())
    assert names == [f"sub-0{subject}_scan_{scan}.nii.gz" for subject in (1, 2) for scan in (0, 1)]


@pytest.mark.parametrize("settings", [{"spacing": 12}, {"rounds": 2}])
def test_other_settings_than_those_of_the_folder_are_refused(cohort, tmp_path, settings):
    register_cohort(cohort(), tmp_path / "out", 10, 1)
    with pytest.raises(InputError, match=f"{next(iter(settings))} is .* but .* in the registration in"):
        register_cohort(tmp_path / "scans", tmp_path / "out", **({"spacing": 10, "rounds": 1} | settings))


def test_other_scans_than_those_of_the_folder_are_refused(cohort, tmp_path):
    register_cohort(cohort(), tmp_path / "out", 10, 1)
    with pytest.raises(InputError, match="These are not the scans of the registration in"):
        register_cohort(cohort("others"), tmp_path / "out", 10, 1)


def test_a_folder_of_something_else_is_refused(cohort, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    with pytest.raises(InputError, match="holds something else"):
        register_cohort(cohort(), tmp_path / "out")


def test_nothing_is_converted_for_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").touch()
    (tmp_path / "scans").mkdir()
    for name in "ab":
        nib.save(nib.Nifti1Pair(np.ones((4, 4, 4), np.int16), np.eye(4)), tmp_path / f"scans/{name}.img")
    with pytest.raises(InputError, match="holds something else"):
        register_cohort(tmp_path / "scans", tmp_path / "out")
    assert not (tmp_path / "out_converted").exists()


def test_scans_are_never_written_over(cohort, tmp_path):
    for output in ("scans", "scans/registered"):
        with pytest.raises(InputError, match="give an output folder apart from them"):
            register_cohort(cohort(), tmp_path / output)


def test_faulty_scans_are_named_first(cohort, tmp_path):
    path = cohort() / "images/scan_1.nii.gz"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match=r"1 of 3 scans cannot be used: .*scan_1.nii.gz is truncated"):
        register_cohort(tmp_path / "scans", tmp_path / "out")


def test_a_truncated_mask_is_named(cohort, tmp_path):
    path = cohort() / "labels/scan_1.nii.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()))[:-500])
    with pytest.raises(InputError, match=r"labels/scan_1\.nii\.gz cannot be read"):
        register_cohort(tmp_path / "scans", tmp_path / "out", 10, 1)


def test_without_simpleitk_the_cure_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(InputError, match="pip install SimpleITK"):
        register_cohort(tmp_path, tmp_path / "out")


def test_a_synthetic_image_is_one_after_it_was_moved(write_scan, tmp_path):
    source = nib.load(write_scan(tmp_path / "made.nii.gz"))
    source.header["descrip"] = b"synthetic: ct made of t1"
    nib.save(nib.Nifti1Image(source.get_fdata(), source.affine, source.header), tmp_path / "renamed.nii.gz")
    steps.move_scan(tmp_path / "renamed.nii.gz", tmp_path / "moved.nii.gz", np.eye(4))
    assert is_synthetic(tmp_path / "moved.nii.gz")
