"""Metrics of predictions of subjects are the usual ones, of subjects that are drawn as often as is said."""

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, mean_absolute_error, r2_score, roc_auc_score

from scripts.metrics.outcome_metrics import class_metrics, placements, quantity_metrics

RANDOM = np.random.RandomState(0)
COUNTS = torch.from_numpy(np.stack([np.ones(40), RANDOM.randint(0, 4, 40)]))
REPEATED = [np.arange(40).repeat(often.int().numpy()) for often in COUNTS]  # the same draws as lists of subjects
ONE_FOLD = torch.zeros(40)


def test_a_quantitys_are_those_of_scikit_learn_and_numpy_in_each_draw():
    target = RANDOM.randn(40)
    predicted = target + RANDOM.randn(40)
    found = quantity_metrics(torch.from_numpy(predicted), torch.from_numpy(target), COUNTS)
    for draw, rows in enumerate(REPEATED):
        said, true = predicted[rows], target[rows]
        assert found["mae"][draw].item() == pytest.approx(mean_absolute_error(true, said))
        assert found["r2"][draw].item() == pytest.approx(r2_score(true, said))
        assert found["pearson_r"][draw].item() == pytest.approx(np.corrcoef(true, said)[0, 1])


@pytest.mark.parametrize("classes", [2, 3])
def test_those_of_classes_are_those_of_scikit_learn_in_each_draw(classes):
    target = np.arange(40) % classes
    scores = np.eye(classes)[target] + RANDOM.randn(40, classes).round(1)
    called = torch.from_numpy(scores).argmax(1)
    found = class_metrics(torch.from_numpy(scores), called, torch.from_numpy(target), ONE_FOLD, COUNTS)
    for draw, rows in enumerate(REPEATED):
        aucs = [roc_auc_score(target[rows] == one, scores[rows, one]) for one in range(classes)]
        assert found["auc"][draw].item() == pytest.approx(np.mean(aucs))
        expected = balanced_accuracy_score(target[rows], called[rows])
        assert found["balanced_accuracy"][draw].item() == pytest.approx(expected)


def test_scores_of_two_folds_are_not_compared():
    target, fold = torch.tensor([0, 1] * 4), torch.tensor([0] * 4 + [1] * 4)
    score = target + 10.0 * fold  # one fold's model says more of everybody
    both = torch.stack([-score, score], 1)
    for folds, expected in ((fold, 1.0), (torch.zeros(8), 0.75)):
        found = class_metrics(both, both.argmax(1), target, folds, torch.ones(1, 8).double())
        assert found["auc"].item() == expected


def test_folds_count_by_their_pairs_in_each_draw():
    fold, target = torch.arange(40) % 3, torch.arange(40) % 2
    scores = torch.from_numpy(RANDOM.randn(40, 2).round(1))
    found = class_metrics(scores, scores.argmax(1), target, fold, COUNTS)["auc"]
    for draw, rows in enumerate(REPEATED):
        aucs = []
        for one in range(2):
            said, own, part = scores[rows, one], target[rows] == one, fold[rows]
            pairs = own[:, None] & ~own & (part[:, None] == part)
            higher, same = said[:, None] > said, said[:, None] == said
            aucs.append(((higher + same / 2) * pairs).sum() / pairs.sum())
        assert found[draw].item() == pytest.approx(float(sum(aucs) / 2))


def test_a_fold_with_one_class_takes_no_part_in_an_auc():
    target, fold = torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 1])
    scores = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.6, 0.4]])
    found = class_metrics(scores, scores.argmax(1), target, fold, torch.ones(1, 4).double())
    assert found["auc"].item() == 1
    assert placements(scores, target, fold).isnan().tolist() == [False, False, True, True]


def test_placements_of_a_class_are_on_average_its_auc():
    target, scores = torch.arange(40) % 2, torch.from_numpy(RANDOM.randn(40, 1))
    both = torch.cat([-scores, scores], 1)
    placed = placements(both, target, ONE_FOLD)
    expected = roc_auc_score(target, scores[:, 0])
    assert placed[target == 1].mean().item() == pytest.approx(expected)
    assert placed[target == 0].mean().item() == pytest.approx(expected)
