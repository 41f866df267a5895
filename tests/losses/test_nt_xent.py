"""NT-Xent, against SimCLR's equation 1 written out."""

import math

import pytest
import torch
from monai.losses import ContrastiveLoss
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from scripts.errors import InputError
from scripts.losses.nt_xent import NTXentLoss, nt_xent_loss, overlap


def paper_loss(first, second, temperature, ignored=None):
    """Algorithm 1 of arXiv 2002.05709, one pair at a time."""
    views = [[float(x) for x in row] for row in torch.cat([first, second])]
    number = len(first)

    def similarity(i, j):
        dot = sum(a * b for a, b in zip(views[i], views[j], strict=True))
        return dot / math.sqrt(sum(a * a for a in views[i])) / math.sqrt(sum(b * b for b in views[j]))

    total = 0.0
    for i in range(2 * number):
        j = (i + number) % (2 * number)
        others = [k for k in range(2 * number) if k != i]
        if ignored is not None:
            others = [k for k in others if k == j or not ignored[i % number][k % number]]
        denominator = sum(math.exp(similarity(i, k) / temperature) for k in others)
        total -= math.log(math.exp(similarity(i, j) / temperature) / denominator)
    return total / (2 * number)


@pytest.fixture
def views():
    """Embeddings [7, 5] of two views."""
    shared = torch.randn(7, 5, dtype=torch.float64)
    return shared + 0.5 * torch.randn_like(shared), shared + 0.5 * torch.randn_like(shared)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("shape", [(1, 3), (2, 3), (9, 20)])
def test_it_is_the_papers_equation(shape, temperature):
    first, second = torch.randn(2, *shape, dtype=torch.float64)
    expected = paper_loss(first, second, temperature)
    assert float(nt_xent_loss(first, second, temperature)) == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_it_is_monais_loss_where_that_one_works(views):
    first, second = (view.float() for view in views)
    stock = ContrastiveLoss(temperature=0.5)(first, second)
    assert float(nt_xent_loss(first, second, 0.5)) == pytest.approx(float(stock), rel=1e-5)


def test_views_that_are_all_alike_cost_the_logarithm_of_their_number():
    ones = torch.ones(6, 4, dtype=torch.float64)
    assert float(nt_xent_loss(ones, ones, 0.1)) == pytest.approx(math.log(11))


def test_orthogonal_crops_with_equal_views_have_a_closed_form():
    crops = torch.eye(6, dtype=torch.float64)
    expected = -math.log(math.exp(2) / (math.exp(2) + 10))
    assert float(nt_xent_loss(crops, crops, 0.5)) == pytest.approx(expected)


def test_the_order_of_crops_changes_nothing(views):
    order = torch.randperm(7)
    shuffled = nt_xent_loss(*(view[order] for view in views))
    assert float(shuffled) == pytest.approx(float(nt_xent_loss(*views)), rel=1e-12)


def test_views_may_be_exchanged(views):
    first, second = views
    assert float(nt_xent_loss(second, first)) == pytest.approx(float(nt_xent_loss(first, second)), rel=1e-12)


def test_the_length_of_an_embedding_changes_nothing(views):
    first, second = views
    scaled = nt_xent_loss(first * torch.logspace(-5, 5, 7, dtype=torch.float64)[:, None], second)
    assert float(scaled) == pytest.approx(float(nt_xent_loss(first, second)), rel=1e-9)


def test_turning_all_embeddings_changes_nothing(views):
    rotation = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    turned = nt_xent_loss(*(view @ rotation for view in views))
    assert float(turned) == pytest.approx(float(nt_xent_loss(*views)), rel=1e-10)


@pytest.mark.parametrize("ignored", [None, torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]]).bool()])
def test_the_gradient_is_that_of_finite_differences(views, ignored):
    first, second = (view[:3].clone().requires_grad_() for view in views)
    assert torch.autograd.gradcheck(lambda a, b: nt_xent_loss(a, b, 0.3, ignored), (first, second))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_temperature_one_hundredth_gives_numbers_where_monais_exponentials_overflow(dtype):
    first = torch.nn.functional.normalize(torch.randn(16, 8)).to(dtype).requires_grad_()
    loss = nt_xent_loss(first, first, 0.01)
    loss.backward()
    assert loss.isfinite() and loss.dtype == torch.float32 and first.grad.isfinite().all()
    assert not ContrastiveLoss(temperature=0.01)(first.float(), first.float()).isfinite()


def test_bfloat16_embeddings_are_compared_in_float32(views):
    first, second = (view.bfloat16() for view in views)
    with torch.autocast("cpu", torch.bfloat16):
        loss = nt_xent_loss(first, second, 0.01)
    assert torch.equal(loss, nt_xent_loss(first.float(), second.float(), 0.01))


class LargestTensor(TorchDispatchMode):
    """How many numbers the largest tensor has that is made meanwhile."""

    numel = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        tensors = made if isinstance(made, (tuple, list)) else [made]
        self.numel = max(self.numel, *(tensor.numel() for tensor in tensors if isinstance(tensor, torch.Tensor)), 0)
        return made


def largest_tensor(loss):
    first, second = (torch.randn(32, 16, requires_grad=True) for _ in range(2))
    with LargestTensor() as largest:
        loss(first, second).backward()
    return largest.numel


def test_no_tensor_is_larger_than_the_similarities_where_monais_are_d_times_as_large():
    assert largest_tensor(nt_xent_loss) == 64 * 64
    assert largest_tensor(ContrastiveLoss(temperature=0.5)) == 64 * 64 * 16


@pytest.mark.parametrize("embedding", [torch.zeros(4, 3), torch.full((4, 3), 1e15), torch.ones(1, 3)])
def test_extreme_embeddings_give_numbers(embedding):
    embedding.requires_grad_()
    loss = nt_xent_loss(embedding, embedding.detach(), 0.01)
    loss.backward()
    assert loss.isfinite() and embedding.grad.isfinite().all()


def test_ignored_crops_are_no_negatives(views):
    ignored = torch.rand(7, 7) < 0.4
    ignored |= ignored.T.clone() | torch.eye(7, dtype=torch.bool)
    expected = paper_loss(*views, 0.2, ignored)
    assert float(nt_xent_loss(*views, 0.2, ignored)) == pytest.approx(expected, rel=1e-10)


def test_without_negatives_there_is_nothing_to_tell_apart(views):
    assert float(nt_xent_loss(*views, 0.2, torch.ones(7, 7, dtype=torch.bool))) == 0


def test_crops_of_one_scan_overlap_where_they_share_voxels():
    voxel = torch.tensor([[0.0, 0, 0], [3, 5, 7], [4, 0, 0], [0, 6, 0], [0, 0, 0]])
    scan = torch.tensor([0, 0, 0, 0, 1])
    shared = overlap(voxel, scan, [4, 6, 8])
    expected = torch.eye(5, dtype=torch.bool)
    expected[0, 1] = expected[1, 0] = True  # less than a crop away on each axis
    expected[1, 2] = expected[2, 1] = True
    expected[1, 3] = expected[3, 1] = True
    assert torch.equal(shared, expected)


def test_crops_side_by_side_do_not_overlap_though_their_places_were_rounded():
    voxel = torch.tensor([[0.0, 0, 0], [31.9999, 0, 0]])
    assert not overlap(voxel, torch.zeros(2), [32, 32, 32])[0, 1]


def held_out_loss(first, second):
    """Loss of a linear encoder on views that it was not fitted to."""
    half = len(first) // 2
    encoder = nn.Linear(first.shape[1], 4)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        nt_xent_loss(encoder(first[:half]), encoder(second[:half]), 0.5).backward()
        optimizer.step()
    with torch.no_grad():
        return float(nt_xent_loss(encoder(first[half:]), encoder(second[half:]), 0.5))


def test_views_that_share_nothing_do_not_find_each_other():
    assert held_out_loss(torch.randn(200, 30), torch.randn(200, 30)) > math.log(199)


def test_views_that_share_something_find_each_other():
    shared = 3 * torch.randn(200, 4) @ torch.randn(4, 30)
    assert held_out_loss(shared + torch.randn(200, 30), shared + torch.randn(200, 30)) < math.log(199) - 1


@pytest.fixture
def target():
    return {"voxel": 10 * torch.randn(7, 3), "scan": torch.tensor([0, 0, 0, 0, 1, 1, 1])}


def test_the_module_takes_all_negatives_unless_told_otherwise(views, target):
    assert torch.equal(NTXentLoss(0.2)(torch.cat(views), target), nt_xent_loss(*views, 0.2))


def test_the_module_leaves_out_crops_that_overlap(views, target):
    loss = NTXentLoss(0.2, "disjoint", [12, 12, 12])(torch.cat(views), target)
    ignored = overlap(target["voxel"], target["scan"], [12, 12, 12])
    assert not torch.equal(ignored, torch.eye(7, dtype=torch.bool))
    assert torch.equal(loss, nt_xent_loss(*views, 0.2, ignored)) and loss < nt_xent_loss(*views, 0.2)


def test_crops_that_overlap_all_others_keep_them_as_negatives(views, target):
    target = target | {"scan": torch.zeros(7)}
    assert torch.equal(NTXentLoss(0.2, "disjoint", [999] * 3)(torch.cat(views), target), nt_xent_loss(*views, 0.2))


def test_a_head_is_between_the_embeddings_and_the_loss(views):
    head = nn.Linear(5, 3).double()
    loss = NTXentLoss(head=head)(torch.cat(views), {})
    assert torch.equal(loss, nt_xent_loss(*map(head, views)))
    loss.backward()
    assert head.weight.grad.abs().sum() > 0


def test_unknown_negatives_are_refused_with_those_that_there_are():
    with pytest.raises(InputError, match=r"negatives is few: give one of all, disjoint"):
        NTXentLoss(negatives="few")


@pytest.mark.parametrize("temperature", [0, -1, "hot", None, float("nan"), True])
def test_a_temperature_that_is_no_positive_number_is_refused(temperature):
    with pytest.raises(InputError, match="temperature is"):
        NTXentLoss(temperature)
