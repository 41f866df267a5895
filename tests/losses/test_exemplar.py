"""The exemplar loss, against the triplets of the paper written out, and what noise does to it."""

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize, triplet_margin_with_distance_loss

from scripts.errors import InputError
from scripts.losses.exemplar import (
    ExemplarLoss,
    candidates,
    exemplar_loss,
    squared_distance,
)

SUBJECT = torch.tensor([4, 4, 1, 1, 7, 7])


@pytest.fixture
def views():
    """Embeddings [6, 5] of augmented crops and of their originals, two crops of each of three subjects."""
    original = torch.randn(6, 5, dtype=torch.float64)
    return original + torch.randn_like(original), original


def far(first, second):
    """Squared Euclidean distance of two vectors of length 1."""
    first, second = ([float(x) / float(vector.norm()) for x in vector] for vector in (first, second))
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))


def triplets(augmented, original, subject, margin):
    """Each triplet's cost, by the number of its augmented crop."""
    costs = []
    for i, anchor in enumerate(augmented):
        own = far(anchor, original[i])
        others = [far(anchor, original[j]) for j in range(len(original)) if subject[j] != subject[i]]
        costs.append([max(0.0, own - other + margin) for other in others])
    return costs


@pytest.mark.parametrize("margin", [0.1, 1.0, 3.0])
def test_it_is_the_mean_over_all_triplets(views, margin):
    costs = [cost for each in triplets(*views, SUBJECT, margin) for cost in each]
    assert len(costs) == 6 * 4
    assert float(ExemplarLoss(margin)(torch.cat(views), {"subject_number": SUBJECT})) == pytest.approx(
        sum(costs) / len(costs)
    )


@pytest.mark.parametrize("margin", [0.1, 1.0, 3.0])
def test_the_hardest_negative_is_that_which_costs_most(views, margin):
    costs = [max(each) for each in triplets(*views, SUBJECT, margin)]
    loss = ExemplarLoss(margin, "hardest")(torch.cat(views), {"subject_number": SUBJECT})
    assert float(loss) == pytest.approx(sum(costs) / len(costs))


def test_it_is_what_torchs_triplet_loss_costs_on_average_over_random_negatives(views):
    augmented, original = (normalize(view) for view in views)
    drawn = []
    for step in (2, 3, 4):  # derangements of the step, none of which leaves a subject to itself
        negatives = original.roll(step, 0)
        drawn.append(
            triplet_margin_with_distance_loss(
                augmented, original, negatives, distance_function=lambda a, b: (a - b).square().sum(1), margin=1.0
            )
        )
    pairs = torch.stack([torch.arange(6).roll(step) for step in (2, 3, 4)])
    asked = torch.zeros(6, 6, dtype=torch.bool).scatter(1, pairs.T, True)
    assert torch.isclose(exemplar_loss(squared_distance(*views), asked), torch.stack(drawn).mean())


def test_originals_that_are_found_again_and_orthogonal_have_a_closed_form():
    crops = torch.eye(4)
    distance, others = squared_distance(crops, crops), ~torch.eye(4, dtype=torch.bool)
    assert exemplar_loss(distance, others, margin=1.0) == 0  # 2 apart, and so beyond the margin
    assert exemplar_loss(distance, others, margin=2.5) == 0.5


@pytest.mark.parametrize("negatives", ["all", "hardest"])
def test_an_encoder_that_has_collapsed_costs_the_margin_and_finds_nothing(negatives):
    loss = ExemplarLoss(0.7, negatives)
    assert loss(torch.ones(12, 5), {"subject_number": SUBJECT}) == pytest.approx(0.7)
    assert not loss.correct(torch.ones(12, 5), {"subject_number": SUBJECT}).any()


def test_the_default_margin_is_kept_by_orthogonal_crops_and_so_stops_pushing():
    embedding = torch.eye(64).repeat(2, 1).requires_grad_()
    ExemplarLoss()(embedding, {"subject_number": torch.arange(64)}).backward()
    assert not embedding.grad.any()


def test_distances_are_those_between_directions(views):
    augmented, original = views
    expected = [[far(a, o) for o in original] for a in augmented]
    assert torch.allclose(squared_distance(augmented, original), torch.tensor(expected, dtype=torch.float64))
    assert torch.allclose(squared_distance(7 * augmented, original), squared_distance(augmented, original))


def test_bfloat16_embeddings_are_compared_in_float32(views):
    first, second = (view.bfloat16() for view in views)
    with torch.autocast("cpu", torch.bfloat16):
        distance = squared_distance(first, second)
    assert torch.equal(distance, squared_distance(first.float(), second.float()))


def test_bfloat16_embeddings_meet_the_head_in_float32(views):
    embedding, target = torch.cat(views).bfloat16(), {"subject_number": SUBJECT}
    loss = ExemplarLoss(head=nn.Linear(5, 3))
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(embedding, target)
    assert torch.equal(value, loss(embedding.float(), target)) and value.dtype == torch.float32


def test_embeddings_of_length_zero_give_numbers():
    embedding = torch.zeros(12, 5, requires_grad=True)
    ExemplarLoss()(embedding, {"subject_number": SUBJECT}).backward()
    assert embedding.grad.isfinite().all()


@pytest.mark.parametrize("negatives", ["all", "hardest"])
def test_the_gradient_is_that_of_finite_differences(views, negatives):
    def loss(augmented, original):
        return ExemplarLoss(negatives=negatives)(torch.cat([augmented, original]), {"subject_number": SUBJECT})

    assert torch.autograd.gradcheck(loss, tuple(view.requires_grad_() for view in views))


def test_crops_of_one_subject_are_no_negatives_of_each_other_where_there_is_another():
    assert torch.equal(candidates(SUBJECT), SUBJECT[:, None] != SUBJECT)


def test_crops_of_one_subject_are_all_that_there_is_where_there_is_no_other():
    assert torch.equal(candidates(torch.zeros(3)), ~torch.eye(3, dtype=torch.bool))


def test_a_step_of_one_subject_is_told_once(caplog):
    loss = ExemplarLoss()
    for _ in range(2):
        loss(torch.randn(8, 5), {"subject_number": torch.zeros(4)})
    assert caplog.text.count("crops of one subject alone") == 1


def test_a_step_of_several_subjects_needs_no_word(views, caplog):
    ExemplarLoss()(torch.cat(views), {"subject_number": SUBJECT})
    assert not caplog.text


def test_a_crop_is_right_where_its_own_original_is_the_nearest_of_the_candidates(views):
    distance, others = squared_distance(*views), candidates(SUBJECT)
    expected = [bool((distance[i, others[i]] > distance[i, i]).all()) for i in range(6)]
    assert 0 < sum(expected) < 6
    assert ExemplarLoss().correct(torch.cat(views), {"subject_number": SUBJECT}).tolist() == expected


def test_answers_keep_no_graph_of_what_they_are_of():
    loss, kept = ExemplarLoss(head=nn.Linear(5, 3)), []
    with torch.autograd.graph.saved_tensors_hooks(kept.append, lambda tensor: tensor):
        loss.correct(torch.randn(12, 5), {"subject_number": SUBJECT})
    assert not kept


def test_another_crop_of_its_subject_is_no_wrong_answer():
    original = torch.eye(6)
    augmented = original[[1, 0, 2, 3, 4, 5]]  # the first subject's two are exchanged
    assert ExemplarLoss().correct(torch.cat([0.5 * original + augmented, original]), {"subject_number": SUBJECT}).all()


def test_a_guess_is_right_once_among_the_candidates_and_its_own():
    assert ExemplarLoss().chance({"subject_number": SUBJECT}).tolist() == pytest.approx(6 * [1 / 5])
    assert ExemplarLoss().chance({"subject_number": torch.zeros(4)}).tolist() == 4 * [1 / 4]


def test_random_embeddings_are_right_as_often_as_a_guess():
    embedding, target = torch.randn(200, 2 * 6, 8), {"subject_number": SUBJECT}
    found = torch.cat([ExemplarLoss().correct(each, target) for each in embedding]).float().mean()
    assert float(found) == pytest.approx(1 / 5, abs=0.05)  # 1200 crops: three standard errors are 0.035


def test_one_head_is_behind_augmented_crops_and_originals(views):
    head = nn.Linear(5, 3).double()
    loss = ExemplarLoss(head=head)(torch.cat(views), {"subject_number": SUBJECT})
    assert torch.equal(loss, ExemplarLoss()(torch.cat([head(view) for view in views]), {"subject_number": SUBJECT}))
    loss.backward()
    assert head.weight.grad.abs().sum() > 0


def test_a_single_crop_is_refused():
    with pytest.raises(InputError, match=r"a single crop.*raise batch_size or crops_per_volume"):
        ExemplarLoss()(torch.randn(2, 5), {"subject_number": torch.tensor([0])})


def test_unknown_negatives_are_refused_with_those_that_there_are():
    with pytest.raises(InputError, match=r"negatives is few: give one of all, hardest"):
        ExemplarLoss(negatives="few")


@pytest.mark.parametrize("margin", [0, -1, "wide", None, float("nan"), True])
def test_a_margin_that_is_no_positive_number_is_refused(margin):
    with pytest.raises(InputError, match="margin is"):
        ExemplarLoss(margin)


class HeadEach(nn.Module):
    """What the public code of the paper does: a head of its own for each of the three of a triplet."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(8, 16) for _ in range(3))

    def forward(self, embedding, target):
        augmented, original = embedding.chunk(2)
        anchor, positive, negative = (
            normalize(head(view))
            for head, view in zip(self.heads, (augmented, original, original.roll(1, 0)), strict=True)
        )
        return triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=lambda a, b: (a - b).square().sum(1), margin=1.0
        )


def held_out(loss, make):
    """Loss and its target after a tiny encoder was trained with it, on embeddings [2 B, 8] of views never seen."""
    encoder, target = (
        nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 8)),
        {"subject_number": torch.arange(40)},
    )
    optimizer = torch.optim.Adam([*encoder.parameters(), *loss.parameters()], lr=0.02)
    for _ in range(100):
        optimizer.zero_grad()
        loss(encoder(make()), target).backward()
        optimizer.step()
    with torch.no_grad():
        embedding = encoder(make())
        return float(loss(embedding, target)), embedding, target


def noise():
    """Views that share nothing, [2 B, 30]."""
    return torch.randn(80, 30)


def crops():
    """Views that share something, [2 B, 30]."""
    shared = torch.randn(40, 30)
    return torch.cat([shared, shared]) + 0.3 * torch.randn(80, 30)


@pytest.mark.parametrize("negatives", ["all", "hardest"])
def test_noise_is_not_solved(negatives):
    loss = ExemplarLoss(negatives=negatives, head=nn.Linear(8, 16))
    value, embedding, target = held_out(loss, noise)
    assert value > 0.95
    assert loss.correct(embedding, target).float().mean() < 0.15  # 1/40 by chance


@pytest.mark.parametrize("negatives", ["all", "hardest"])
def test_views_that_share_something_find_each_other(negatives):
    loss = ExemplarLoss(negatives=negatives, head=nn.Linear(8, 16))
    value, embedding, target = held_out(loss, crops)
    assert value < 0.8 and loss.correct(embedding, target).float().mean() > 0.8


def test_noise_is_solved_where_each_of_a_triplet_has_a_head_of_its_own():
    assert held_out(HeadEach(), noise)[0] < 0.05
