"""Contrastive predictive coding, where the answer is known."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot
from torch.utils._python_dispatch import TorchDispatchMode

from scripts.errors import InputError
from scripts.losses.cpc import CPCLoss, found, info_nce_loss
from scripts.networks.cpc_head import CPCHead


def slow_loss(predicted, codes, temperature):
    """Cross-entropy of finding each code by its prediction, one product at a time."""
    predicted, codes = predicted.tolist(), codes.tolist()

    def similarity(one, other):
        dot = sum(a * b for a, b in zip(one, other, strict=True))
        return dot / math.sqrt(sum(a * a for a in one)) / math.sqrt(sum(b * b for b in other))

    total = 0.0
    for number, prediction in enumerate(predicted):
        terms = [math.exp(similarity(prediction, code) / temperature) for code in codes]
        total -= math.log(terms[number] / sum(terms))
    return total / len(predicted)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
def test_it_is_the_formula(temperature):
    predicted, codes = torch.randn(2, 9, 5, dtype=torch.float64)
    assert float(info_nce_loss(predicted, codes, temperature)) == pytest.approx(
        slow_loss(predicted, codes, temperature), rel=1e-10
    )


def test_patches_that_are_all_alike_cost_the_logarithm_of_their_number():
    assert float(info_nce_loss(torch.randn(12, 4), torch.ones(12, 4))) == pytest.approx(math.log(12), rel=1e-5)


def test_predictions_that_are_right_have_a_closed_form():
    codes = torch.eye(6, dtype=torch.float64)
    assert float(info_nce_loss(codes, codes, 0.5)) == pytest.approx(math.log(1 + 5 * math.exp(-2)))


def test_the_size_of_a_code_changes_nothing():
    predicted, codes = torch.randn(2, 9, 5, dtype=torch.float64)
    scaled = info_nce_loss(predicted * 1e4, codes * torch.logspace(-4, 4, 9, dtype=torch.float64)[:, None])
    assert float(scaled) == pytest.approx(float(info_nce_loss(predicted, codes)), rel=1e-9)


def test_the_gradient_is_that_of_finite_differences():
    predicted, codes = (torch.randn(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda a, b: info_nce_loss(a, b, 0.3), (predicted, codes))


@pytest.mark.parametrize("codes", [torch.zeros(4, 3), torch.full((4, 3), 1e15), torch.ones(1, 3)])
def test_extreme_codes_give_numbers(codes):
    codes.requires_grad_()
    loss = info_nce_loss(codes, codes, 0.01)
    loss.backward()
    assert loss.isfinite() and codes.grad.isfinite().all()


def test_a_patch_is_found_where_none_is_as_similar():
    predicted = torch.tensor([[1.0, 0], [0.0, 1], [1.0, 1]])
    codes = torch.tensor([[1.0, 0.1], [0.1, 1], [-0.3, 1]])
    assert found(predicted, codes).tolist() == [True, True, False]


def test_patches_that_are_alike_are_not_found():
    codes = torch.tensor([[1.0, 0], [1.0, 0], [0.0, 1]])
    assert found(codes, codes).tolist() == [False, False, True]


def tiny_loss(directions="forward", cells=(4, 2, 2), embedding_size=6):
    torch.manual_seed(1)
    return CPCLoss(CPCHead(cells, embedding_size, code_size=8, context_size=8, directions=directions))


def target_of(patches):
    return {"scan": torch.zeros(patches)}


@pytest.mark.parametrize("directions", ["forward", "both"])
def test_the_loss_is_that_of_its_heads_predictions(directions):
    loss, embedding = tiny_loss(directions).double(), torch.randn(3 * 16, 6, dtype=torch.float64)
    slow = [slow_loss(*pairs, 0.1) for pairs in loss.head(embedding)]
    assert float(loss(embedding, target_of(48))) == pytest.approx(sum(slow) / len(slow), rel=1e-9)


@pytest.mark.parametrize(("directions", "items"), [("forward", 24), ("both", 48)])
def test_a_guess_finds_one_of_the_patches_that_a_step_predicts(directions, items):
    loss = tiny_loss(directions)
    assert torch.equal(loss.chance(target_of(48)), torch.full((items,), 1 / 24))
    assert loss.correct(torch.randn(48, 6), target_of(48)).shape == (items,)


def test_answers_follow_the_order_of_the_grids_in_all_directions():
    loss, embedding = tiny_loss("both"), torch.randn(48, 6)
    embedding[16:32] = 0  # whose codes are alike, so that nothing is found
    later, earlier = (found(*pairs).view(3, 8) for pairs in loss.head(embedding))
    correct = loss.correct(embedding, target_of(48)).view(3, 16)
    assert torch.equal(correct[2], torch.cat([later[2], earlier[2]]))
    assert not correct[1].any() and correct[[0, 2]].any()


def test_constant_scans_are_not_solved():
    loss, embedding = tiny_loss("both"), torch.ones(48, 6)
    assert float(loss(embedding, target_of(48))) == pytest.approx(math.log(24), rel=1e-4)
    assert not loss.correct(embedding, target_of(48)).any()


def test_bfloat16_embeddings_are_compared_in_float32():
    loss, embedding = tiny_loss(), torch.randn(48, 6).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(embedding, target_of(48))
    assert torch.equal(value, loss(embedding.float(), target_of(48)))


def test_the_encoder_and_all_of_the_head_learn():
    loss, embedding = tiny_loss("both"), torch.randn(48, 6, requires_grad=True)
    loss(embedding, target_of(48)).backward()
    assert embedding.grad.abs().sum(1).all()
    assert all(parameter.grad.abs().sum() > 0 for parameter in loss.parameters())


class LargestTensor(TorchDispatchMode):
    """How many numbers the largest tensor has that is made meanwhile."""

    numel = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        tensors = made if isinstance(made, (tuple, list)) else [made]
        self.numel = max(self.numel, *(tensor.numel() for tensor in tensors if isinstance(tensor, torch.Tensor)), 0)
        return made


def test_no_tensor_is_larger_than_predictions_times_candidates():
    loss, embedding = tiny_loss(), torch.randn(40 * 16, 6, requires_grad=True)
    with LargestTensor() as largest:
        loss(embedding, target_of(len(embedding))).backward()
    assert largest.numel == 320 * 320


def published_loss(predicted, codes, negative):
    """Taleb et al.'s code: binary cross-entropy of the mean of products, for a patch and for a single other one."""
    logits = torch.stack([(predicted * codes).mean(1), (predicted * codes[negative]).mean(1)])
    return binary_cross_entropy_with_logits(logits, torch.stack([torch.ones(len(codes)), torch.zeros(len(codes))]))


def test_the_published_mean_of_products_with_one_negative_of_the_same_scan_is_the_fault_that_is_mended():
    right = torch.eye(32, 1024)
    wrong = right.roll(1, 0)
    negative = torch.arange(32).roll(7)
    published = [float(published_loss(predicted, right, negative)) for predicted in (right, wrong)]
    assert published == pytest.approx([math.log(2)] * 2, abs=1e-3)
    assert float(info_nce_loss(right, right)) < 0.01 < math.log(32) < float(info_nce_loss(wrong, right))


def test_a_code_of_the_scan_alone_is_worth_what_it_rules_out_where_the_published_negative_asks_for_none():
    scan = torch.arange(4).repeat_interleave(8)
    codes = one_hot(scan, 1024).float() * 100
    assert float(info_nce_loss(codes, codes, 0.01)) == pytest.approx(math.log(8), rel=1e-4)
    same_scan = torch.arange(32).view(4, 8).roll(1, 1).flatten()
    assert float(published_loss(codes, codes, same_scan)) > math.log(2)


def held_out_accuracy(patches):
    """Share of patches that an encoder and its head find in grids that they were not fitted to, [R, 4, 2, 2, 12]."""
    torch.manual_seed(0)
    encoder, loss = nn.Linear(12, 6), tiny_loss()
    optimizer = torch.optim.Adam([*encoder.parameters(), *loss.parameters()], lr=0.02)
    seen, unseen = (half.reshape(-1, 12) for half in patches.chunk(2))
    for _ in range(80):
        optimizer.zero_grad()
        loss(encoder(seen), target_of(len(seen))).backward()
        optimizer.step()
    with torch.no_grad():
        return float(loss.correct(encoder(unseen), target_of(len(unseen))).float().mean())


def test_noise_is_not_solved():
    generator = torch.Generator().manual_seed(0)
    # 160 predictions, of which a guess finds one; more than five are found once in 1700 times
    assert held_out_accuracy(torch.randn(40, 4, 2, 2, 12, generator=generator)) <= 5 / 160


def test_what_patches_of_a_column_share_is_found():
    generator = torch.Generator().manual_seed(0)
    column = torch.randn(40, 1, 2, 2, 12, generator=generator)
    patches = column + torch.arange(4.0).view(1, 4, 1, 1, 1) + 0.1 * torch.randn(40, 4, 2, 2, 12, generator=generator)
    assert held_out_accuracy(patches) > 0.3


@pytest.mark.parametrize("temperature", [0, -1, "hot", None, float("nan"), True])
def test_a_temperature_that_is_no_positive_number_is_refused(temperature):
    with pytest.raises(InputError, match="temperature is"):
        CPCLoss(CPCHead([2, 1, 1], 2, 2, 2), temperature)
