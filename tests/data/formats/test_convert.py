"""Scans in other formats become NIfTI, in the place where they were."""

import locale
import logging
import re
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest

from scripts.data.cohort import find_scans
from scripts.data.formats import convert
from scripts.data.formats import readers as formats
from scripts.errors import InputError

WITH_ITK = "SimpleITK is not installed (extra formats)"
TO_LPS = np.diag([-1, -1, 1, 1])


@pytest.fixture
def itk():
    return pytest.importorskip("SimpleITK", reason=WITH_ITK)


@pytest.fixture
def voxels():
    return np.random.default_rng(0).integers(0, 1000, (9, 8, 7)).astype(np.int16)


@pytest.fixture
def find(tmp_path):
    """A function: the scans of a folder, converted beside it."""
    return lambda source=tmp_path / "in": find_scans(source, tmp_path / "made", tmp_path / "converted")


def itk_image(itk, voxels, affine):
    """Voxels [X, Y, Z] with an affine in RAS, as ITK has them."""
    lps = TO_LPS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image = itk.GetImageFromArray(voxels.T)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    return image


def write_series(itk, folder, image, series=1, patient="P01", modality="MR", left_out=()):
    """A DICOM series of an image's slices, in files without suffix."""
    folder.mkdir(parents=True, exist_ok=True)
    characters = locale.setlocale(locale.LC_CTYPE)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    writer = itk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.KeepOriginalImageUIDOn()
    for k in set(range(image.GetSize()[2])).difference(left_out):
        part = image[:, :, k : k + 1]
        tags = {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.4",
            "0008|0018": f"1.2.3.{series}.{k + 1}",
            "0008|0020": "20200102",
            "0008|0030": "101112",
            "0008|0060": modality,
            "0008|103e": "T1 MPRAGE",
            "0010|0010": patient,
            "0010|0020": patient,
            "0020|000d": "1.2.3",
            "0020|000e": f"1.2.3.{series}",
            "0020|0011": str(series),
            "0020|0013": str(k + 1),
            "0020|0032": "\\".join(map(str, part.GetOrigin())),
            "0020|0037": "\\".join(f"{number:.9f}" for number in direction.T[:2].ravel()),
        }
        for key, text in tags.items():
            part.SetMetaData(key, text)
        writer.SetFileName(str(folder / f"{series}_{k:02}"))
        writer.Execute(part)
    locale.setlocale(locale.LC_CTYPE, characters)  # which ITK changes where it writes DICOM


def same_place(path, voxels, affine, atol=1e-4):
    """Whether a scan has these voxels in these places, in whatever order its axes are."""
    image = nib.as_closest_canonical(nib.load(path))
    wanted = nib.as_closest_canonical(nib.Nifti1Image(voxels, affine))
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), np.asanyarray(wanted.dataobj))
    np.testing.assert_allclose(image.affine, wanted.affine, atol=atol)


@pytest.mark.parametrize("suffix", ["mha", "mhd", "nrrd", "nhdr"])
def test_an_oblique_scan_of_itk_stays_where_it_is(suffix, itk, find, tmp_path, voxels, oblique):
    (tmp_path / "in").mkdir()
    itk.WriteImage(itk_image(itk, voxels, oblique()), str(tmp_path / f"in/P01_T1.{suffix}"))
    (scan,) = find()
    assert (scan["image"], scan["subject"]) == (str(tmp_path / "converted/P01_T1.nii.gz"), "P01")
    same_place(scan["image"], voxels, oblique())


@pytest.mark.parametrize("dcm2niix", [False, True])
def test_an_oblique_series_of_dicom_stays_where_it_is(dcm2niix, itk, find, tmp_path, voxels, monkeypatch):
    if dcm2niix:
        pytest.importorskip("dcm2niix", reason="dcm2niix is not installed (extra formats)")
    else:
        monkeypatch.setattr("scripts.data.formats.dicom.has_dcm2niix", lambda: False)
    affine = nib.affines.from_matvec(nib.eulerangles.euler2mat(0.1, 0.2, 0.3) @ np.diag([1.5, 2.5, 3.5]), [9, -20, 30])
    write_series(itk, tmp_path / "in/P1/study/series", itk_image(itk, voxels, TO_LPS @ affine))
    write_series(itk, tmp_path / "in/P2/study/series", itk_image(itk, voxels, TO_LPS @ affine))
    scans = find()
    assert [scan["subject"] for scan in scans] == ["P1", "P2"]
    same_place(scans[0]["image"], voxels, TO_LPS @ affine, atol=1e-3)


def test_series_of_several_patients_in_one_folder_are_told_apart(itk, find, tmp_path, voxels):
    for series, patient in ((1, "ANN"), (2, "ANN"), (3, "BEN")):
        write_series(itk, tmp_path / "in", itk_image(itk, voxels, np.eye(4)), series, patient)
    assert [scan["subject"] for scan in find()] == ["ANN", "ANN", "BEN"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"left_out": [3]}, r"lacks slices, or they are not equally far apart \(1.00 to 2.00 mm\)"),
        ({"modality": "SEG"}, "is no image but SEG"),
        ({"left_out": [1, 2, 3, 4, 5, 6]}, "has one slice"),
    ],
)
def test_a_series_that_is_no_volume_is_left_out_with_a_sentence(
    itk, find, tmp_path, voxels, caplog, settings, sentence
):
    image = itk_image(itk, voxels, np.eye(4))
    write_series(itk, tmp_path / "in/P1", image)
    write_series(itk, tmp_path / "in/P2", image, **settings)
    assert [scan["subject"] for scan in find()] == ["P1"]
    assert re.search(rf"in/P2 {sentence}", caplog.text)


def test_frames_in_one_file_of_dicom_need_dcm2niix(itk, find, tmp_path, voxels, monkeypatch):
    monkeypatch.setattr("scripts.data.formats.dicom.has_dcm2niix", lambda: False)
    (tmp_path / "in").mkdir()
    itk.WriteImage(itk_image(itk, voxels.astype(np.uint16), np.eye(4)), str(tmp_path / "in/all.dcm"))
    with pytest.raises(InputError, match="has several frames in a file, which dcm2niix reads: pip install dcm2niix"):
        find()


def test_echoes_of_one_series_are_no_volume(itk, find, tmp_path, voxels):
    image = itk_image(itk, voxels, np.eye(4))
    write_series(itk, tmp_path / "in", image)
    for file in list((tmp_path / "in").iterdir()):
        (file.parent / f"again_{file.name}").write_bytes(file.read_bytes())
    with pytest.raises(InputError, match="has several images at one place"):
        find()


def test_a_file_of_itk_that_cannot_be_read_is_named(itk, find, tmp_path, write_scan):
    write_scan(tmp_path / "in/a.nii.gz")
    (tmp_path / "in/b.nrrd").write_text("no header", encoding="utf-8")
    (tmp_path / "in/a.nii.gz").unlink()
    with pytest.raises(InputError, match=r"b\.nrrd cannot be read"):
        find()


def test_an_image_of_vectors_is_named(itk, find, tmp_path, voxels):
    (tmp_path / "in").mkdir()
    itk.WriteImage(
        itk.GetImageFromArray(np.zeros((4, 5, 6, 3), np.float32), isVector=True), str(tmp_path / "in/v.nrrd")
    )
    with pytest.raises(InputError, match=r"v\.nrrd has 3 values a voxel"):
        find()


@pytest.mark.parametrize("kind", [nib.Nifti1Pair, nib.Spm99AnalyzeImage])
def test_a_pair_stays_where_it_is(kind, find, tmp_path, voxels, oblique):
    (tmp_path / "in").mkdir()
    affine = oblique() if kind is nib.Nifti1Pair else np.diag([-2.0, 2, 3, 1])
    nib.save(kind(voxels, affine), tmp_path / "in/OAS1_0001_MR1.img")
    (scan,) = find()
    assert scan["subject"] == "OAS1_0001"
    read = nib.load(tmp_path / "in/OAS1_0001_MR1.img")
    same_place(scan["image"], voxels, read.affine)
    np.testing.assert_allclose(nib.load(scan["image"]).affine, read.affine, atol=1e-4)


def test_values_that_a_pair_scales_are_not_rounded(find, tmp_path, voxels):
    (tmp_path / "in").mkdir()
    pair = nib.Nifti1Pair(0.37 * voxels - 5, np.eye(4))
    pair.set_data_dtype(np.int16)
    nib.save(pair, tmp_path / "in/a.img")
    wanted = nib.load(tmp_path / "in/a.img").get_fdata()
    (scan,) = find()
    assert nib.load(scan["image"]).get_data_dtype() == np.float32
    np.testing.assert_allclose(nib.load(scan["image"]).get_fdata(), wanted, rtol=1e-6)


def test_analyze_does_not_say_its_sides_which_is_a_warning(find, tmp_path, voxels, caplog):
    (tmp_path / "in").mkdir()
    nib.save(nib.AnalyzeImage(voxels, np.diag([-2.0, 2, 3, 1])), tmp_path / "in/a.img")
    find()
    assert "a.img are Analyze, which does not say which side is left" in caplog.text


def test_masks_are_converted_with_their_scans(itk, find, tmp_path, voxels, oblique):
    (tmp_path / "in").mkdir()
    itk.WriteImage(itk_image(itk, voxels, oblique()), str(tmp_path / "in/P1.mha"))
    itk.WriteImage(itk_image(itk, (voxels > 500).astype(np.uint8), oblique()), str(tmp_path / "in/P1.seg.nrrd"))
    (scan,) = find()
    same_place(scan["label"], (voxels > 500).astype(np.uint8), oblique())


def test_a_list_may_name_scans_of_other_formats(find, tmp_path, voxels):
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        nib.save(nib.Nifti1Pair(voxels, np.eye(4)), tmp_path / f"in/{name}.img")
    (tmp_path / "list.csv").write_text("image,subject\nin/a.img,A\nin/b.hdr,B\n", encoding="utf-8")
    scans = find(tmp_path / "list.csv")
    assert [(scan["subject"], scan["image"]) for scan in scans] == [
        (name, str(tmp_path / f"converted/in/{name.lower()}.nii.gz")) for name in "AB"
    ]


def test_a_list_that_names_one_file_of_a_series_is_refused(itk, find, tmp_path, voxels):
    write_series(itk, tmp_path / "in", itk_image(itk, voxels, np.eye(4)))
    (tmp_path / "list.csv").write_text("image\nin/1_00\n", encoding="utf-8")
    with pytest.raises(InputError, match="in/1_00 is one file of DICOM: name the folder of its series"):
        find(tmp_path / "list.csv")


def test_what_one_reader_could_not_read_is_tried_by_another(itk, find, tmp_path, voxels, write_scan, monkeypatch):
    write_scan(tmp_path / "in/a.nii.gz")
    write_series(itk, tmp_path / "in/P2", itk_image(itk, voxels, np.eye(4)), left_out=[3])
    asked = []
    monkeypatch.setattr(formats, "read_series", lambda names: asked.append(names) or "is odd")
    for has in (False, False, True):
        monkeypatch.setattr("scripts.data.formats.dicom.has_dcm2niix", lambda has=has: has)
        find()
    assert len(asked) == 2


def test_a_scan_is_converted_once_and_again_when_it_changed(find, tmp_path, voxels):
    (tmp_path / "in").mkdir()
    nib.save(nib.Nifti1Pair(voxels, np.eye(4)), tmp_path / "in/a.img")
    first = find()
    made = tmp_path / "converted/a.nii.gz"
    before = made.stat().st_ino
    assert find() == first and made.stat().st_ino == before
    nib.save(nib.Nifti1Pair(voxels[:5], np.eye(4)), tmp_path / "in/a.img")
    find()
    assert nib.load(made).shape[0] == 5


def test_converted_scans_below_the_folder_are_not_found_again(tmp_path, voxels):
    (tmp_path / "in").mkdir()
    nib.save(nib.Nifti1Pair(voxels, np.eye(4)), tmp_path / "in/a.img")
    for _ in range(2):
        assert len(find_scans(tmp_path / "in", tmp_path / "made", tmp_path / "in/run/converted")) == 1


def test_what_a_killed_process_had_converted_is_found_again_and_no_scan(tmp_path, voxels, monkeypatch):
    (tmp_path / "in").mkdir()
    for name in "ab":
        nib.save(nib.Nifti1Pair(voxels, np.eye(4)), tmp_path / f"in/{name}.img")
    folder, write = tmp_path / "in/run/converted", convert.write_compressed

    def killed(path, content):
        write(path, content)
        if path.name == "b.nii.gz":
            raise KeyboardInterrupt

    monkeypatch.setattr(convert, "write_compressed", killed)
    with pytest.raises(KeyboardInterrupt):
        find_scans(tmp_path / "in", tmp_path / "made", folder)
    monkeypatch.setattr(convert, "write_compressed", write)
    before = (folder / "a.nii.gz").stat().st_ino
    scans = find_scans(tmp_path / "in", tmp_path / "made", folder)
    assert [scan["image"] for scan in scans] == [str(folder / "a.nii.gz"), str(folder / "b.nii.gz")]
    assert (folder / "a.nii.gz").stat().st_ino == before


def test_the_folder_of_converted_scans_is_known_before_the_first_is_there(find, tmp_path, voxels, monkeypatch):
    (tmp_path / "in").mkdir()
    nib.save(nib.Nifti1Pair(voxels, np.eye(4)), tmp_path / "in/a.img")
    seen, write = [], convert.write_compressed
    monkeypatch.setattr(
        convert, "write_compressed", lambda path, content: (seen.extend(path.parent.iterdir()), write(path, content))
    )
    find()
    assert seen == [tmp_path / "converted/converted.json"]


def test_the_log_names_the_program_that_converted_a_scan(itk, find, tmp_path, voxels, monkeypatch, caplog):
    write_series(itk, tmp_path / "in/P1", itk_image(itk, voxels, np.eye(4)))
    monkeypatch.setattr("scripts.data.formats.dicom.has_dcm2niix", lambda: False)
    find()
    monkeypatch.setattr("scripts.data.formats.dicom.has_dcm2niix", lambda: True)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        find()
    assert "converted 1 DICOM series by SimpleITK" in caplog.text


def test_what_dcm2niix_says_in_another_encoding_is_no_obstacle(itk, find, tmp_path, voxels, monkeypatch, caplog):
    write_series(itk, tmp_path / "in/P1", itk_image(itk, voxels, np.eye(4)))
    monkeypatch.setattr("scripts.data.formats.dicom.has_dcm2niix", lambda: True)
    run = subprocess.run
    said = [sys.executable, "-c", r"import sys; sys.stdout.buffer.write(b'No valid DICOM in M\xfcller')"]
    monkeypatch.setattr(subprocess, "run", lambda command, **settings: run(said, **settings))
    with pytest.raises(InputError, match="dcm2niix, which says: No valid DICOM in M�ller"):
        find()


def test_scans_of_one_name_in_two_formats_are_both_kept(find, tmp_path, voxels, itk):
    (tmp_path / "in").mkdir()
    nib.save(nib.Nifti1Pair(voxels, np.eye(4)), tmp_path / "in/a.img")
    itk.WriteImage(itk.GetImageFromArray(voxels), str(tmp_path / "in/a.mha"))
    assert len({scan["image"] for scan in find()}) == 2


def test_without_the_reader_its_formats_are_named_with_the_cure(find, tmp_path, write_scan, monkeypatch, caplog):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    write_scan(tmp_path / "in/a.nii.gz")
    (tmp_path / "in/b.mha").touch()
    (tmp_path / "in/P3").mkdir()
    (tmp_path / "in/P3/1").write_bytes(bytes(128) + b"DICM")
    with caplog.at_level(logging.WARNING):
        assert len(find()) == 1
    assert "b.mha) cannot be read without SimpleITK: pip install SimpleITK, or convert them by `c3d" in caplog.text
    assert "P3) cannot be read without SimpleITK: pip install SimpleITK, or convert them by `dcm2niix" in caplog.text


def test_a_folder_of_mixed_kinds_says_how_many_of_each_it_has(find, tmp_path, write_scan, voxels, caplog):
    write_scan(tmp_path / "in/P1/T1.nii.gz")
    write_scan(tmp_path / "in/P1/T1_seg.nii.gz")
    nib.save(nib.Nifti1Pair(voxels, np.eye(4)), tmp_path / "in/P2_T1.img")
    (tmp_path / "in/ages.csv").touch()
    with caplog.at_level(logging.INFO):
        find()
    table = caplog.messages[-1]
    assert "read      2 NIfTI files and 1 converted; 1 of them are masks by their names" in table
    assert "converted 1 .hdr/.img pairs by nibabel" in table
    assert "left out  1 .csv" in table
