"""Gradients are bounded, and a loss or a gradient that is no number never reaches the weights."""

import pytest
import torch

from scripts.errors import InputError
from scripts.handlers.gradient_clipping import FiniteLoss, GradientClipping


@pytest.fixture
def gradient(make_training):
    """A function: the gradient with which one optimizer step was made, as a vector."""

    def make(max_norm=None):
        training, steps = make_training(), []
        if max_norm is not None:
            GradientClipping(max_norm).attach(training.trainer)
        training.optimizer.register_step_pre_hook(
            lambda *_: steps.append(torch.cat([p.grad.flatten().clone() for p in training.network.parameters()]))
        )
        torch.manual_seed(0)
        training.trainer.run()
        return steps[0]

    return make


def test_a_large_gradient_is_scaled_down_before_the_step(gradient):
    plain, clipped = gradient(), gradient(max_norm=0.01)
    assert plain.norm() > 0.1
    assert torch.allclose(clipped, plain * 0.01 / plain.norm(), rtol=1e-3)


def test_a_small_gradient_stays_as_it_is(gradient):
    assert torch.equal(gradient(), gradient(max_norm=1e6))


def test_a_gradient_that_is_not_finite_never_reaches_the_weights(make_training):
    training = make_training()
    before = [parameter.clone() for parameter in training.network.parameters()]
    GradientClipping(2.0).attach(training.trainer)
    training.trainer.loss_function = lambda prediction, target: prediction.sum() * float("inf")
    with pytest.raises(InputError, match="The gradient is not finite in step 1"):
        training.trainer.run()
    assert all(torch.equal(old, new) for old, new in zip(before, training.network.parameters(), strict=True))


def test_a_head_of_the_loss_is_clipped_with_the_network(make_training):
    training, head, norms = make_training(), torch.nn.Linear(3, 2), []
    training.optimizer.add_param_group({"params": head.parameters()})
    training.trainer.loss_function = lambda embedding, target: 1e3 * head(embedding).square().sum()
    GradientClipping(0.5).attach(training.trainer)
    parameters = [*training.network.parameters(), *head.parameters()]
    training.optimizer.register_step_pre_hook(
        lambda *_: norms.append(float(torch.cat([p.grad.flatten() for p in parameters]).norm()))
    )
    training.trainer.run()
    assert norms == pytest.approx([0.5] * len(norms), rel=1e-3)


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
