"""The objective of CycleGAN, where the answer is known."""

import pytest
import torch
from monai.inferers import SimpleInferer
from torch import nn

from scripts.losses.adversary import Adversary
from scripts.losses.cycle import CycleLoss
from scripts.networks.cycle import Cycle


class Scaled(nn.Module):
    """A generator that multiplies, or a discriminator that judges by that."""

    def __init__(self, factor, as_list=False):
        super().__init__()
        self.factor, self.as_list = nn.Parameter(torch.tensor(factor)), as_list

    def forward(self, images):
        scaled = self.factor * images
        return [scaled] if self.as_list else scaled


def loss_of(source_judge=1.0, target_judge=1.0):
    adversaries = (Adversary(Scaled(judge, True), SimpleInferer()) for judge in (source_judge, target_judge))
    return CycleLoss(*adversaries, cycle_weight=10.0, identity_weight=0.5)


@pytest.fixture
def batch():
    source, target = torch.randn(2, 2, 1, 3, 3, 3)
    return {"source": source, "target": target}


def output(forth, back, batch):
    return Cycle(Scaled(forth), Scaled(back))(batch["source"], batch["target"])


def test_it_is_the_sum_of_the_papers_equations(batch):
    forth, back, of_source, of_target, total, ours = 2.0, 0.7, 0.3, 1.4, 0.0, 0.0
    pairs = [*zip(*(map(float, batch[key].flatten()) for key in ("source", "target")), strict=True)]
    for x, y in pairs:
        total += (of_target * forth * x - 1) ** 2 + (of_source * back * y - 1) ** 2
        total += 10 * (abs(back * forth * x - x) + abs(forth * back * y - y))
        total += 10 * 0.5 * (abs(back * x - x) + abs(forth * y - y))
        ours += ((of_target * forth * x) ** 2 + (of_target * y - 1) ** 2) / 2
        ours += ((of_source * back * y) ** 2 + (of_source * x - 1) ** 2) / 2
    loss, made = loss_of(of_source, of_target), output(forth, back, batch)
    assert float(loss(made, batch)) == pytest.approx(total / len(pairs), rel=1e-5)
    assert float(loss.discriminator_loss(made, batch)) == pytest.approx(ours / len(pairs), rel=1e-5)


def test_generators_that_undo_each_other_lose_nothing_in_a_cycle(batch):
    undone, not_undone = (float(loss_of()(output(2.0, back, batch), batch)) for back in (0.5, 0.6))
    adversarial = (2 * batch["source"] - 1).square().mean() + (0.5 * batch["target"] - 1).square().mean()
    identities = 10 * 0.5 * (0.5 * batch["source"].abs().mean() + batch["target"].abs().mean())
    assert undone == pytest.approx(float(adversarial + identities), rel=1e-5) and undone < not_undone


def test_scans_in_another_order_lose_as_much(batch):
    turned = batch | {"source": batch["source"].flip(0)}
    assert torch.isclose(loss_of()(output(2.0, 0.6, batch), batch), loss_of()(output(2.0, 0.6, turned), turned))


def test_both_generators_and_both_discriminators_learn(batch):
    cycle, loss = Cycle(Scaled(2.0), Scaled(0.6)), loss_of()
    loss(cycle(batch["source"], batch["target"]), batch).backward()
    assert all(one.grad != 0 for one in cycle.parameters()) and all(one.grad is None for one in loss.parameters())
    loss.discriminator_loss(cycle(batch["source"], batch["target"]), batch).backward()
    assert all(one.grad != 0 for one in loss.parameters())
