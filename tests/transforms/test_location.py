"""Where crops lie, in mm."""

import itertools

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, CropForegroundd, LoadImage, Orientation, RandSpatialCropSamplesd, SpatialCrop

from scripts.errors import InputError
from scripts.transforms.location import BodyBoxd, CropInBoxd, CropLocationd, FrameOrigind, centre_mm


def coordinates(shape, affine):
    """World coordinates of each voxel, [3, X, Y, Z], one voxel at a time."""
    world = np.zeros((3, *shape))
    for index in itertools.product(*map(range, shape)):
        world[(slice(None), *index)] = nib.affines.apply_affine(affine, index)
    return world


@pytest.fixture
def scan(oblique):
    """An image whose three channels are the world coordinates of its voxels."""
    affine = oblique(3)
    return MetaTensor(torch.from_numpy(coordinates((9, 8, 11), affine)), affine=affine)


@pytest.fixture
def locate():
    def make(scan, frame="foreground"):
        crop = RandSpatialCropSamplesd("image", [4, 3, 5], 6, random_size=False)
        transform = Compose([FrameOrigind("image", frame), crop, CropLocationd("image")]).set_random_state(0)
        crops = transform({"image": scan, "scan": 0})
        return crops, torch.stack([crop["image"].as_tensor().mean((1, 2, 3)) for crop in crops])

    return make


def test_the_centre_is_the_mean_of_the_voxels_places(scan):
    assert torch.allclose(centre_mm(scan), scan.as_tensor().mean((1, 2, 3)), atol=1e-9)


def test_the_centre_stays_when_axes_are_reordered(tmp_path, write_scan):
    affine = np.array([[0, -2.0, 0.3, 9], [-1.4, 0.2, 0, 40], [0, 0.3, 3, -7], [0, 0, 0, 1]])
    image = LoadImage(ensure_channel_first=True)(write_scan(tmp_path / "scan.nii.gz", affine=affine))
    turned = Orientation(axcodes="RAS", labels=None)(image)
    assert turned.shape != image.shape
    assert torch.allclose(centre_mm(turned), centre_mm(image), atol=1e-4)


@pytest.mark.parametrize("frame", ["foreground", "scanner"])
def test_locations_are_the_crops_places_in_their_frame(scan, locate, frame):
    crops, truth = locate(scan, frame)
    origin = scan.as_tensor().mean((1, 2, 3)) if frame == "foreground" else torch.zeros(3)
    locations = torch.stack([crop["location"] for crop in crops])
    assert len(locations.unique(dim=0)) > 1
    assert torch.allclose(locations.double(), truth - origin, atol=1e-3)


def test_a_crop_moved_by_voxels_is_so_many_voxels_away_also_in_an_oblique_scan(scan):
    crops = [SpatialCrop(roi_slices=[slice(i, i + 4) for i in start])(scan) for start in ((0, 0, 0), (3, 1, 5))]
    origin = FrameOrigind("image", "foreground")({"image": scan})["origin"]
    first, second = (CropLocationd("image")({"image": crop, "origin": origin})["voxel"] for crop in crops)
    assert torch.allclose(second - first, torch.tensor([3.0, 1, 5]), atol=1e-4)


def test_the_foreground_frame_begins_at_the_centre_of_the_body(scan):
    box = torch.zeros(scan.shape[1:], dtype=torch.bool)
    box[2:7, 1:5, 6:10] = True
    crop = CropForegroundd("image", "image", select_fn=lambda image: box[None], allow_smaller=True)
    origin = Compose([crop, FrameOrigind("image", "foreground")])({"image": scan})["origin"]
    assert torch.allclose(origin, scan.as_tensor()[:, box].mean(1), atol=1e-9)


def test_moving_the_scanner_moves_locations_in_its_own_frame_only(scan, locate):
    moved = scan.clone()
    moved.affine[:3, 3] += torch.tensor([10.0, -20.0, 30.0])
    for frame, shift in (("foreground", [0, 0, 0]), ("scanner", [10, -20, 30])):
        before, after = (torch.stack([c["location"] for c in locate(image, frame)[0]]) for image in (scan, moved))
        assert torch.allclose(after - before, torch.tensor(shift, dtype=torch.float32), atol=1e-4)


def test_an_unknown_frame_is_refused_with_those_that_there_are():
    with pytest.raises(InputError, match=r"frame is body: give one of foreground, scanner"):
        FrameOrigind("image", "body")


def in_box(scan, *start, size=(4, 4, 4)):
    """Where a crop that begins at a voxel is in the box of its scan."""
    ends = [first + side for first, side in zip(start, size, strict=True)]
    crop = SpatialCrop(roi_start=start, roi_end=ends)(scan)
    return CropInBoxd("image")({"image": crop, "box": BodyBoxd("image")({"image": scan})["box"]})["box_share"]


def test_a_crop_in_the_middle_of_a_body_is_at_0_of_its_box_also_in_an_oblique_scan(scan):
    assert torch.allclose(in_box(scan, 2, 2, 3, size=(5, 4, 5)), torch.zeros(3), atol=1e-6)


def test_a_place_in_the_box_is_a_share_of_its_sides(scan):
    moved = in_box(scan, 3, 1, 5) - in_box(scan, 0, 0, 0)
    assert torch.allclose(moved, torch.tensor([3 / 9, 1 / 8, 5 / 11]), atol=1e-6)
    assert torch.allclose(
        in_box(scan, 0, 0, 0, size=(1, 1, 1)), torch.tensor([1 / 18, 1 / 16, 1 / 22]) - 0.5, atol=1e-6
    )
