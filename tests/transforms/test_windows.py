"""Windows are at the same shares of every body's box, in one order."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from scripts.transforms.histogram import Histogramd, histogram
from scripts.transforms.windows import Windowsd, window_starts


@pytest.mark.parametrize("size", [32, 33, 50, 64, 90])
@pytest.mark.parametrize("number", [2, 3, 5])
def test_windows_reach_from_edge_to_edge_in_even_steps(size, number):
    starts = [start for (start,) in window_starts([size], [32], [number])]
    assert (starts[0], starts[-1]) == (0, size - 32)
    assert np.ptp(np.diff(starts)) <= 1


def test_one_window_is_in_the_middle():
    assert window_starts([92, 32], [32, 32], [1, 1]) == [(30, 0)]


def test_windows_are_cut_where_they_begin_the_last_axis_first(oblique):
    image = torch.arange(6.0 * 5 * 4).reshape(1, 6, 5, 4)
    scan = {"image": MetaTensor(image, affine=oblique(0)), "size": 3}
    crops = Windowsd("image", [2, 3, 4], [2, 2, 1])(scan)
    corners = [(0, 0), (0, 2), (4, 0), (4, 2)]
    assert [crop["size"] for crop in crops] == [3] * 4
    for crop, (x, y) in zip(crops, corners, strict=True):
        assert torch.equal(torch.as_tensor(crop["image"]), image[:, x : x + 2, y : y + 3])


def test_windows_keep_their_place_in_mm(oblique):
    affine = oblique(0)
    crop = Windowsd("image", [2, 3, 4], [2, 2, 1])({"image": MetaTensor(torch.rand(1, 6, 5, 4), affine=affine)})[-1]
    assert np.allclose(crop["image"].affine[:3, 3], (affine @ [4, 2, 0, 1])[:3])


def test_a_histogram_is_numpys_with_both_tails():
    image = torch.randn(1, 9, 9, 9)
    edges = [-np.inf, *np.linspace(-1, 1, 33), np.inf]
    expected = np.histogram(image.numpy(), edges)[0] / image.numel()
    assert np.allclose(histogram(image), expected)


def test_a_histogram_can_be_put_into_batches(oblique):
    item = Histogramd("image")({"image": MetaTensor(torch.rand(1, 5, 5, 5), affine=oblique(0))})
    assert not isinstance(item["histogram"], MetaTensor) and item["histogram"].shape == (34,)
