"""A discriminator is trained in a step of its own, before the generator's."""

import pytest
import torch
from monai.data import DataLoader
from monai.engines import SupervisedTrainer
from monai.inferers import SimpleInferer
from monai.networks.nets import PatchDiscriminator
from torch import nn

from scripts.distributed import rank
from scripts.engines.batches import PrepareBatch
from scripts.handlers.discriminator_step import DiscriminatorStep
from scripts.losses.adversary import Adversary
from scripts.losses.paired_translation import PairedTranslationLoss

CROPS = 4


def trained(crops, batch_size, wrap=lambda network: network):
    """Weights of generator and discriminator after two steps of plain gradient descent."""
    torch.manual_seed(0)
    generator = nn.Conv3d(1, 1, 3, padding=1)
    discriminator = PatchDiscriminator(3, 2, 2, num_layers_d=1, norm="instance")
    loss = PairedTranslationLoss(Adversary(discriminator, SimpleInferer()), 1.0)
    network = wrap(generator)
    handler = DiscriminatorStep(loss, torch.optim.SGD(loss.parameters(), 0.1))
    SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=2,
        train_data_loader=DataLoader(crops, batch_size=batch_size),
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), 0.1),
        loss_function=loss,
        prepare_batch=PrepareBatch(),
        train_handlers=[handler],
        decollate=False,
    ).run()
    return [one.flatten().tolist() for module in (generator, discriminator) for one in module.parameters()]


@pytest.fixture
def crops():
    images = torch.randn(CROPS, 2, 1, 8, 8, 8)
    return [{"image": source, "source": source, "target": target, "covered": target > -2} for source, target in images]


def test_generator_and_discriminator_learn(crops, monkeypatch):
    after = trained(crops, CROPS)
    monkeypatch.setattr(torch.optim.SGD, "step", lambda self: None)
    assert all(one != other for one, other in zip(after, trained(crops, CROPS), strict=True) if len(one) > 1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="processes with a GPU cannot be forked")
def test_two_processes_with_half_of_the_crops_each_train_as_one_with_all(crops, in_two_processes):
    def half():
        return trained(crops[rank() :: 2], CROPS // 2, nn.parallel.DistributedDataParallel)

    expected = trained([*crops[::2], *crops[1::2]], CROPS)
    for weights in in_two_processes(half):
        for ours, theirs in zip(weights, expected, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-5)
