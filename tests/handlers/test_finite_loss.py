"""A training whose loss is no number stops before the weights are spoilt."""

import pytest
import torch

from scripts.errors import InputError
from scripts.handlers.gradient_clipping import FiniteLoss


@pytest.fixture
def training(make_training):
    training = make_training()
    FiniteLoss().attach(training.trainer)
    return training


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_training_with_what_to_do(training, value):
    training.trainer.loss_function = lambda embedding, target: embedding.sum() * value
    with pytest.raises(InputError, match=r"step 1 \(epoch 1\).*learning_rate.*--resume true"):
        training.trainer.run()


def test_the_weights_stay_as_they_were(training):
    before = [parameter.detach().clone() for parameter in training.network.parameters()]
    training.trainer.loss_function = lambda embedding, target: embedding.sum() * float("nan")
    with pytest.raises(InputError):
        training.trainer.run()
    assert all(map(torch.equal, before, training.network.parameters()))


def test_a_finite_loss_passes(training):
    training.trainer.run()
    assert training.trainer.state.iteration == 3
