"""Keys are embedded by the moving average of the network, and queries by the network."""

import torch
from monai.inferers import SimpleInferer
from torch import nn

from scripts.inferers.momentum import MomentumInferer


class Weighted(nn.Module):
    """Embeds crops by their mean, times a weight, plus their place."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, crops, place):
        return self.weight * crops.mean((2, 3, 4)) + place


def test_the_last_view_is_the_key_and_is_without_gradient():
    network, average = Weighted(2.0), Weighted(10.0)
    crops, place = torch.ones(4 * 3, 1, 2, 2, 2), torch.arange(12.0)[:, None]
    embedding = MomentumInferer(SimpleInferer(), average, views=4)(crops, network, place)
    assert embedding[:, 0].tolist() == [2 + n for n in range(9)] + [10 + n for n in range(9, 12)]
    embedding.sum().backward()
    assert float(network.weight.grad) == 9 and average.weight.grad is None
