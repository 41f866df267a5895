"""Histograms of octants know where in a crop intensities are, as coarsely as halves."""

import numpy as np
import torch

from scripts.transforms.histogram import octant_histograms


def test_octants_are_halves_of_each_axis_each_with_numpys_histogram():
    image = 1.5 * torch.randn(1, 5, 4, 6)
    found = octant_histograms(image).square().split(34)
    edges = [-np.inf, *np.linspace(-2, 2, 33), np.inf]
    for shares, octant in ((found[0], image[:, :3, :2, :3]), (found[6], image[:, 3:, 2:, :3])):
        counts, _ = np.histogram(octant.numpy(), edges)
        assert len(found) == 8 and np.allclose(shares * octant.numel(), counts, atol=1e-4)


def test_what_moves_to_another_octant_is_noticed_and_what_stays_in_one_is_not():
    image = torch.zeros(1, 4, 4, 4)
    within, across = image.clone(), image.clone()
    image[0, 0, 0, 0] = within[0, 1, 1, 1] = across[0, 2, 0, 0] = 1
    assert torch.equal(octant_histograms(image), octant_histograms(within))
    assert not torch.equal(octant_histograms(image), octant_histograms(across))


def test_an_axis_of_one_voxel_is_not_halved():
    assert octant_histograms(torch.rand(1, 4, 4, 1)).shape == (4 * 34,)
