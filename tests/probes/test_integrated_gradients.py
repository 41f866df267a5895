"""Attributions add up to what a function says, and are right where the answer is known."""

import pytest
import torch
from torch import nn

from scripts.errors import InputError
from scripts.probes.integrated_gradients import integrated_gradients, require_captum

pytest.importorskip("captum")


def test_a_linear_function_attributes_each_input_its_own_part():
    weight, inputs, baseline = torch.randn(4), torch.randn(3, 4), torch.randn(3, 4)
    found, error = integrated_gradients(lambda x: x @ weight, inputs, baseline, steps=3)
    torch.testing.assert_close(found, (inputs - baseline) * weight)
    assert error.abs().max() < 1e-5


def test_attributions_of_a_network_add_up_to_its_value_less_that_of_the_baseline():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0))
    inputs, baseline = 3 * torch.randn(5, 6), torch.zeros(5, 6)
    found, error = integrated_gradients(network, inputs, baseline, steps=64)
    value = (network(inputs) - network(baseline)).detach()
    torch.testing.assert_close(found.sum(1), value, atol=0.01, rtol=0)
    torch.testing.assert_close(found.sum(1) - value, error.float(), atol=1e-5, rtol=0)


def test_what_goes_with_each_input_stays_with_it():
    inputs, more = torch.randn(3, 2), torch.randn(3, 2)
    found, _ = integrated_gradients(lambda x, own: (x * own).sum(1), inputs, torch.zeros(3, 2), 4, more)
    torch.testing.assert_close(found, inputs * more)


def test_without_captum_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr("scripts.errors.find_spec", lambda name: None)
    with pytest.raises(InputError, match="An explanation needs captum, which is not installed: pip install captum"):
        require_captum()
