"""The class of a crop is that of most of its centre."""

import pytest
import torch
from monai.data import MetaTensor

from scripts.transforms.centre_class import CentreClassd


def class_of(voxels, centre=(2, 2, 2)):
    return CentreClassd("label", centre)({"label": voxels, "scan": 3})


def test_the_centre_decides_whatever_is_around_it():
    voxels = torch.full((1, 6, 6, 6), 5, dtype=torch.int16)
    voxels[0, 2:4, 2:4, 2:4] = 1
    voxels[0, 2, 2, 2:4] = 2
    assert class_of(voxels)["class_label"].tolist() == [1]
    assert class_of(voxels, (6, 6, 6))["class_label"].tolist() == [5]


def test_of_two_that_are_as_frequent_it_is_the_first():
    voxels = torch.zeros(1, 4, 4, 4)
    voxels[0, :2], voxels[0, 2:] = 7, 4
    assert class_of(voxels)["class_label"].tolist() == [4]


def test_what_a_scan_was_padded_with_does_not_count():
    voxels = torch.full((1, 4, 4, 4), -1.0)
    voxels[0, 2, 2, 2] = 3
    assert class_of(voxels)["class_label"].tolist() == [3]


@pytest.mark.parametrize("kind", [torch.as_tensor, MetaTensor])
def test_a_crop_has_a_plain_class_and_no_label_map(kind):
    item = class_of(kind(torch.zeros(1, 4, 4, 4)))
    assert item.keys() == {"class_label", "scan"} and type(item["class_label"]) is torch.Tensor
