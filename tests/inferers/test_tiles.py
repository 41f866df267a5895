"""Networks on tiles of images of any size."""

import pytest
import torch

from scripts.inferers.tiles import TileInferer


class Places(torch.nn.Module):
    """Means of the corners of a tile: each patch knows its voxels alone."""

    def __init__(self):
        super().__init__()
        self.ran = []

    def forward(self, tiles):
        self.ran.append(len(tiles))
        return torch.nn.functional.avg_pool3d(tiles, 4)


@pytest.fixture
def network():
    return Places()


@pytest.fixture
def tiles():
    return TileInferer([8, 8, 4], 3, lambda some, network: network(some))


def test_patches_lie_as_in_the_image(network, tiles):
    image = torch.randn(2, 1, 16, 8, 12)
    assert torch.equal(tiles(image, network), torch.nn.functional.avg_pool3d(image, 4))


def test_tiles_that_are_padding_are_not_run_and_change_nothing(network, tiles):
    image, seen = torch.randn(2, 1, 16, 8, 12), torch.ones(2, 1, 16, 8, 12)
    seen[1, :, 8:] = -1
    out = tiles(image, network, seen)
    assert sum(network.ran) == 12 - 3 and not out[1, :, 2:].any()
    assert torch.equal(out[1, :, :2], torch.nn.functional.avg_pool3d(image, 4)[1, :, :2])


def test_so_many_run_at_once_as_are_asked_for_unless_something_is_trained(network, tiles):
    with torch.no_grad():
        tiles(torch.randn(1, 1, 16, 8, 16), network)
    tiles(torch.randn(1, 1, 16, 8, 16), network)
    assert network.ran == [3, 3, 2, 8]


def test_what_is_said_of_a_tile_does_not_depend_on_the_rest_of_the_image(network, tiles):
    image = torch.randn(1, 1, 16, 16, 8)
    assert torch.equal(tiles(image, network)[..., :2, :2, :1], tiles(image[..., :8, :8, :4], network))
