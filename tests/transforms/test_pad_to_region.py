"""A task is about scans, and not about what they are padded with."""

import logging

import pytest
import torch
from monai.data import MetaTensor

from scripts.errors import InputError
from scripts.transforms.pad_to_region import PadToRegiond


def pad(sizes, times=1):
    padding = PadToRegiond("image", [8, 8, 8], "Give a smaller region_size")
    for scan, size in enumerate(sizes):
        for _ in range(times):
            image = padding({"image": MetaTensor(torch.zeros(1, size, 9, 9)), "scan": scan})["image"]
            assert image.shape == (1, max(size, 8), 9, 9)


def test_regions_that_are_mostly_padding_are_refused_with_the_cure():
    with pytest.raises(
        InputError, match=r"8 x 8 x 8 voxels, 62% is padding in the median .* Give a smaller region_size"
    ):
        pad([3, 3, 3, 8, 8])


def test_the_share_of_padding_is_told_where_there_is_some(caplog):
    with caplog.at_level(logging.INFO):
        pad([6, 6, 6, 8, 2])
    assert "25% is padding" in caplog.text


def test_scans_that_are_large_enough_need_no_word(caplog):
    with caplog.at_level(logging.INFO):
        pad([8, 9, 8, 9, 8, 2])
    assert not any("is padding" in line for line in caplog.messages)


def test_few_scans_that_are_seen_again_and_again_are_not_judged_as_many():
    pad([3, 3], times=4)
