"""A network is run on a batch outside of an engine as inside of one."""

import torch
from monai.inferers import SimpleInferer
from torch import nn

from scripts.engines.batches import PrepareBatch
from scripts.inferers.batch import BatchInferer


class Placed(nn.Module):
    """Says the mean of a crop and its place, and whether it is in training."""

    def forward(self, image, location):
        flag = torch.full((len(image), 1), float(self.training))
        return torch.cat([image.mean((1, 2, 3, 4))[:, None], location, flag], 1).requires_grad_()


def test_it_gets_all_that_it_takes_in_evaluation_mode_and_without_gradients():
    batch = {"image": torch.randn(2, 1, 3, 3, 3), "location": torch.randn(2, 3), "scan": torch.tensor([0, 1])}
    run = BatchInferer(PrepareBatch(["image", "location"]), SimpleInferer(), "cpu")
    output = run(batch, Placed().train())
    expected = torch.cat([batch["image"].mean((1, 2, 3, 4))[:, None], batch["location"], torch.zeros(2, 1)], 1)
    assert torch.equal(output, expected)
