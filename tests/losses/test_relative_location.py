"""Relative location, where the answer is known, and on noise, where there is none."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import smooth_l1_loss

from scripts.errors import InputError
from scripts.losses.class_head import ClassHeadLoss
from scripts.losses.relative_location import RelativeLocationLoss
from scripts.transforms.jigsaw import distant_permutations

CELLS, REGIONS = [3, 3, 3], 5


class Difference(nn.Module):
    """Answers with what the other patch's embedding has more than the centre's."""

    def forward(self, pairs):
        centre, other = pairs.chunk(2, 1)
        return other - centre


@pytest.fixture
def target():
    """Places of all patches of five regions, in mm: cells of 44 mm, 4 mm of jitter."""
    grid = torch.tensor([*itertools.product(range(3), repeat=3)]) * 44.0
    place = 100 * torch.randn(REGIONS, 1, 3) + grid + 4 * torch.rand(REGIONS, 27, 3)
    return {"location": place.flatten(0, 1), "scan": torch.arange(REGIONS * 27)}


@pytest.fixture
def embedding():
    return torch.randn(REGIONS * 27, 8)


def pairs_of(embedding, target):
    """The two embeddings of all pairs, the number of each and what is between them in mm, one at a time."""
    for first in range(0, REGIONS * 27, 27):
        for number in range(26):
            other = first + (number if number < 13 else number + 1)
            moved = target["location"][other] - target["location"][first + 13]
            yield torch.cat([embedding[first + 13], embedding[other]]), number, moved


def test_the_cell_is_told_from_the_two_embeddings_of_each_of_all_pairs(embedding, target):
    head = nn.Linear(16, 26)
    each = [-head(pair).log_softmax(0)[number] for pair, number, _ in pairs_of(embedding, target)]
    loss = RelativeLocationLoss(head, CELLS, "all")(embedding, target)
    assert float(loss) == pytest.approx(float(torch.stack(each).mean()), rel=1e-5)


def test_the_cell_is_told_from_the_two_embeddings_of_one_pair_of_a_region():
    head, embedding, other = nn.Linear(16, 26), torch.randn(6, 8), [4, 25, 0]
    each = [-head(embedding[2 * i : 2 * i + 2].flatten()).log_softmax(0)[number] for i, number in enumerate(other)]
    loss = RelativeLocationLoss(head, CELLS)(embedding, {"other": torch.tensor(other).repeat_interleave(2)})
    assert float(loss) == pytest.approx(float(torch.stack(each).mean()), rel=1e-5)


def test_the_way_in_mm_is_told_from_the_two_embeddings_of_each_pair(embedding, target):
    head = nn.Linear(16, 3)
    each = [smooth_l1_loss(head(pair), moved) for pair, _, moved in pairs_of(embedding, target)]
    loss = RelativeLocationLoss(head, CELLS, "all", "mm")(embedding, target)
    assert float(loss) == pytest.approx(float(torch.stack(each).mean()), rel=1e-5)


@pytest.mark.parametrize(("answer", "numbers"), [("cell", 26), ("mm", 3)])
def test_answers_that_look_at_nothing_are_right_as_often_as_a_guess(embedding, target, answer, numbers):
    loss = RelativeLocationLoss(nn.Linear(16, numbers), CELLS, "all", answer)
    nn.init.zeros_(loss.head.weight)
    right = loss.correct(embedding, target).float()  # the same cell in each region, or the place nearest to one
    assert float(right.mean()) == pytest.approx(float(loss.chance(target).mean()))


def test_of_one_pair_that_is_right_whose_likeliest_cell_is_the_other_one():
    loss = RelativeLocationLoss(nn.Linear(2, 26), CELLS)
    nn.init.zeros_(loss.head.weight)
    loss.head.bias.data = torch.arange(26.0)  # always the last one
    target = {"other": torch.tensor([25, 25, 3, 3])}
    assert loss.correct(torch.randn(4, 1), target).tolist() == [True, False]
    assert torch.equal(loss.chance(target), torch.full((2,), 1 / 26))


def test_equal_answers_for_all_cells_cost_the_logarithm_of_their_number(embedding, target):
    head = nn.Linear(16, 26)
    nn.init.zeros_(head.weight), nn.init.zeros_(head.bias)
    assert float(RelativeLocationLoss(head, CELLS, "all")(embedding, target)) == pytest.approx(math.log(26))


def test_embeddings_that_are_places_solve_it_in_mm(target):
    loss = RelativeLocationLoss(Difference(), CELLS, "all", "mm")
    assert float(loss(target["location"], target)) == 0 and loss.correct(target["location"], target).all()


def test_an_answer_in_mm_is_right_where_no_other_cell_is_nearer(target):
    loss = RelativeLocationLoss(Difference(), CELLS, "all", "mm")
    moved = target["location"].clone()
    moved[13::27] += torch.tensor([30.0, 0, 0])  # more than half a cell: each looks like the one before it
    right = loss.correct(moved, target).reshape(REGIONS, 26)
    # which none is for the first nine; and the centre, which would be for the one behind it, is no answer
    assert right.nonzero()[:, 1].reshape(REGIONS, -1).tolist() == [[*range(9), 21]] * REGIONS


def test_answers_in_mm_that_are_always_the_same_are_right_once_in_26(target):
    loss = RelativeLocationLoss(Difference(), CELLS, "all", "mm")
    assert float(loss.correct(torch.zeros(REGIONS * 27, 3), target).float().mean()) == pytest.approx(1 / 26)


def test_where_the_whole_scan_lies_changes_nothing(embedding, target):
    loss = RelativeLocationLoss(nn.Linear(16, 3), CELLS, "all", "mm")
    moved = target | {"location": target["location"] + torch.tensor([10.0, -20, 30])}
    assert float(loss(embedding, moved)) == pytest.approx(float(loss(embedding, target)), rel=1e-5)


def test_all_patches_learn_from_all_pairs(embedding, target):
    embedding.requires_grad_()
    RelativeLocationLoss(nn.Linear(16, 26), CELLS, "all")(embedding, target).backward()
    assert embedding.grad.any(1).all()


def test_bfloat16_embeddings_are_compared_in_float32(embedding, target):
    loss = RelativeLocationLoss(nn.Linear(16, 26), CELLS, "all")
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(embedding.bfloat16(), target)
    assert torch.equal(value, loss(embedding.bfloat16().float(), target)) and value.dtype == torch.float32


def test_a_single_pair_cannot_be_normalised_and_one_sentence_says_so():
    loss = RelativeLocationLoss(nn.Sequential(nn.Linear(16, 26), nn.BatchNorm1d(26)), CELLS, "one")
    target = {"other": torch.tensor([3, 3])}
    with pytest.raises(InputError, match=r"single item.*raise batch_size"):
        loss(torch.randn(2, 8), target)
    assert loss.eval()(torch.randn(2, 8), target).isfinite()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"pairs": "few"}, "pairs is few: give one of one, all"),
        ({"answer": "km"}, "answer is km: give one of cell, mm"),
        ({"answer": "mm"}, "give --pairs all with it"),
        ({"cells": [2, 3, 3]}, r"cells is \[2, 3, 3\]: give odd numbers"),
        ({"cells": [1, 1, 1]}, r"cells is \[1, 1, 1\]"),
    ],
)
def test_what_there_is_not_is_refused(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        RelativeLocationLoss(**{"head": nn.Linear(16, 26), "cells": CELLS} | settings)


def held_out_accuracy(loss, make_batch, steps):
    """Of an encoder and a head that were fitted to batches, on one that they were not."""
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(27, 16), nn.ReLU(), nn.Linear(16, 8))
    optimizer = torch.optim.Adam([*encoder.parameters(), *loss.parameters()], lr=0.01)
    batches = [make_batch(8) for _ in range(4)]
    for step in range(steps):
        patches, target = batches[step % 4]
        optimizer.zero_grad()
        loss(encoder(patches), target).backward()
        optimizer.step()
    patches, target = make_batch(200)
    return float(loss.eval().correct(encoder(patches), target).float().mean())


def noise(regions):
    return torch.randn(regions * 27, 1, 3, 3, 3)


def shaded(regions):
    """Patches that say where they are from: by a direction of their own, and noise."""
    directions = torch.randn(27, 27, generator=torch.Generator().manual_seed(5))
    return noise(regions) + 2 * directions.repeat(regions, 1).reshape(-1, 1, 3, 3, 3)


def asked(make):
    return lambda regions: (make(regions), {"scan": torch.arange(regions * 27)})


def mixed_up(make, classes):
    """A batch whose patches are in the order of their class."""
    orders = torch.from_numpy(distant_permutations(classes, 27))

    def batch(regions):
        drawn = torch.randint(classes, (regions,))
        patches = make(regions).unflatten(0, (regions, 27))
        ordered = patches[torch.arange(regions)[:, None], orders[drawn]]
        return ordered.flatten(0, 1), {"permutation": drawn.repeat_interleave(27)}

    return batch


def test_where_a_patch_of_noise_lies_cannot_be_told():
    loss = RelativeLocationLoss(nn.Linear(16, 26), CELLS, "all")
    assert held_out_accuracy(loss, asked(noise), 100) == pytest.approx(1 / 26, abs=0.015)


def test_where_a_patch_lies_can_be_told_that_looks_like_its_place():
    loss = RelativeLocationLoss(nn.Linear(16, 26), CELLS, "all")
    assert held_out_accuracy(loss, asked(shaded), 100) > 0.5


def test_in_which_order_patches_of_noise_are_cannot_be_told():
    loss = ClassHeadLoss(nn.Linear(27 * 8, 20), 20, "permutation", 27)
    assert held_out_accuracy(loss, mixed_up(noise, 20), 100) == pytest.approx(1 / 20, abs=0.05)


def test_in_which_order_patches_are_can_be_told_that_look_like_their_places():
    loss = ClassHeadLoss(nn.Linear(27 * 8, 20), 20, "permutation", 27)
    assert held_out_accuracy(loss, mixed_up(shaded, 20), 200) > 0.5
