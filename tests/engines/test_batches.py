"""A batch becomes what the network takes and what the loss compares its output with."""

import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.transforms import Compose, RandSpatialCropSamplesd

from scripts.engines.batches import PrepareBatch, PrepareScan, PrepareViews
from scripts.transforms.location import CropLocationd, FrameOrigind


@pytest.fixture
def batch(oblique):
    """Six crops of a scan, collated."""
    scan = MetaTensor(torch.rand(3, 9, 8, 11), affine=oblique(3))
    crops = RandSpatialCropSamplesd("image", [4, 3, 5], 6, random_size=False)
    steps = [FrameOrigind("image", "foreground"), crops, CropLocationd("image")]
    return list_data_collate(Compose(steps)({"image": scan, "scan": 0, "subject": "P0"}))


def test_a_batch_becomes_plain_tensors(batch):
    image, target, _, _ = PrepareBatch()(batch, torch.device("cpu"))
    assert isinstance(batch["image"], MetaTensor)
    assert {type(tensor) for tensor in (image, target["location"], target["scan"])} == {torch.Tensor}


def test_the_target_is_all_of_the_batch_but_the_inputs(batch):
    image, target, others, named = PrepareBatch()(batch)
    assert torch.equal(image, batch["image"].as_tensor()) and image.shape == (6, 3, 4, 3, 5)
    assert target.keys() == batch.keys() - {"image"} and (others, named) == ((), {})
    assert torch.equal(target["location"], batch["location"]) and target["subject"] == ["P0"] * 6


def test_a_network_may_take_more_than_the_image(batch):
    image, target, (location, scan), _ = PrepareBatch(["image", "location", "scan"])(batch)
    assert torch.equal(location, batch["location"]) and scan.tolist() == [0] * 6
    assert not target.keys() & {"image", "location", "scan"} and image.shape[0] == 6


def test_the_target_may_be_one_item(batch):
    _, target, _, _ = PrepareBatch(target="location")(batch)
    assert torch.equal(target, batch["location"])


def test_a_batch_goes_to_the_device_that_is_asked_for(batch):
    image, target, _, _ = PrepareBatch()(batch, torch.device("meta"), non_blocking=True)
    assert {tensor.device.type for tensor in (image, target["location"], target["scan"])} == {"meta"}


def test_a_batch_of_views_has_the_first_of_all_crops_before_the_second_of_all():
    batch = {"image": torch.arange(6.0).reshape(3, 2, 1, 1, 1, 1), "scan": torch.tensor([4, 5, 6])}
    image, target, _, _ = PrepareViews()(batch, torch.device("cpu"))
    assert image.flatten().tolist() == [0, 2, 4, 1, 3, 5] and target["scan"].tolist() == [4, 5, 6]


def test_each_view_has_the_other_inputs_of_its_crop():
    batch = {"image": torch.arange(6.0).reshape(2, 3, 1, 1, 1, 1), "location": torch.tensor([[1.0, 2], [3, 4]])}
    image, _, (location,), _ = PrepareViews(["image", "location"])(batch)
    assert image.flatten().tolist() == [0, 3, 1, 4, 2, 5] and location.tolist() == [[1, 2], [3, 4]] * 3


def test_all_images_that_have_views_are_unfolded():
    batch = {"image": torch.arange(4.0).reshape(2, 2, 1, 1, 1, 1)}
    batch["pet"] = batch["image"] + 10
    image, _, (pet,), _ = PrepareViews(["image", "pet"], images=["image", "pet"])(batch)
    assert torch.equal(pet, image + 10) and image.flatten().tolist() == [0, 2, 1, 3]


def test_a_scan_keeps_its_affine_and_goes_with_all_else_by_name(batch):
    image, target, others, named = PrepareScan()(batch, torch.device("cpu"))
    assert isinstance(image, MetaTensor) and (target, others) == (None, ())
    assert named.keys() == batch.keys() - {"image"}


def test_a_scan_goes_to_the_device_and_what_says_where_it_is_stays_behind(batch):
    image, _, _, named = PrepareScan()(batch, torch.device("meta"))
    places = {value.device.type for value in [image.affine, *named.values()] if isinstance(value, torch.Tensor)}
    assert image.device.type == "meta" and places == {"cpu"}
