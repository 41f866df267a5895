"""Accuracy and chance of a pretext task, over batches of any size."""

import pytest
import torch
from ignite.engine import Engine

from scripts.metrics.pretext import PretextAccuracy, PretextChance


class Known:
    """A loss whose answers and chances stand in the target."""

    def correct(self, embedding, target):
        return target["right"]

    def chance(self, target):
        return target["chance"]


def measured(*batches):
    engine = Engine(lambda _, batch: batch)
    PretextAccuracy(Known()).attach(engine, "accuracy")
    PretextChance(Known()).attach(engine, "chance")
    return engine.run(list(batches)).metrics


def batch(right, chance):
    return torch.zeros(1), {"right": torch.tensor(right), "chance": torch.tensor(chance)}


def test_each_item_counts_once_whatever_the_size_of_its_batch():
    metrics = measured(batch([True, False, True], [0.1] * 3), batch([False], [0.5]))
    assert metrics["accuracy"] == 0.5 and metrics["chance"] == pytest.approx(0.2)


def test_metrics_are_numbers_that_a_table_can_hold():
    assert all(isinstance(value, float) for value in measured(batch([True], [0.25])).values())


def test_an_epoch_does_not_remember_the_one_before():
    engine, metric = Engine(lambda _, batch: batch), PretextAccuracy(Known())
    metric.attach(engine, "accuracy")
    engine.run([batch([True], [0.1])])
    assert engine.run([batch([False], [0.1])]).metrics["accuracy"] == 0
