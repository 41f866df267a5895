"""A kernel of each crop's place: as a slow loop says, and no wider at its start than a plain one."""

import pytest
import torch
from torch import nn

from scripts.errors import InputError
from scripts.inferers.mixed_precision import MixedPrecisionInferer, supports_bfloat16
from scripts.networks.conditional_conv import ConditionalConv

# spatial_dims, size: more positions than experts, whose kernels are mixed, and fewer, whose outputs are
SIZES = [(3, 6), (3, 2), (2, 7), (2, 3)]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def slow(layer: ConditionalConv, x: torch.Tensor, place: torch.Tensor, **how) -> torch.Tensor:
    """W(l) of one sample after the other, summed over one expert after the other."""
    convolve = nn.functional.conv3d if x.dim() == 5 else nn.functional.conv2d
    outputs = []
    for one, where in zip(x, place, strict=True):
        says = 1 / (1 + torch.exp(-(layer.router.weight @ where + layer.router.bias)))
        kernel = sum(share * expert for share, expert in zip(says, layer.weight, strict=True))
        outputs.append(convolve(one[None], kernel, **how))
    return torch.cat(outputs)


def gradients(layer: nn.Module, output: torch.Tensor, *inputs: torch.Tensor) -> list[torch.Tensor]:
    weight = torch.linspace(-1, 1, output.numel()).reshape(output.shape)
    return list(torch.autograd.grad((output * weight).sum(), [*layer.parameters(), *inputs]))


def drawn(dims: int, size: int, channels: int = 3, crops: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Crops and their places, both of which want gradients."""
    x = torch.randn(crops, channels, *[size, size + 1, size][:dims], requires_grad=True)
    return x, (torch.rand(crops, 3) * 2 - 1).requires_grad_()


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(("dims", "size"), SIZES)
def test_it_says_what_a_loop_over_crops_and_experts_says(dims, size, stride):
    layer = ConditionalConv(dims, 3, 5, 3, stride, experts=16)
    x, place = drawn(dims, size)
    expected = slow(layer, x, place, stride=stride, padding=1)
    torch.testing.assert_close(layer(x, place), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("dims", "size"), SIZES)
def test_its_gradients_are_those_of_the_loop(dims, size):
    layer = ConditionalConv(dims, 3, 5, experts=16)
    x, place = drawn(dims, size)
    expected = gradients(layer, slow(layer, x, place, padding=1), x, place)
    found = gradients(layer, layer(x, place), x, place)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_sides_of_a_kernel_and_strides_can_differ():
    layer = ConditionalConv(3, 2, 4, (1, 3, 5), (1, 2, 1))
    x, place = drawn(3, 5, channels=2)
    expected = slow(layer, x, place, stride=(1, 2, 1), padding=(0, 1, 2))
    torch.testing.assert_close(layer(x, place), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [2, 6])
def test_without_a_place_it_is_in_the_middle_of_the_body(size):
    layer, (x, place) = ConditionalConv(3, 3, 5), drawn(3, size)
    torch.testing.assert_close(layer(x), layer(x, torch.zeros_like(place)))


def test_a_crop_is_seen_in_the_same_way_whatever_else_is_in_its_batch():
    layer, (x, place) = ConditionalConv(3, 3, 5), drawn(3, 6)
    torch.testing.assert_close(layer(x, place)[2:3], layer(x[2:3], place[2:3]))


@pytest.mark.parametrize("experts", [2, 8, 32])
def test_in_the_middle_its_kernels_begin_as_widely_as_those_of_a_plain_convolution(experts):
    layer, plain = ConditionalConv(3, 32, 64, experts=experts), nn.Conv3d(32, 64, 3)
    kernel = layer._kernels(torch.sigmoid(layer.router(torch.zeros(1, 3))))
    assert kernel.std().item() == pytest.approx(plain.weight.std().item(), rel=0.02)


def test_anywhere_else_its_output_begins_nearly_as_widely_as_that_of_a_plain_convolution():
    x, place = torch.randn(32, 16, 6, 6, 6), torch.rand(32, 3) * 2 - 1
    layers = [ConditionalConv(3, 16, 64) for _ in range(4)]
    wide = torch.stack([layer(x, place) for layer in layers]).std()
    plain = nn.Conv3d(16, 64, 3, padding=1, bias=False)(x).std()
    assert wide.item() == pytest.approx(plain.item(), rel=0.1)


def test_each_expert_begins_as_a_plain_convolution():
    layer, plain = ConditionalConv(3, 8, 16), nn.Conv3d(8, 16, 3)
    bound = plain.in_channels * 27
    assert layer.weight.abs().amax((1, 2, 3, 4, 5)).tolist() == pytest.approx([bound**-0.5] * 8, rel=0.01)


@pytest.mark.skipif(not supports_bfloat16(torch.device("cpu")), reason="this CPU has no bfloat16 instructions")
@pytest.mark.parametrize("size", [2, 6])
def test_in_mixed_precision_output_and_gradients_are_those_of_float32_within_bfloat16(size):
    layer, (x, place) = ConditionalConv(3, 8, 16), drawn(3, size, channels=8)
    outputs = [MixedPrecisionInferer(amp)(x, layer, place) for amp in (True, False)]
    assert (outputs[0] - outputs[1]).norm() < 0.02 * outputs[1].norm()
    for found, expected in zip(*(gradients(layer, output, x) for output in outputs), strict=True):
        assert (found - expected).norm() < 0.05 * expected.norm()


def test_torchscript_says_the_same_with_a_place_and_without():
    layer, (x, place) = ConditionalConv(3, 3, 5), drawn(3, 6)
    script = torch.jit.script(layer)
    torch.testing.assert_close(script(x, place), layer(x, place))
    torch.testing.assert_close(script(x), layer(x))


@pytest.mark.parametrize(("wrong", "said"), [({"experts": 1}, "experts is 1"), ({"spatial_dims": 4}, "spatial_dims")])
def test_what_it_cannot_be_is_refused(wrong, said):
    with pytest.raises(InputError, match=said):
        ConditionalConv(**{"spatial_dims": 3, "in_channels": 1, "out_channels": 2} | wrong)
