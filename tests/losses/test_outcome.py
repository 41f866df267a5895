"""Objectives of outcomes, where the answer is known, and what outputs mean."""

import math

import numpy as np
import pytest
import torch
from ignite.metrics import EpochMetric

from scripts.data.outcome import Outcome
from scripts.errors import InputError
from scripts.losses.cox import CoxLoss
from scripts.losses.outcome import ClassLoss, OverWindows, QuantityLoss, outcome_loss

NAMES, NONE = ["A", "B", "C", "D"], np.empty((4, 0))


def test_of_equal_logits_the_loss_of_classes_is_the_log_of_their_number():
    loss = ClassLoss([3, 1, 4])(torch.zeros(5, 3), torch.tensor([[0.0], [1], [2], [2], [0]]))
    assert float(loss) == pytest.approx(math.log(3))


def test_classes_count_the_same_whatever_their_sizes():
    logits, target = torch.randn(4, 2), torch.tensor([[0.0], [0], [0], [1]])
    each = -logits.log_softmax(1)
    expected = (each[:3, 0].mean() + each[3, 1]) / 2
    torch.testing.assert_close(ClassLoss([3, 1])(logits, target), expected)


def test_another_number_of_outputs_is_refused():
    with pytest.raises(InputError, match="The network has 1 outputs for 2 classes"):
        ClassLoss([3, 1])(torch.zeros(2, 1), torch.zeros(2, 1))


def test_the_mean_of_training_has_the_loss_1_and_is_what_0_means():
    known = torch.tensor([[10.0], [20], [60]])
    loss = QuantityLoss(float(known.mean()), float(known.std(correction=0)))
    assert float(loss(torch.zeros(3, 1), known)) == pytest.approx(1)
    assert loss.predict(torch.tensor([[0.0], [1]])).tolist() == pytest.approx([30, 30 + float(known.std(correction=0))])


def test_what_is_said_of_the_truth_has_no_loss():
    loss, said = QuantityLoss(50, 20), torch.randn(6, 1)
    assert float(loss(said, loss.predict(said)[:, None])) == pytest.approx(0, abs=1e-6)


def test_the_output_of_a_scan_is_the_mean_of_its_windows():
    windows, target = torch.randn(6, 1), torch.tensor([[3.0]] * 3 + [[7.0]] * 3)
    expected = QuantityLoss(5, 2)(windows.reshape(2, 3).mean(1, keepdim=True), torch.tensor([[3.0], [7]]))
    torch.testing.assert_close(OverWindows(QuantityLoss(5, 2), [1, 3, 1])(windows, target), expected)


def test_an_epoch_metric_of_ignite_is_the_loss_of_all_batches_at_once():
    loss, output, target = (
        OverWindows(CoxLoss(), [1, 2, 1]),
        torch.randn(8, 1),
        torch.rand(4, 2).repeat_interleave(2, 0),
    )
    metric = EpochMetric(loss, check_compute_fn=False)
    for first in (0, 4):
        metric.update((output[first : first + 4], target[first : first + 4]))
    assert metric.compute() == pytest.approx(float(loss(output, target)))


def test_the_kind_of_an_outcome_decides():
    classes = Outcome("sex", NAMES, np.array([0, 1, 1, 1]), ("f", "m"), None, NONE)
    age = Outcome("age", NAMES, np.array([20.0, 30, 40, 99]), (), 50.0, NONE)
    time = Outcome("time", NAMES, np.arange(1.0, 5), (), None, NONE, np.array([True, False, True, True]))
    trained = {"A", "B", "C"}
    assert outcome_loss(classes, trained).weight.tolist() == [1, 0.5]
    assert outcome_loss(age, trained).mean == 30  # of those who are trained on
    assert isinstance(outcome_loss(time, trained), CoxLoss)
