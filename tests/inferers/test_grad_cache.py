"""A batch in chunks has the gradient of the batch as a whole."""

import pytest
import torch
from monai.inferers import SimpleInferer
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef

from scripts.inferers.grad_cache import GradCacheInferer
from scripts.inferers.mixed_precision import MixedPrecisionInferer, supports_bfloat16
from scripts.losses.distance import DistanceLoss
from scripts.losses.nt_xent import NTXentLoss

CROPS = 8
LOSSES = {"distance": DistanceLoss, "nt-xent": NTXentLoss}


def encoder(*layers):
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv3d(1, 4, 3), *layers, nn.ReLU(), nn.Flatten(), nn.Linear(4 * 3**3, 6)).double()


def batch(name="distance"):
    """Crops, of two views where the loss takes as many, and where they are."""
    generator = torch.Generator().manual_seed(1)
    number = CROPS // 2 if name == "nt-xent" else CROPS
    image = torch.randn(CROPS, 1, 5, 5, 5, generator=generator, dtype=torch.float64)
    return image, {"location": 9 * torch.randn(number, 3, generator=generator, dtype=torch.float64)}


def step(network, inferer, name="distance"):
    """Value of a loss, and the gradient of the network."""
    image, target = batch(name)
    value = LOSSES[name]()(inferer(image, network), target)
    value.backward()
    return value.detach(), torch.cat([parameter.grad.flatten() for parameter in network.parameters()])


def in_chunks(size):
    return GradCacheInferer(SimpleInferer(), size)


@pytest.mark.parametrize("size", [1, 3, 4, CROPS, CROPS + 1])
@pytest.mark.parametrize("name", LOSSES)
def test_loss_and_gradient_are_those_of_the_whole_batch(name, size):
    for ours, whole in zip(step(encoder(), in_chunks(size), name), step(encoder(), SimpleInferer(), name), strict=True):
        assert torch.allclose(ours, whole, rtol=1e-9, atol=1e-12)


def test_further_inputs_follow_their_crops():
    class Scaled(nn.Module):
        def forward(self, image, factor):
            return image.flatten(1) * factor

    image, factor = torch.randn(5, 1, 2, 2, 2), torch.randn(5, 1)
    assert torch.equal(in_chunks(2)(image, Scaled(), factor), Scaled()(image, factor))


def test_what_is_dropped_is_the_same_in_both_passes():
    torch.manual_seed(3)
    network = nn.Sequential(nn.Flatten(), nn.Linear(125, 50).double(), nn.Dropout(0.5))
    output = in_chunks(3)(batch()[0], network)
    output.sum().backward()
    kept = (output != 0).sum(0)  # each output that was kept counts twice
    assert torch.allclose(network[1].bias.grad, 2 * kept.double())


def test_random_numbers_go_on_where_the_first_pass_left_them():
    output = in_chunks(3)(batch()[0], encoder(nn.Dropout(0.5)))
    state = torch.get_rng_state()
    output.sum().backward()
    assert torch.equal(torch.get_rng_state(), state)


def test_no_chunk_is_left_with_a_single_crop():
    sizes, network = [], encoder()
    network.register_forward_hook(lambda layer, inputs, output: sizes.append(len(output)))
    in_chunks(7)(batch()[0], network)
    assert sizes == [4, 4]


def test_each_chunk_is_normalised_by_itself():
    network, (image, _) = encoder(nn.BatchNorm3d(4)), batch()
    expected = torch.cat([network(chunk) for chunk in image.split(3)])
    assert torch.equal(in_chunks(3)(image, network), expected)


def test_running_statistics_are_those_of_one_pass():
    ours, once = encoder(nn.BatchNorm3d(4)), encoder(nn.BatchNorm3d(4))
    step(ours, in_chunks(3))
    for chunk in batch()[0].split(3):
        once(chunk)
    assert all(torch.equal(*pair) for pair in zip(ours.buffers(), once.buffers(), strict=True))


def test_the_gradient_is_that_of_chunks_normalised_by_themselves():
    def one_graph(image, network):
        return torch.cat([network(chunk) for chunk in image.split(3)])

    _, ours = step(encoder(nn.BatchNorm3d(4)), in_chunks(3))
    assert torch.allclose(ours, step(encoder(nn.BatchNorm3d(4)), one_graph)[1], rtol=1e-9, atol=1e-12)


def test_in_evaluation_it_is_the_network():
    network, (image, _) = encoder(nn.BatchNorm3d(4)).eval(), batch()
    with torch.no_grad():
        assert torch.allclose(in_chunks(3)(image, network), network(image), rtol=1e-9)


@pytest.mark.skipif(not supports_bfloat16(torch.device("cpu")), reason="this CPU has no bfloat16 instructions")
def test_both_passes_are_in_mixed_precision():
    types, network = [], encoder().float()
    network[0].register_forward_hook(lambda layer, inputs, output: types.append(output.dtype))
    GradCacheInferer(MixedPrecisionInferer(), 4)(batch()[0].float(), network).sum().backward()
    assert types == 4 * [torch.bfloat16]


def kept_after(inferer):
    """Whether each output of a layer is still in memory when the whole batch has gone through."""
    network, outputs = encoder(), []
    network[1].register_forward_hook(lambda layer, inputs, output: outputs.append(storage_of(output)))
    embedding = inferer(batch()[0], network)
    kept = [not output.expired() for output in outputs]
    embedding.sum().backward()
    return kept


def storage_of(tensor):
    return StorageWeakRef(tensor.untyped_storage())


def test_nothing_but_outputs_is_kept_for_the_gradient():
    assert kept_after(SimpleInferer()) == [True]
    assert kept_after(in_chunks(3)) == 3 * [False]
