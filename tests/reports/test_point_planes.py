"""Planes through a point show what is around it, upright and centred, wherever the scan's axes point."""

import io

import numpy as np
import pytest
from nibabel.affines import apply_affine

from scripts.reports.point_planes import Place, extent_mm, planes_through

imread = pytest.importorskip("matplotlib.image").imread

SHAPE = (60, 50, 40)
PLANES = {"axial": (0, 1), "coronal": (0, 2), "sagittal": (1, 2)}  # axes of the world: across and up


@pytest.fixture
def marked(write_scan, oblique, tmp_path):
    """A function: an oblique scan that is bright where a function of the place, in mm from its landmark, is true."""

    def write(bright, seed=0, voxel=(28.3, 24.6, 19.1)):
        affine = oblique(seed, (1.5, 2.0, 2.5))
        voxels = np.moveaxis(np.indices(SHAPE), 0, -1)
        point = apply_affine(affine, voxel)
        path = write_scan(tmp_path / "scan.nii.gz", voxels=bright(apply_affine(affine, voxels) - point), affine=affine)
        return str(path), tuple(point)

    return write


def pictures(path, point, side_mm=30):
    (planes,) = planes_through([Place(path, point, side_mm)]).values()
    return dict(zip(PLANES, (imread(io.BytesIO(plane)) for plane in planes), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_the_middle_of_each_picture_is_the_point(marked, seed):
    shown = pictures(*marked(lambda away: np.linalg.norm(away, axis=-1) < 6, seed))
    for picture in shown.values():
        assert picture.shape == (161, 161)
        rows, columns = np.nonzero(picture > 0.5)
        assert abs(rows.mean() - 80) < 3 and abs(columns.mean() - 80) < 3  # 3 pixels are 0.56 mm
        assert np.sqrt(len(rows) / np.pi) * 30 / 161 == pytest.approx(6, abs=0.6)


@pytest.mark.parametrize("axis", range(3))
def test_it_is_so_to_less_than_half_a_pixel(marked, axis):
    shown = pictures(*marked(lambda away: np.minimum(np.abs(away[..., axis]), 10)))
    for plane, axes in PLANES.items():
        if axis in axes:
            profile = shown[plane].mean(axes.index(axis))
            assert np.allclose(profile[40:50], profile[111:121][::-1], atol=1.5 / 255)  # half a pixel makes 4.6


@pytest.mark.parametrize("axis", range(3))
def test_right_front_and_head_are_right_and_up(marked, axis):
    shown = pictures(*marked(lambda away: away[..., axis] > 3))
    for plane, (across, up) in PLANES.items():
        if axis == across:
            assert shown[plane][:, 120:].min() > 0.95 and shown[plane][:, :75].max() < 0.05
        elif axis == up:
            assert shown[plane][:40].min() > 0.95 and shown[plane][85:].max() < 0.05


def test_what_is_outside_of_the_scan_is_black(marked):
    path, point = marked(lambda away: 5 + away[..., 0] / 100)
    far = pictures(path, tuple(np.add(point, 500)))
    assert not any(picture.any() for picture in far.values())


def test_a_ct_shows_soft_tissue(write_scan, tmp_path):
    voxels = np.full((20, 20, 20), -1000.0)
    voxels[4:10], voxels[10:16] = -100, 100  # fat and muscle, in HU
    path = write_scan(tmp_path / "ct.nii.gz", voxels=voxels, affine=np.eye(4))
    air, fat, muscle = (pictures(str(path), (x, 10, 10), 5)["axial"][80, 80] for x in (2, 7, 13))
    assert air == 0 and muscle - fat == pytest.approx(200 / 600, abs=0.01)


def test_a_scan_is_read_once_for_all_its_places(marked, monkeypatch):
    from scripts.reports import point_planes

    read = []
    grey = point_planes._grey
    monkeypatch.setattr(point_planes, "_grey", lambda path: read.append(path) or grey(path))
    path, point = marked(lambda away: away[..., 0] > 0)
    places = [Place(path, tuple(np.add(point, shift)), 30) for shift in range(3)]
    assert list(planes_through([*places, places[0]])) == places and read == [path]


def test_a_scan_that_cannot_be_read_has_no_pictures_and_a_warning(marked, tmp_path, caplog):
    path, point = marked(lambda away: away[..., 0] > 0)
    gone = Place(str(tmp_path / "gone.nii.gz"), point, 30)
    shown = planes_through([gone, Place(path, point, 30)])
    assert shown[gone] == [] and len(shown[Place(path, point, 30)]) == 3
    assert "gone.nii.gz is not shown" in caplog.text


def test_the_extent_is_that_of_the_box_along_the_worlds_axes(write_scan, oblique, tmp_path):
    path, affine = write_scan(tmp_path / "scan.nii.gz", SHAPE), oblique(0)
    corners = apply_affine(affine, np.indices((2, 2, 2)).reshape(3, -1).T * SHAPE)
    assert extent_mm(str(path)) == pytest.approx(np.ptp(corners, 0).max(), rel=1e-5)
