"""Crops are labelled by what they hold, and drawn in the share that is stated."""

import itertools

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import RandCropByPosNegLabeld

from scripts.errors import InputError
from scripts.transforms.labelled_crops import LabelledCropsd, lesion_windows
from scripts.transforms.repeatable import Repeatable

SIZE = [4, 3, 5]


@pytest.fixture
def scan(oblique):
    """A scan whose image shows its mask, with a small lesion away from the middle."""
    mask = torch.zeros(1, 20, 18, 16)
    mask[0, 3:6, 10:12, 4:5] = 1
    return {
        "image": MetaTensor(mask.clone(), affine=oblique(0)),
        "label": MetaTensor(mask, affine=oblique(0)),
        "scan": 3,
    }


def test_windows_are_those_that_hold_a_lesion_voxel(scan):
    mask = scan["label"][0].as_tensor()
    windows = lesion_windows(mask, SIZE)
    assert windows.shape == (17, 16, 12)
    for i, j, k in itertools.product(range(17), range(16), range(12)):
        assert windows[i, j, k] == (mask[i : i + 4, j : j + 3, k : k + 5] > 0).any()


@pytest.mark.parametrize(("share", "positive"), [(0, 0), (0.25, 5), (0.5, 10), (1, 20)])
def test_the_share_of_crops_with_a_lesion_is_as_stated(scan, share, positive):
    crops = LabelledCropsd("image", "label", SIZE, 20, share)(scan)
    assert sum(float(crop["class_label"]) for crop in crops) == positive


@pytest.mark.parametrize("share", [-0.1, 50])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(InputError, match="positive_share is"):
        LabelledCropsd("image", "label", SIZE, 20, share)


def test_crops_know_how_much_lesion_they_hold(scan):
    crops = LabelledCropsd("image", "label", SIZE, 40)(scan)
    voxel = 1.5 * 2.5 * 3.5 / 1000
    assert len({float(crop["lesion_ml"]) for crop in crops}) > 3
    for crop in crops:
        assert float(crop["lesion_ml"]) == pytest.approx(float((crop["image"] > 0).sum()) * voxel)


def test_labels_say_what_the_crops_hold(scan):
    for crop in LabelledCropsd("image", "label", SIZE, 40)(scan):
        assert float(crop["class_label"]) == float(crop["image"].max())


def test_monais_sampler_does_not_draw_the_share_that_its_ratio_states(scan):
    crop = RandCropByPosNegLabeld(["image", "label"], "label", SIZE, pos=0.65, num_samples=400).set_random_state(0)
    share = sum(float(item["label"].max()) for item in crop(scan)) / 400
    assert abs(share - 0.65) > 0.1


def test_positive_crops_are_drawn_from_all_places_that_hold_some_lesion(scan):
    transform = LabelledCropsd("image", "label", SIZE, 5000, 1).set_random_state(0)
    transform(scan)
    drawn = {tuple(start) for start in transform.starts}
    assert drawn == {tuple(start) for start in lesion_windows(scan["label"][0], SIZE).nonzero().tolist()}


def test_negative_crops_are_drawn_from_all_places_that_hold_none():
    mask = torch.zeros(1, 6, 5, 7)
    mask[0, 2, 0, 5] = mask[0, 4, 4, 0] = 1
    transform = LabelledCropsd("image", "label", [2, 3, 2], 2000, 0).set_random_state(0)
    transform.randomize(mask)
    drawn = {tuple(start) for start in transform.starts.tolist()}
    assert drawn == {tuple(start) for start in (~lesion_windows(mask[0], [2, 3, 2])).nonzero().tolist()}


@pytest.mark.parametrize("value", [0, 1])
def test_a_scan_of_one_kind_gives_that_kind(scan, value):
    scan["label"] = torch.full_like(scan["label"], value)
    assert [float(crop["class_label"]) for crop in LabelledCropsd("image", "label", SIZE, 4)(scan)] == [value] * 4


def test_all_else_but_the_mask_goes_with_each_crop(scan):
    crop = LabelledCropsd(["image", "pet"], "label", SIZE, 1)(scan | {"pet": scan["image"] + 1})[0]
    assert crop.keys() == {"image", "pet", "scan", "class_label", "lesion_ml"}
    assert torch.equal(crop["pet"].as_tensor(), crop["image"].as_tensor() + 1)


@pytest.mark.parametrize("label", [0.0, 2.0])
def test_a_scan_whose_class_is_not_that_of_its_mask_is_refused(scan, label):
    with pytest.raises(InputError, match="A scan of subject Ann has class"):
        LabelledCropsd("image", "label", SIZE, 3)({**scan, "class_label": label, "subject": "Ann"})


def test_crops_know_their_place(scan):
    transform = LabelledCropsd("image", "label", SIZE, 6).set_random_state(1)
    crops = transform(scan)
    for start, crop in zip(transform.starts, crops, strict=True):
        corner = scan["image"].affine @ torch.tensor([*start, 1.0], dtype=torch.float64)
        assert torch.allclose(crop["image"].affine[:3, 3], corner[:3], atol=1e-4)


def test_repeatable_crops_are_the_same_each_time_and_others_in_other_scans(scan):
    transform = Repeatable(LabelledCropsd("image", "label", SIZE, 8), seed=1)
    first, again, other = (
        [crop["image"].affine for crop in transform(item)] for item in (scan, scan, scan | {"scan": 4})
    )
    assert all(map(torch.equal, first, again)) and not all(map(torch.equal, first, other))
