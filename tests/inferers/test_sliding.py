"""Windows all over a scan, each run as in training."""

import torch
from monai.inferers import SimpleInferer, SlidingWindowInferer
from torch import nn

from scripts.inferers.sliding import SlidingInferer


class Twice(SimpleInferer):
    """Runs a network, and doubles what it says."""

    def __call__(self, inputs, network, *args, **kwargs):
        return 2 * super().__call__(inputs, network, *args, **kwargs)


def test_each_window_is_run_by_the_inferer_and_put_together_as_monai_does():
    network, scan = nn.Conv3d(1, 3, 3, padding=1), torch.randn(1, 1, 12, 10, 9)
    stock = SlidingWindowInferer([8, 8, 8], 3, 0.5, mode="gaussian")(scan, network)
    assert torch.allclose(SlidingInferer([8, 8, 8], 0.5, 3, Twice())(scan, network), 2 * stock, atol=1e-5)
