"""The linear classifier, where the answer is known."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from scripts.probes.logistic import LogisticProbe


@pytest.fixture
def task():
    """Features [N, 6] and labels of training, validation and test, of which the first feature decides."""

    def draw(number):
        features = torch.randn(number, 6)
        return features, (features[:, 0] + 0.1 * torch.randn(number) > 0.5).float()

    return draw(200), draw(80), draw(300)


def test_it_learns_what_decides(task):
    train, validate, (features, labels) = task
    correct = ((LogisticProbe(*train, *validate)(features) > 0) == labels).float().mean()
    assert correct > 0.85


def test_noise_teaches_nothing():
    def draw(number):
        return torch.randn(number, 50), torch.randint(2, (number,)).float()

    features, labels = draw(400)
    correct = ((LogisticProbe(*draw(100), *draw(100))(features) > 0) == labels).float().mean()
    assert abs(correct - 0.5) < 0.1


@pytest.mark.parametrize("number", [200, 4])
def test_the_gradient_of_what_it_minimises_vanishes(task, number):
    """Also where there are more features, 6, than crops."""
    (features, labels), validate, _ = task
    chosen = torch.cat([(labels == one).nonzero()[: number // 2, 0] for one in (0, 1)]) if number < 200 else slice(None)
    features, labels = features[chosen], labels[chosen]
    probe, features, labels = LogisticProbe(features, labels, *validate), features.double(), labels.double()
    weights, intercept = probe.weights.clone().requires_grad_(), probe.intercept.clone().requires_grad_()
    share = labels.mean()
    balance = torch.where(labels > 0, 0.5 / share, 0.5 / (1 - share))
    logits = (features - features.mean(0)) / features.std(0) @ weights + intercept
    loss = binary_cross_entropy_with_logits(logits, labels, weight=balance)
    (loss + probe.penalty / 2 * weights.square().sum()).backward()
    assert weights.grad.abs().max() < 1e-6 and intercept.grad.abs() < 1e-6


def test_validation_data_choose_the_penalty(task):
    train, validate, _ = task
    turned = validate[0], 1 - validate[1]
    assert LogisticProbe(*train, *train).penalty < LogisticProbe(*train, *turned).penalty == 100


def test_classes_that_differ_in_number_count_the_same():
    features = torch.cat([torch.randn(190, 1) - 1, torch.randn(10, 1) + 1])
    labels = (torch.arange(200) >= 190).float()
    probe = LogisticProbe(features, labels, features, labels)
    boundary = probe(torch.tensor([[-1.5], [1.5]]))
    assert boundary[0] < 0 < boundary[1] and abs(float(boundary.sum())) < 2


def test_separable_classes_have_finite_scores():
    features = torch.tensor([[-1.0], [-2], [1], [2]]).repeat(1, 9)
    labels = torch.tensor([0.0, 0, 1, 1])
    assert LogisticProbe(features, labels, features, labels)(features).isfinite().all()


def test_shift_and_scale_of_features_change_nothing(task):
    train, validate, (features, _) = task
    move = torch.rand(6) * 10 + 0.1
    moved = [(part * move + 3, labels) for part, labels in (train, validate)]
    first, second = LogisticProbe(*train, *validate)(features), LogisticProbe(*moved[0], *moved[1])(features * move + 3)
    assert torch.allclose(first, second, atol=1e-3)


def test_more_features_than_crops_are_no_obstacle():
    labels = torch.arange(20).float() % 2
    features = torch.randn(20, 300) + 0.5 * labels[:, None]
    assert LogisticProbe(features, labels, features, labels)(features).isfinite().all()


def test_one_feature_far_from_all_in_training_does_not_decide_alone(task):
    train, validate, (features, _) = task
    far = features.clone()
    far[:, 3] = 1e6
    probe = LogisticProbe(*train, *validate)
    assert (probe(far) - probe(features)).abs().max() < 20 * probe.weights.abs()[3]


def test_a_feature_that_never_varied_in_training_is_left_out(task):
    (features, labels), validate, _ = task
    features[:, 2] = 0.1
    changed = features.clone()
    changed[:, 2] = 9
    probe = LogisticProbe(features, labels, *validate)
    assert torch.allclose(probe(changed), probe(features))


def test_more_crops_than_features_need_no_more_memory_than_their_features(task, monkeypatch):
    shapes, plain = [], torch.linalg.qr
    monkeypatch.setattr(torch.linalg, "qr", lambda matrix: shapes.append(tuple(matrix.shape)) or plain(matrix))
    LogisticProbe(*task[0], *task[1])
    assert shapes == [(6, 6)]
