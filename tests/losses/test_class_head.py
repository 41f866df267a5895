"""The class head: the cross-entropy of its answer, what is right, and that noise is not to be solved."""

import math

import pytest
import torch
from torch import nn

from scripts.errors import InputError
from scripts.losses.class_head import ClassHeadLoss
from scripts.transforms.rotation import ROTATIONS, rotate


def by_hand(logits, label):
    """Cross-entropy, one item at a time."""
    rows = [[float(x) for x in row] for row in logits]
    losses = [math.log(sum(map(math.exp, row))) - row[int(i)] for row, i in zip(rows, label, strict=True)]
    return sum(losses) / len(losses)


@pytest.fixture
def asked():
    """Embeddings [6, 4] and the classes of their items."""
    return torch.randn(6, 4), {"rotation": torch.tensor([2, 0, 1, 1, 0, 2]), "scan": torch.arange(6)}


def test_it_is_the_cross_entropy_of_the_heads_answer(asked):
    embedding, target = asked
    loss = ClassHeadLoss(nn.Linear(4, 3), 3, "rotation")
    expected = by_hand(loss.head(embedding), target["rotation"])
    assert float(loss(embedding, target).detach()) == pytest.approx(expected, rel=1e-5)


def test_a_head_that_says_nothing_costs_the_logarithm_of_the_number_of_classes(asked):
    loss = ClassHeadLoss(nn.Linear(4, 3), 3, "rotation")
    nn.init.zeros_(loss.head.weight), nn.init.zeros_(loss.head.bias)
    assert float(loss(*asked).detach()) == pytest.approx(math.log(3))


def test_an_answer_is_right_where_the_likeliest_class_is_the_items_own():
    target = {"rotation": torch.tensor([0, 1, 2])}
    said = torch.tensor([[3.0, 1, 2], [1, 2, 3], [-3, -2, -1]])
    assert ClassHeadLoss(nn.Identity(), 3, "rotation").correct(said, target).tolist() == [True, False, True]


def test_a_guess_reaches_one_of_so_many_classes_for_each_item(asked):
    assert ClassHeadLoss(nn.Linear(4, 3), 3, "rotation").chance(asked[1]).tolist() == pytest.approx(6 * [1 / 3])


def test_crops_of_one_item_are_asked_about_together_in_their_order():
    embedding, target = torch.randn(6, 4), {"order": torch.tensor([1, 1, 1, 0, 0, 0])}
    loss = ClassHeadLoss(nn.Linear(12, 2), 2, "order", crops=3)
    expected = by_hand(loss.head(torch.stack([embedding[:3].flatten(), embedding[3:].flatten()])), [1, 0])
    assert float(loss(embedding, target).detach()) == pytest.approx(expected, rel=1e-5)
    assert len(loss.correct(embedding, target)) == len(loss.chance(target)) == 2


def test_encoder_and_head_are_trained(asked):
    embedding, target = asked
    loss = ClassHeadLoss(nn.Linear(4, 3), 3, "rotation")
    embedding.requires_grad_()
    loss(embedding, target).backward()
    assert embedding.grad.abs().sum() > 0 and loss.head.weight.grad.abs().sum() > 0


def test_weights_have_plain_names(asked):
    assert list(ClassHeadLoss(nn.Linear(4, 3), 3, "rotation").state_dict()) == ["head.weight", "head.bias"]


def test_bfloat16_embeddings_are_answered_in_float32(asked):
    embedding, target = asked
    loss = ClassHeadLoss(nn.Linear(4, 3), 3, "rotation")
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(embedding.bfloat16(), target)
    assert torch.equal(value, loss(embedding.bfloat16().float(), target))


def test_a_single_item_cannot_be_normalised_and_one_sentence_says_so():
    loss = ClassHeadLoss(nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3)), 3, "rotation")
    target = {"rotation": torch.tensor([1])}
    with pytest.raises(InputError, match=r"single item.*raise batch_size or crops_per_volume"):
        loss(torch.randn(1, 4), target)
    assert loss.eval()(torch.randn(1, 4), target).isfinite()


def accuracy(images):
    """Of a small encoder and its head in telling rotations of images apart, held out from its training."""
    turns, label = ROTATIONS["slice"], torch.randint(4, [len(images)])
    images = torch.stack([rotate(image, turns[i]) for image, i in zip(images, label, strict=True)])
    encoder = nn.Sequential(nn.Conv3d(1, 8, 5, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(64, 16))
    loss, half = ClassHeadLoss(nn.Sequential(nn.ReLU(), nn.Linear(16, 4)), 4, "rotation"), len(images) // 2
    optimizer = torch.optim.Adam([*encoder.parameters(), *loss.parameters()], lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        loss(encoder(images[:half]), {"rotation": label[:half]}).backward()
        optimizer.step()
    return float(loss.correct(encoder(images[half:]), {"rotation": label[half:]}).float().mean())


def test_rotations_of_noise_are_not_told_apart():
    assert accuracy(torch.randn(400, 1, 7, 7, 7)) < 0.25 + 5 * (0.25 * 0.75 / 200) ** 0.5


def test_rotations_of_a_constant_are_not_told_apart():
    assert accuracy(torch.zeros(400, 1, 7, 7, 7)) < 0.25 + 5 * (0.25 * 0.75 / 200) ** 0.5


def test_rotations_of_what_has_an_upper_end_are_told_apart():
    slope = torch.linspace(-1, 1, 7)[:, None, None]
    assert accuracy(torch.randn(400, 1, 7, 7, 7) + 2 * slope) > 0.9
