"""A batch of crops becomes the network's input and what the loss compares it with."""

import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.transforms import Compose, RandSpatialCropSamplesd

from scripts.engines.batches import gather_views, prepare_crops, prepare_views
from scripts.errors import InputError
from scripts.transforms.location import CropLocationd, FrameOrigind


def test_a_batch_of_views_has_the_first_of_all_crops_before_the_second_of_all():
    views = torch.arange(6.0).reshape(3, 2, 1, 1, 1, 1)
    batch = {"views": views, "location": torch.randn(3, 3), "scan": [4, 5, 6]}
    image, target = prepare_views(batch, torch.device("cpu"))
    assert image.flatten().tolist() == [0, 2, 4, 1, 3, 5]
    assert target["scan"].tolist() == [4, 5, 6] and torch.equal(target["location"], batch["location"])


def test_embeddings_of_views_are_told_apart():
    first, second = gather_views(torch.arange(6)[:, None])
    assert first.flatten().tolist() == [0, 1, 2] and second.flatten().tolist() == [3, 4, 5]


def test_a_single_crop_cannot_be_compared_with_others():
    with pytest.raises(InputError, match=r"a single crop.*raise batch_size or crops_per_volume"):
        gather_views(torch.randn(2, 4))


@pytest.fixture
def batch(oblique):
    """Six crops of a scan, collated."""
    scan = MetaTensor(torch.rand(3, 9, 8, 11), affine=oblique(3))
    crops = RandSpatialCropSamplesd("image", [4, 3, 5], 6, random_size=False)
    return list_data_collate(Compose([FrameOrigind("foreground"), crops, CropLocationd()])({"image": scan, "scan": 0}))


def test_a_batch_becomes_plain_tensors(batch):
    image, target = prepare_crops(batch, torch.device("cpu"))
    assert isinstance(batch["image"], MetaTensor)
    assert {type(tensor) for tensor in (image, *target.values())} == {torch.Tensor}


def test_a_batch_keeps_its_values(batch):
    image, target = prepare_crops(batch)
    assert torch.equal(image, batch["image"].as_tensor()) and image.shape == (6, 3, 4, 3, 5)
    assert torch.equal(target["location"], batch["location"]) and target["location"].dtype == torch.float32
    assert target["scan"].tolist() == [0] * 6


def test_a_batch_goes_to_the_device_that_is_asked_for(batch):
    image, target = prepare_crops(batch, torch.device("meta"), non_blocking=True)
    assert {tensor.device.type for tensor in (image, *target.values())} == {"meta"}
