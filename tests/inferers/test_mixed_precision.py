"""Mixed precision that is faster and no less right."""

import pytest
import torch
from torch import nn

from scripts.inferers.mixed_precision import MixedPrecisionInferer, supports_bfloat16

needs_bfloat16 = pytest.mark.skipif(
    not supports_bfloat16(torch.device("cpu")), reason="this CPU has no bfloat16 instructions"
)


def gradients(inferer, network, image, weight):
    network.zero_grad()
    output = inferer(image, network)
    (output * weight).sum().backward()
    return output.detach(), [parameter.grad.clone() for parameter in network.parameters()]


def output_types(network, image, amp=True):
    types = []
    hooks = [
        layer.register_forward_hook(lambda layer, inputs, output: types.append(output.dtype))
        for layer in network.modules()
        if isinstance(layer, nn.Conv3d)
    ]
    MixedPrecisionInferer(amp)(image, network)
    for hook in hooks:
        hook.remove()
    return types


@pytest.mark.parametrize("amp", [False, True])
def test_the_output_is_float32(amp):
    assert MixedPrecisionInferer(amp)(torch.randn(2, 5), nn.Linear(5, 3)).dtype == torch.float32


def test_without_amp_it_is_the_plain_network():
    network, image = nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.ReLU()), torch.randn(2, 1, 6, 6, 6)
    assert torch.equal(MixedPrecisionInferer(amp=False)(image, network), network(image))


@needs_bfloat16
def test_with_amp_the_output_is_that_of_float32_within_bfloat16():
    network, image = nn.Conv3d(4, 4, 3, padding=1), torch.randn(2, 4, 6, 6, 6)
    output = MixedPrecisionInferer()(image, network)
    assert not torch.equal(output, network(image))
    assert torch.allclose(output, network(image), atol=0.05)


@needs_bfloat16
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
def test_torchs_garbage_gradient_of_bfloat16_convolutions_narrower_than_their_kernel_is_kept_out(layout):
    for repeat in range(8):
        torch.manual_seed(repeat)
        network = nn.Conv3d(128, 32, 3, padding=1, bias=False)
        image, weight = torch.randn(16, 128, 2, 2, 2).to(memory_format=layout), torch.randn(16, 32, 2, 2, 2)
        _, (expected,) = gradients(MixedPrecisionInferer(amp=False), network, image, weight)
        _, (gradient,) = gradients(MixedPrecisionInferer(), network, image, weight)
        assert (gradient - expected).norm() < 0.02 * expected.norm()


@needs_bfloat16
def test_wide_convolutions_run_in_bfloat16():
    assert output_types(nn.Conv3d(1, 2, 3), torch.randn(1, 1, 6, 6, 6)) == [torch.bfloat16]


@needs_bfloat16
def test_narrow_convolutions_alone_run_in_float32():
    network = nn.Sequential(
        nn.Conv3d(1, 4, 3, padding=1), nn.MaxPool3d(2), nn.Conv3d(4, 4, 3, padding=1), nn.Conv3d(4, 4, 1)
    )
    types = output_types(network, torch.randn(1, 1, 4, 4, 4))
    assert types == [torch.bfloat16, torch.float32, torch.bfloat16]


def test_without_bfloat16_instructions_the_network_runs_in_float32(monkeypatch):
    monkeypatch.setattr("scripts.inferers.mixed_precision.supports_bfloat16", lambda device: False)
    assert output_types(nn.Conv3d(1, 2, 3), torch.randn(1, 1, 6, 6, 6)) == [torch.float32]


@pytest.mark.parametrize("capability", ["avx512_bf16", "amx_bf16", "bf16"])
def test_each_kind_of_bfloat16_instruction_counts(monkeypatch, capability):
    capabilities = {"avx2": True, capability: False}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert not supports_bfloat16(torch.device("cpu"))
    capabilities[capability] = True
    assert supports_bfloat16(torch.device("cpu"))
