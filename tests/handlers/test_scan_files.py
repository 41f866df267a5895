"""A result lies where its scan lies, in each program's eyes."""

import nibabel
import numpy as np
import pytest
import torch

from scripts.handlers.scan_files import write_nifti

SHAPE = (7, 6, 5)
MOVE = np.array([[1, 0, 0, 12], [0, 1, 0, -7], [0, 0, 1, 25], [0, 0, 0, 1.0]])  # mm, of a coregistration
MIRROR = np.diag([-1, 1, 1, 1.0])  # an image as radiologists store it
SHEAR = np.array([[1, 0, 0.3, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])  # a tilted gantry
# sform, its code, qform and its code, by what of the affine they are
FORMS = {
    "agree": (np.eye(4), 1, np.eye(4), 1),
    "sform moved": (MOVE, 2, np.eye(4), 1),
    "sform moved under the same code": (MOVE, 1, np.eye(4), 1),
    "qform moved": (np.eye(4), 4, MOVE, 1),
    "sform alone": (MOVE, 2, np.eye(4), 0),
    "qform alone": (MOVE, 0, np.eye(4), 1),
    "no codes": (MOVE, 0, np.eye(4), 0),
    "mirrored": (MIRROR, 1, MIRROR, 1),
    "mirrored, no codes": (MIRROR, 0, MIRROR, 0),
}


@pytest.fixture
def scan(oblique, tmp_path):
    """A function: path of a scan with these forms."""

    def write(sform, sform_code, qform, qform_code, kind=nibabel.Nifti1Image, order="<", unit="mm", suffix=".nii.gz"):
        image = kind(np.ones(SHAPE, np.int16), None, kind.header_class(endianness=order))
        image.header.set_qform(qform @ oblique(1), qform_code)
        image.header.set_sform(sform @ oblique(1), sform_code)
        image.header.set_xyzt_units(unit, "sec")
        path = tmp_path / f"scan{suffix}"
        nibabel.save(image, path)
        return path

    return write


@pytest.fixture
def result(tmp_path):
    """A function: path of a result on the voxels of a scan."""

    def write(scan, channels=1, dtype=np.float32):
        write_nifti(torch.rand(channels, *SHAPE), scan, tmp_path / "result.nii.gz", dtype)
        return tmp_path / "result.nii.gz"

    return write


def place(path):
    """What a header says of an image's place, as nibabel reads it."""
    image = nibabel.load(path)
    forms = [image.get_sform(), image.get_qform(), image.affine, image.header.get_zooms()[:3]]
    codes = [int(image.header[code]) for code in ("sform_code", "qform_code")]
    return [form.tolist() if isinstance(form, np.ndarray) else form for form in forms], codes


def itk_place(image):
    """Size, origin, spacing and axes of an image, whose channels ITK takes for a fourth dimension."""
    axes = np.reshape(image.GetDirection(), (image.GetDimension(),) * 2)[:3, :3]
    return image.GetSize()[:3], image.GetOrigin()[:3], image.GetSpacing()[:3], axes.tolist()


@pytest.mark.parametrize("forms", FORMS.values(), ids=FORMS)
def test_nibabel_shows_both_in_one_place(scan, result, forms):
    path = scan(*forms)
    assert place(result(path)) == place(path)


@pytest.mark.parametrize("forms", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("channels", "unit"), [(1, "mm"), (3, "mm"), (1, "micron")])
def test_itk_shows_both_in_one_place(scan, result, forms, channels, unit):
    itk = pytest.importorskip("SimpleITK", reason="SimpleITK, of the extra `registration`, is not installed")
    path = scan(*forms, unit=unit)
    assert itk_place(itk.ReadImage(str(result(path, channels)))) == itk_place(itk.ReadImage(str(path)))


def test_an_affine_alone_puts_them_apart(scan, tmp_path):
    itk = pytest.importorskip("SimpleITK", reason="SimpleITK, of the extra `registration`, is not installed")
    path = scan(*FORMS["sform moved"])
    apart = nibabel.Nifti1Image(np.zeros(SHAPE, np.float32), nibabel.load(path).affine)
    nibabel.save(apart, tmp_path / "apart.nii")
    here, there = (np.array(itk.ReadImage(str(file)).GetOrigin()) for file in (path, tmp_path / "apart.nii"))
    assert np.allclose(np.abs(here - there), [12, 7, 25], atol=1e-3)


@pytest.mark.parametrize(
    "file",
    [
        {"order": ">"},
        {"kind": nibabel.Nifti2Image},
        {"kind": nibabel.Nifti2Image, "order": ">"},
        {"kind": nibabel.Nifti1Pair, "suffix": ".img"},
    ],
    ids=["big-endian", "NIfTI-2", "big-endian NIfTI-2", "pair"],
)
def test_so_it_is_of_a_scan_in_another_kind_of_file(scan, result, file):
    path = scan(*FORMS["sform moved"], **file)
    (forms, codes), (ours, our_codes) = place(path), place(result(path))
    assert codes == our_codes
    for form, our in zip(forms, ours, strict=True):
        assert np.allclose(form, our, rtol=1e-6, atol=1e-4)


def test_a_sheared_scan_has_a_sheared_result(scan, result):
    path = scan(SHEAR, 1, np.eye(4), 1)
    assert place(result(path)) == place(path)


def test_units_are_the_scans(scan, result):
    assert nibabel.load(result(scan(*FORMS["agree"], unit="micron"))).header.get_xyzt_units() == ("micron", "sec")


def test_nothing_else_of_the_scans_header_is_the_results(scan, result):
    path = scan(*FORMS["agree"])
    image = nibabel.load(path)
    image.header["cal_max"], image.header["descrip"] = 2000, b"of somebody"
    image.header.set_slope_inter(0.1, 7)
    image.header.set_intent("t test", (9,))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"born in 1960"))
    nibabel.save(image, path)
    found = nibabel.load(result(path, dtype=np.uint8))
    assert found.header["cal_max"] == 0 and found.header["descrip"] == b"" and not found.header.extensions
    assert found.header.get_intent()[0] == "none" and found.dataobj.slope == 1 and found.dataobj.inter == 0
    assert found.get_data_dtype() == np.uint8
