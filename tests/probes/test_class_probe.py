"""The linear classifier of several classes, where the answer is known."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from scripts.probes.class_probe import ClassProbe
from scripts.probes.logistic import LogisticProbe

pytest.importorskip("sklearn")


def draw(number, classes=3, features=6):
    """Features [N, D], the first of which tell the class, and labels."""
    labels = torch.arange(number) % classes
    return torch.randn(number, features) + 2 * torch.eye(features)[labels], labels.float()


def test_it_learns_what_decides():
    probe, (features, labels) = ClassProbe(*draw(200), *draw(80)), draw(300)
    assert (probe(features).argmax(1) == labels).float().mean() > 0.8


def test_noise_teaches_nothing():
    def noise(number):
        return torch.randn(number, 40), (torch.arange(number) % 4).float()

    features, labels = noise(400)
    correct = (ClassProbe(*noise(120), *noise(120))(features).argmax(1) == labels).float().mean()
    assert abs(correct - 0.25) < 0.1


@pytest.mark.parametrize("number", [150, 6])
def test_the_gradient_of_what_it_minimises_vanishes(number):
    """Also where there are as many features as crops."""
    features, labels = draw(number)
    probe = ClassProbe(features, labels, *draw(60))
    weights, intercept = probe.weights.clone().requires_grad_(), probe.intercept.clone().requires_grad_()
    standard = ((features.double() - features.double().mean(0)) / features.double().std(0)).clamp(-8, 8)
    loss = cross_entropy(standard @ weights.T + intercept, labels.long())  # classes are equally frequent
    (loss + probe.penalty / 2 * weights.square().sum()).backward()
    assert weights.grad.abs().max() < 1e-5 and intercept.grad.abs().max() < 1e-5


def test_of_two_classes_it_says_what_the_classifier_of_two_does():
    train, validate, (features, _) = (draw(number, classes=2) for number in (100, 60, 50))
    several, two = ClassProbe(*train, *validate), LogisticProbe(*train, *validate)
    assert several.penalty == two.penalty
    torch.testing.assert_close(several(features).softmax(1)[:, 1], two(features).sigmoid(), atol=1e-4, rtol=0)


def test_validation_may_lack_a_class():
    features, labels = draw(60)
    assert ClassProbe(features, labels, features[:2], labels[:2])(features).isfinite().all()
