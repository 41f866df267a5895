"""Processes share an epoch of any length, in an order that the seed decides, and leave torch's own draws alone."""

from collections import Counter

import pytest
import torch
from torch.utils.data import RandomSampler

from scripts.data.repeated_sampler import RepeatedSampler


def drawn(items, number, processes=2, seed=0, epoch=1):
    """What each process draws."""
    samplers = [
        RepeatedSampler(range(items), number, num_replicas=processes, rank=i, seed=seed) for i in range(processes)
    ]
    for sampler in samplers:
        sampler.set_epoch(epoch)
    return [list(sampler) for sampler in samplers]


@pytest.mark.parametrize(("items", "number", "each"), [(10, 64, 32), (10, 4, 2), (5, 7, 4), (6, None, 3), (1, 6, 3)])
def test_processes_draw_equally_many_and_each_item_as_often_as_any_other(items, number, each):
    parts = drawn(items, number)
    assert [len(part) for part in parts] == [each, each]
    times = Counter(item for part in parts for item in part)
    assert max(times.values()) - min(times[item] for item in range(items)) <= 1


def test_processes_share_a_round_of_all_items():
    first, second = drawn(8, None)
    assert sorted(first + second) == list(range(8))


def test_seed_and_epoch_decide():
    assert drawn(20, 40) == drawn(20, 40)
    assert drawn(20, 40) != drawn(20, 40, seed=1) and drawn(20, 40) != drawn(20, 40, epoch=2)


def test_what_torch_draws_next_is_not_changed():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    drawn(20, 40)
    assert torch.equal(torch.rand(3), expected)


def test_one_process_has_as_many_as_the_sampler_of_one():
    (part,) = drawn(7, 24, processes=1)
    alone = Counter(RandomSampler(range(7), num_samples=24))
    assert sorted(Counter(part).values()) == sorted(alone.values())
