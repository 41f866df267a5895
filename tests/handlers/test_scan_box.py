"""A box cut out of a scan lies where it lay, with the values that it had."""

import nibabel
import numpy as np
import pytest

from scripts.handlers.scan_box import voxels_of_box, write_box

SHAPE = (20, 18, 16)
FIRST = (5, 4, 3)  # voxel of the box's lower corner
MOVE = np.array([[1, 0, 0, 12], [0, 1, 0, -7], [0, 0, 1, 25], [0, 0, 0, 1.0]])  # mm, of a coregistration
CODES = {"both": (1, 1), "sform alone": (2, 0), "qform alone": (0, 1), "neither": (0, 0)}


@pytest.fixture
def scan(tmp_path):
    """A function: a scan with numbered voxels of 2, 3 and 4 mm along the world's axes."""

    def write(dtype=np.int16, codes=(1, 1), channels=(), scale=None):
        affine = np.diag([2.0, 3, 4, 1])
        affine[:3, 3] = (-30, 11, 5)
        numbers = np.arange(np.prod(SHAPE + channels)).reshape(SHAPE + channels)
        image = nibabel.Nifti1Image(numbers.astype(dtype), None)
        image.header.set_data_dtype(dtype)
        image.header.set_slope_inter(*(scale or (None, None)))
        image.header.set_sform(affine, codes[0])
        image.header.set_qform(MOVE @ affine, codes[1])
        nibabel.save(image, tmp_path / "scan.nii.gz")
        return tmp_path / "scan.nii.gz"

    return write


@pytest.fixture
def cut(tmp_path):
    """A function: the part of a scan from voxel (5, 4, 3) to (8, 6, 7)."""

    def cut(path):
        affine = nibabel.load(path).affine
        corners = [(affine @ [*corner, 1])[:3] for corner in (np.subtract(FIRST, 0.5), np.add((8, 6, 7), 0.5))]
        assert write_box(str(path), np.mean(corners, 0), np.ptp(corners, 0), tmp_path / "part.nii.gz")
        return nibabel.load(tmp_path / "part.nii.gz")

    return cut


@pytest.mark.parametrize("codes", CODES.values(), ids=CODES)
def test_each_form_of_the_header_puts_its_voxels_where_the_scans_puts_them(scan, cut, codes):
    path = scan(codes=codes)
    part, source = cut(path), nibabel.load(path)
    step = nibabel.affines.from_matvec(np.eye(3), FIRST)
    assert np.array_equal(part.get_fdata(), source.get_fdata()[5:9, 4:7, 3:8])
    assert np.allclose(part.affine, source.affine @ step)
    for form in ("sform", "qform"):
        its, scans = (getattr(image.header, f"get_{form}")(coded=True) for image in (part, source))
        if scans[1]:
            assert its[1] == scans[1] and np.allclose(its[0], scans[0] @ step)


def test_other_programs_show_it_where_the_scan_is(scan, cut, tmp_path):
    itk = pytest.importorskip("SimpleITK", reason="SimpleITK, of the extra `registration`, is not installed")
    path = scan()
    cut(path)
    whole, part = (itk.ReadImage(str(file)) for file in (path, tmp_path / "part.nii.gz"))
    assert np.allclose(part.GetOrigin(), whole.TransformIndexToPhysicalPoint(FIRST), atol=1e-4)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, ">i2", np.uint16, np.int32, np.float32, np.float64])
def test_the_type_of_its_values_is_the_scans(scan, cut, dtype):
    assert cut(scan(dtype)).get_data_dtype() == np.dtype(dtype).newbyteorder("=")


def test_values_that_a_header_scales_are_as_they_are_read(scan, cut):
    path = scan(scale=(0.5, -7))
    part = cut(path)
    assert part.get_data_dtype() == np.float32
    assert np.array_equal(part.get_fdata(), nibabel.load(path).get_fdata()[5:9, 4:7, 3:8])


@pytest.mark.parametrize("channels", [(1,), (2,)])
def test_channels_are_the_scans(scan, cut, channels):
    path = scan(np.int32, channels=channels)
    part = cut(path).get_fdata().reshape(4, 3, 5, -1)
    assert np.array_equal(part, nibabel.load(path).get_fdata()[5:9, 4:7, 3:8])


@pytest.mark.parametrize("seed", range(5))
def test_in_an_oblique_grid_it_is_the_smallest_box_that_holds_all(oblique, seed):
    affine, size = oblique(seed), (30, 20, 25)
    centre = nibabel.affines.apply_affine(affine, (200.2, 200.7, 200.4))
    box = voxels_of_box(affine, (400, 400, 400), centre, size)
    many = centre + (np.random.RandomState(seed).rand(200000, 3) - 0.5) * size
    of_voxel = np.rint(nibabel.affines.apply_affine(np.linalg.inv(affine), many)).astype(int)
    corners = centre + (np.indices((2, 2, 2)).reshape(3, -1).T - 0.5) * np.multiply(size, 1 - 1e-9)
    of_corner = np.rint(nibabel.affines.apply_affine(np.linalg.inv(affine), corners)).astype(int)
    for axis in range(3):
        assert box[axis].start <= of_voxel[:, axis].min() and of_voxel[:, axis].max() < box[axis].stop
        assert (of_corner[:, axis].min(), of_corner[:, axis].max() + 1) == (box[axis].start, box[axis].stop)


def test_it_is_clipped_to_the_scan():
    assert voxels_of_box(np.eye(4), SHAPE, (0, 17, 8), (7, 7, 99)) == (slice(0, 4), slice(14, 18), slice(0, 16))


@pytest.mark.parametrize("centre", [(-9, 8, 8), (8, 40, 8), (8, 8, -4)])
def test_nothing_is_left_outside_of_the_scan(centre):
    assert voxels_of_box(np.eye(4), SHAPE, centre, (5, 5, 5)) is None
