"""What discriminator and generator lose to each other, where the answer is known."""

import pytest
import torch
from monai.inferers import SimpleInferer
from monai.networks.nets import PatchDiscriminator
from torch import nn

from scripts.losses.adversary import Adversary


class Mean(nn.Module):
    """Judges an image by its voxels, as they are, times a weight; after another output."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, images):
        return [images.exp(), self.weight * images]


@pytest.fixture
def adversary():
    return Adversary(Mean(), SimpleInferer())


def written_out(values, wanted):
    return sum((value - wanted) ** 2 for value in values) / len(values)


def test_both_lose_the_squares_of_the_equations(adversary):
    made, real = torch.randn(2, 3, 1, 2, 2, 2)
    ours, theirs = ([float(value) for value in image.flatten()] for image in (made, real))
    assert float(adversary.generator_loss(made)) == pytest.approx(written_out(ours, 1), rel=1e-5)
    expected = (written_out(ours, 0) + written_out(theirs, 1)) / 2
    assert float(adversary.discriminator_loss(made, real)) == pytest.approx(expected, rel=1e-5)


def test_whoever_is_never_wrong_loses_nothing(adversary):
    ones, zeros = torch.ones(1, 1, 2, 2, 2), torch.zeros(1, 1, 2, 2, 2)
    assert float(adversary.generator_loss(ones)) == 0 == float(adversary.discriminator_loss(zeros, ones))
    assert float(adversary.discriminator_loss(ones, ones)) == 0.5


def test_each_of_the_two_losses_trains_one_of_the_two(adversary):
    made = torch.randn(1, 1, 2, 2, 2, requires_grad=True)
    adversary.generator_loss(made).backward()
    assert made.grad.any() and adversary.discriminator.weight.grad is None
    made.grad = None
    adversary.discriminator_loss(made, torch.ones(1, 1, 2, 2, 2)).backward()
    assert made.grad is None and adversary.discriminator.weight.grad != 0


def test_a_discriminator_of_patches_learns_to_tell_noise_from_what_is_smooth():
    discriminator = PatchDiscriminator(3, 4, 1, num_layers_d=1, norm="instance")
    adversary = Adversary(discriminator, SimpleInferer())
    optimizer = torch.optim.Adam(adversary.parameters(), 0.01)
    losses = []
    for _ in range(30):
        loss = adversary.discriminator_loss(
            torch.randn(4, 1, 8, 8, 8), torch.randn(4, 1, 1, 1, 1).expand(4, 1, 8, 8, 8)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 < losses[0]
