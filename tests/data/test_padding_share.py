"""A task is about scans, and not about what they are padded with."""

import logging

import pytest
import torch

from scripts.data.padding_share import check_padding
from scripts.errors import InputError


def check(*sizes, subjects=None):
    """Of scans of 9 voxels along two axes and so many along another; subjects are by default as many."""
    whose = subjects or range(len(sizes))
    scans = [{"subject": subject, "size": size} for subject, size in zip(whose, sizes, strict=True)]
    prepared = []

    def prepare(scan):
        prepared.append(scan["size"])
        return {"image": torch.zeros(1, scan["size"], 9, 9)}

    check_padding(scans, prepare, "image", [8, 8, 8], "Give a smaller region_size")
    return prepared


def test_regions_that_are_mostly_padding_are_refused_with_the_cure():
    with pytest.raises(
        InputError, match=r"8 x 8 x 8 voxels, 62% is padding in the median of 5 scans. Give a smaller region_size\."
    ):
        check(3, 3, 3, 8, 8, 8)


@pytest.mark.parametrize("sizes", [(3,), (3, 3, 8), (2, 2, 2, 8)])
def test_fewer_scans_than_five_are_judged_as_well(sizes):
    with pytest.raises(InputError, match=f"in the median of {len(sizes)} scans"):
        check(*sizes)


def test_the_share_of_padding_is_told_where_there_is_some(caplog):
    with caplog.at_level(logging.INFO):
        check(6, 6, 6, 8, 2)
    assert "25% is padding" in caplog.text


def test_scans_that_are_large_enough_need_no_word(caplog):
    with caplog.at_level(logging.INFO):
        check(8, 9, 8, 9, 8, 2)
    assert not caplog.messages


def test_the_scans_that_are_judged_are_of_different_subjects():
    assert check(8, 8, 8, 8, 9, 10, 11, 12, subjects="AAAABCDE") == [8, 9, 10, 11, 12]
