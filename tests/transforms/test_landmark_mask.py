"""Landmarks are balls of a mask that lies where they are."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Invertd, LoadImaged, Orientationd, Spacingd
from nibabel.affines import apply_affine

from scripts.transforms.landmark_mask import LandmarkMaskd

SHAPE = (24, 22, 20)
NOWHERE = (np.nan, np.nan, np.nan, 0.1)


@pytest.fixture
def masked(oblique):
    """A function: the item of a scan with these landmarks, in an oblique grid."""

    def make(*table, radius_mm=5.0, seed=0):
        image = MetaTensor(torch.zeros(1, *SHAPE), affine=torch.from_numpy(oblique(seed)))
        item = {"image": image, "pred": MetaTensor(torch.tensor(table, dtype=torch.float64))}
        return LandmarkMaskd("pred", radius_mm=radius_mm)(item)

    return make


def distances(affine, point):
    """Of all voxels of the grid from a point in voxels, mm: by their places, one and all."""
    voxels = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), -1)
    return np.linalg.norm(apply_affine(affine, voxels) - apply_affine(affine, point), axis=-1)


@pytest.mark.parametrize("seed", range(3))
def test_a_landmark_is_a_ball_in_mm_in_an_oblique_anisotropic_grid(masked, oblique, seed):
    item = masked((12.3, 9.6, 8.1, 0.5), (3, 17, 4, 0.5), radius_mm=7.0, seed=seed)
    for value, point in ((1, (12.3, 9.6, 8.1)), (2, (3, 17, 4))):
        assert np.array_equal(item["pred"][0].numpy() == value, distances(oblique(seed), point) <= 7)


def test_in_a_sheared_grid_it_is_a_ball_as_well():
    affine = np.array([[2, 0, 2.5, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1.0]])
    image = MetaTensor(torch.zeros(1, *SHAPE), affine=torch.from_numpy(affine))
    item = LandmarkMaskd("pred", radius_mm=8.0)({"image": image, "pred": torch.tensor([[12.0, 11, 10, 1]])})
    assert np.array_equal(item["pred"][0].numpy() == 1, distances(affine, (12, 11, 10)) <= 8)


def test_the_mask_has_the_images_grid_and_the_table_is_kept(masked, oblique):
    table = [(12.0, 9.0, 8.0, 0.5), NOWHERE]
    item = masked(*table)
    assert item["pred"].shape == (1, *SHAPE) and np.array_equal(item["pred"].affine, oblique(0))
    assert np.array_equal(item["landmarks"], table, equal_nan=True)
    assert type(item["landmarks"]) is torch.Tensor


def test_a_landmark_that_is_not_in_the_scan_is_no_ball_and_changes_no_others_number(masked):
    item = masked(NOWHERE, (12, 9, 8, 0.5))
    assert item["pred"].unique().tolist() == [0, 2]


def test_where_two_balls_meet_a_voxel_is_of_the_nearer_landmark(masked, oblique):
    first, second = (11, 9, 8), (13, 9, 8)
    mask = masked((*first, 0.5), (*second, 0.5))["pred"][0].numpy()
    near_first, near_second = (distances(oblique(0), point) for point in (first, second))
    both = (near_first <= 5) & (near_second <= 5)
    nearer = near_second - near_first  # mm; where it is 0, either may have the voxel
    assert (mask[both & (nearer > 1e-3)] == 1).all() and (mask[both & (nearer < -1e-3)] == 2).all()


def test_a_ball_smaller_than_a_voxel_is_the_voxel_of_its_landmark(masked):
    mask = masked((12.4, 8.7, 8.2, 0.5), radius_mm=0.01)["pred"][0]
    assert mask.nonzero().tolist() == [[12, 9, 8]]


@pytest.mark.parametrize("point", [(-9, 5, 5), (5, 60, 5), (200, 200, 200)])
def test_a_landmark_far_outside_the_image_is_no_ball(masked, point):
    assert not masked((*point, 0.5))["pred"].any()


def test_inverted_it_lies_in_the_scans_own_grid_where_the_landmark_is(write_scan, oblique, tmp_path):
    affine = oblique(1)
    path = write_scan(tmp_path / "scan.nii.gz", (40, 30, 24), affine=affine)
    preprocessing = Compose(
        [
            LoadImaged("image", ensure_channel_first=True),
            Orientationd("image", axcodes="RAS", labels=None),
            Spacingd("image", pixdim=(2.0, 2.0, 2.0)),
        ]
    )
    item = preprocessing({"image": str(path)})
    world = apply_affine(affine, (21, 12, 9))
    voxel = apply_affine(np.linalg.inv(item["image"].affine.numpy()), world)
    item["pred"] = torch.tensor([[*voxel, 0.9]])
    both = Compose([LandmarkMaskd("pred"), Invertd("pred", preprocessing, "image", nearest_interp=True)])
    mask = both(item)["pred"]
    assert mask.shape == (1, 40, 30, 24) and np.allclose(mask.affine, affine, atol=1e-4)
    inside = apply_affine(affine, np.argwhere(mask[0].numpy() == 1))
    assert np.linalg.norm(inside - world, axis=1).max() < 7.5
    assert np.linalg.norm(inside.mean(0) - world) < 1  # half a voxel of the preprocessed scan
