"""Rules by which passes become one segmentation, beside a slow loop over voxels."""

import pytest
import torch

from scripts.inferers.combination import COMBINATIONS
from scripts.inferers.passes import over_passes


def of(*passes):
    """Passes over one voxel, from probabilities of its classes."""
    return over_passes([torch.tensor([one]).log().reshape(1, -1, 1, 1, 1) for one in passes])


def segmented(rule, passes):
    return COMBINATIONS[rule](passes).argmax(1).flatten().tolist()


def slow(rule, mean, votes):
    """The class of one voxel."""
    classes = list(range(len(mean)))
    if rule == "mean":
        return max(classes, key=lambda k: mean[k])
    if rule == "union" and any(votes[1:]):
        classes = classes[1:]
    return max(classes, key=lambda k: (votes[k], mean[k]))


@pytest.mark.parametrize("rule", COMBINATIONS)
@pytest.mark.parametrize("count", [2, 3, 10])
def test_a_segmentation_is_that_of_a_loop(rule, count):
    passes = over_passes(torch.randn(count, 1, 4, 6, 6, 6))  # full of ties where there are two
    mean, votes = (one.flatten(2)[0].T.tolist() for one in (passes.probability, passes.votes))
    assert segmented(rule, passes) == [slow(rule, *voxel) for voxel in zip(mean, votes, strict=True)]


@pytest.mark.parametrize("rule", COMBINATIONS)
def test_scores_are_shares_as_probabilities_are(rule):
    scores = COMBINATIONS[rule](over_passes(torch.randn(3, 2, 4, 5, 5, 5)))
    assert scores.min() >= 0 and torch.allclose(scores.sum(1), torch.ones(2, 5, 5, 5))


def test_rules_differ_where_they_should():
    hesitant = of([0.45, 0.55], [0.45, 0.55], [0.9, 0.1])
    assert [segmented(rule, hesitant) for rule in ("mean", "majority", "union")] == [[0], [1], [1]]
    rare = of([0.9, 0.1], [0.9, 0.1], [0.4, 0.6])
    assert [segmented(rule, rare) for rule in ("mean", "majority", "union")] == [[0], [0], [1]]


@pytest.mark.parametrize(("passes", "winner"), [([[0.4, 0.6], [0.7, 0.3]], 0), ([[0.3, 0.7], [0.6, 0.4]], 1)])
def test_of_classes_with_as_many_votes_the_one_with_the_higher_mean_wins(passes, winner):
    assert segmented("majority", of(*passes)) == [winner]


def test_of_several_structures_the_union_takes_the_one_with_more_votes_then_the_higher_mean():
    assert segmented("union", of([0.1, 0.5, 0.4], [0.1, 0.5, 0.4], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0])) == [1]
    assert segmented("union", of([0.1, 0.5, 0.4], [0.0, 0.1, 0.9], [1.0, 0.0, 0.0])) == [2]


def test_no_mean_outweighs_a_vote():
    almost_sure = of(*[[0.49, 0.51]] * 501, *[[1.0, 0.0]] * 499)
    assert segmented("majority", almost_sure) == [1] and segmented("mean", almost_sure) == [0]
