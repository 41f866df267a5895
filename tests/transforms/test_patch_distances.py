"""Distances between the patches of a region, against a loop over their voxels."""

import pytest
import torch

from scripts.transforms.patch_distances import PatchDistances


def patches(number, size=(1, 4, 3, 2)):
    return [{"image": torch.randn(size), "cell": i} for i in range(number)]


@pytest.mark.parametrize("cells", [[3, 2, 1], [3, 3, 3]], ids=["few", "many"])
def test_they_are_mean_squares_of_differences_within_each_region(cells):
    number = cells[0] * cells[1] * cells[2]
    data = patches(2 * number)
    for first in (0, number):
        region = data[first : first + number]
        expected = [[float((a["image"] - b["image"]).square().mean()) for b in region] for a in region]
        measured = PatchDistances("image", cells)(data)[first : first + number]
        assert torch.allclose(torch.stack([item["distances"] for item in measured]), torch.tensor(expected), atol=1e-6)


def test_nothing_is_between_patches_that_are_alike_however_bright_they_are():
    data = [{"image": torch.full((1, 8, 8, 8), 1000.1)} for _ in range(27)]
    assert all(float(item["distances"].max()) < 1e-6 for item in PatchDistances("image", [3, 3, 3])(data))


def test_all_else_of_an_item_is_left_and_the_items_that_were_given_are_too():
    data = patches(4)
    assert [item["cell"] for item in PatchDistances("image", [2, 2, 1])(data)] == [0, 1, 2, 3]
    assert "distances" not in data[0]


def test_patches_are_empty_whose_voxels_vary_no_more_than_the_setting_says():
    data = patches(3)
    data[1]["image"] = torch.full((1, 4, 3, 2), -1.0)
    data[2]["image"] = -1 + 0.01 * torch.randn(1, 4, 3, 2)
    flat, dim = ([item["empty"] for item in PatchDistances("image", [3, 1, 1], most)(data)] for most in (0, 0.05))
    assert flat == [False, True, False] and dim == [False, True, True]
