"""Gradients are bounded, and a loss or a gradient that is no number never reaches the weights."""

import re

import pytest
import torch

from scripts.errors import InputError
from scripts.handlers.checkpoint import SaveCheckpoint
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
def training(make_training, tmp_path):
    """A training of six scans, two a step, with a checkpoint at the end of each epoch."""
    training = make_training(3)
    scans = [{"scan": number, "image": f"/scans/head_{number}.nii.gz"} for number in range(6)]
    FiniteLoss(scans, tmp_path / "checkpoint.pt").attach(training.trainer)
    SaveCheckpoint(tmp_path / "checkpoint.pt", {"network": training.network}).attach(training.trainer)
    return training


def spoil(training, step, factor):
    """Let a loss be multiplied by what is no number in one step, and return a function: the scans of that step."""
    trainer, loss = training.trainer, training.trainer.loss_function
    trainer.loss_function = lambda *args: loss(*args) * (factor if trainer.state.iteration == step else 1)
    return lambda: {f"/scans/head_{int(number)}.nii.gz" for number in trainer.state.batch["scan"]}


def gradient_is_infinite(training, step):
    """Let a gradient be infinite in one step, and return a function: the scans of that step."""
    weight = training.network.layers[-1].weight
    weight.register_hook(lambda grad: grad * float("inf") if training.trainer.state.iteration == step else grad)
    return spoil(training, step, 1)


FAULTS = {
    "The loss is nan": lambda training, step: spoil(training, step, float("nan")),
    "The loss is inf": lambda training, step: spoil(training, step, float("inf")),
    "The gradient is not finite": gradient_is_infinite,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_scans_of_the_step_and_the_last_good_checkpoint_are_named(training, tmp_path, fault):
    scans = FAULTS[fault](training, 5)
    with pytest.raises(InputError) as error:
        training.trainer.run()
    text = str(error.value)
    assert text.startswith(f"{fault} in step 5 (epoch 2), with crops of /scans/head_")
    assert set(re.findall(r"/scans/\S+?\.nii\.gz", text)) == scans() and len(scans()) == 2
    assert f"{tmp_path / 'checkpoint.pt'}, of epoch 1, is good: continue from it with --amp false --resume true" in text


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_finite_never_reaches_the_weights_nor_the_checkpoint(training, tmp_path, fault):
    FAULTS[fault](training, 4)
    with pytest.raises(InputError):
        training.trainer.run()
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["network"]
    assert all(torch.equal(kept[name], value) for name, value in training.network.state_dict().items())


def test_a_training_that_has_no_checkpoint_yet_is_begun_anew(training):
    spoil(training, 2, float("nan"))
    with pytest.raises(InputError, match="No checkpoint was saved before: begin anew, with a lower learning_rate"):
        training.trainer.run()


def test_a_finite_training_passes(training):
    training.trainer.run()
    assert training.trainer.state.iteration == 9
