"""Ridge regression that leaves subjects out to choose its penalty."""

import numpy as np
import pytest
import torch

from scripts.probes.subject_ridge import PENALTIES, SubjectRidge

SUBJECTS = np.array(["A"] * 9 + ["B"] * 11 + ["C"] * 10 + ["D"] * 8 + ["E"] * 12)


@pytest.fixture(params=[12, 90], ids=["more crops", "more features"])
def task(request):
    """Features [50, D] with an offset of each subject, and two targets of very different size."""
    features = torch.randn(50, request.param).double() + 5
    features += torch.from_numpy(np.random.randn(5, request.param)[np.unique(SUBJECTS, return_inverse=True)[1]])
    weights = torch.randn(request.param, 2).double() / request.param**0.5
    return features, (features @ weights + torch.randn(50, 2)) * torch.tensor([1, 1000]) + 7


def ridge(features, targets, total, asked):
    """The solution of the normal equations, with a constant that is not shrunk."""
    mean, target_mean = features.mean(0), targets.mean(0)
    x = features - mean
    weights = torch.linalg.solve(x.T @ x + total * torch.eye(x.shape[1]), x.T @ (targets - target_mean))
    return (asked - mean) @ weights + target_mean


def left_out_error(features, targets, penalty):
    """By refitting without each subject."""
    missed = []
    for subject in np.unique(SUBJECTS):
        kept = torch.from_numpy(subject != SUBJECTS)
        said = ridge(features[kept], targets[kept], penalty * len(features), features[~kept])
        missed.append((said - targets[~kept]) / targets.std(0))
    return float(torch.cat(missed).square().mean())


def test_its_penalty_is_the_best_for_subjects_that_are_left_out(task):
    errors = {penalty: left_out_error(*task, penalty) for penalty in PENALTIES if penalty > 1e-5}
    best = min(errors, key=errors.get)
    probe = SubjectRidge(task[0], SUBJECTS).fit(task[1])
    assert probe.penalty == best
    assert probe.error == pytest.approx(errors[best], rel=1e-6)


def test_it_is_ridge_regression_with_this_penalty(task):
    probe, asked = SubjectRidge(task[0], SUBJECTS).fit(task[1]), torch.randn(7, task[0].shape[1]).double()
    assert torch.allclose(probe(asked), ridge(*task, probe.penalty * 50, asked))


def test_targets_count_alike_whatever_their_unit(task):
    features, targets = task
    probe = SubjectRidge(features, SUBJECTS)
    assert probe.fit(targets).penalty == probe.fit(targets * torch.tensor([1e6, 1])).penalty


def test_a_target_that_never_varies_is_predicted_as_it_is(task):
    features, targets = task
    targets[:, 1] = 3
    assert torch.allclose(SubjectRidge(features, SUBJECTS).fit(targets)(features)[:, 1], torch.tensor(3.0).double())
