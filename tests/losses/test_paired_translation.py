"""The objective of pix2pix, where the answer is known."""

import pytest
import torch
from monai.inferers import SimpleInferer
from torch import nn

from scripts.losses.adversary import Adversary
from scripts.losses.paired_translation import PairedTranslationLoss, covered_difference


class Product(nn.Module):
    """Judges a pair by the product of its channels."""

    def forward(self, pair):
        return [pair[:, :1] * pair[:, 1:]]


def loss_of(discriminator, l1_weight=100.0):
    return PairedTranslationLoss(Adversary(discriminator, SimpleInferer()), l1_weight)


@pytest.fixture
def batch():
    source, target = torch.randn(2, 2, 1, 3, 3, 3)
    return pair(source, target)


def pair(source, target):
    return {"source": source, "target": target, "covered": torch.ones_like(target, dtype=torch.bool)}


def listed(*images):
    return zip(*(map(float, image.flatten()) for image in images), strict=True)


def test_it_is_the_equation_of_the_paper_with_least_squares(batch):
    made = torch.randn(2, 1, 3, 3, 3)
    triples = [*listed(batch["source"], batch["target"], made)]
    expected = sum((s * m - 1) ** 2 + 100 * abs(m - t) for s, t, m in triples) / len(triples)
    loss = loss_of(Product())
    assert float(loss(made, batch)) == pytest.approx(expected, rel=1e-5)
    expected = sum((s * m) ** 2 + (s * t - 1) ** 2 for s, t, m in triples) / 2 / len(triples)
    assert float(loss.discriminator_loss(made, batch)) == pytest.approx(expected, rel=1e-5)


def test_the_target_itself_loses_no_more_than_a_real_pair_is_doubted(batch):
    doubt = (batch["source"] * batch["target"] - 1).square().mean()
    assert torch.isclose(loss_of(Product())(batch["target"], batch), doubt)


def test_a_network_in_half_precision_has_its_loss_in_float32(batch):
    assert loss_of(Product())(batch["target"].bfloat16(), batch).dtype == torch.float32


class Undecided(nn.Module):
    """Judges all alike, so that what differs is the difference from the target."""

    def forward(self, pair):
        return [0 * pair[:, :1]]


def test_of_noise_nothing_is_made_that_is_nearer_to_other_noise_than_a_constant():
    network, loss = nn.Conv3d(1, 1, 3, padding=1), loss_of(Undecided(), l1_weight=1.0)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(200):
        source, target = torch.randn(2, 4, 1, 6, 6, 6)
        optimizer.zero_grad()
        loss(network(source), pair(source, target)).backward()
        optimizer.step()
    source, target = torch.randn(2, 64, 1, 6, 6, 6)
    found, constant = (loss(made, pair(source, target)) for made in (network(source), 0 * source))
    assert float(found) > 0.995 * float(constant)


def test_what_the_target_does_not_cover_teaches_neither_network(batch):
    batch["covered"][:, :, 1:] = False
    made, other = torch.randn(2, 2, 1, 3, 3, 3)
    other[:, :, :1] = made[:, :, :1]
    far = batch | {"target": torch.where(batch["covered"], batch["target"], 999)}
    loss = loss_of(Product())
    for judge in (loss, loss.discriminator_loss, covered_difference):
        assert torch.equal(judge(made, batch), judge(other, far))


def test_the_difference_is_a_mean_over_what_is_covered(batch):
    batch["covered"][0, :, 2] = False
    errors = [abs(m - t) for m, t, c in listed(1 + batch["target"], batch["target"], batch["covered"]) if c]
    assert float(covered_difference(1 + batch["target"], batch)) == pytest.approx(sum(errors) / len(errors), rel=1e-6)
    assert covered_difference(batch["source"], batch | {"covered": ~batch["covered"] & False}) == 0
