"""Queues of keys, against lists."""

import logging

import pytest
import torch

from scripts.losses.key_queues import KeyQueues


def random_keys(number, places=3, subjects=4):
    return torch.randn(number, 2).half().float(), torch.randint(places, (number,)), torch.randint(subjects, (number,))


def held(queues, place):
    """Keys and subjects of a place, in any order."""
    filled = queues.subjects[place] >= 0
    return sorted(zip(queues.keys[place][filled].tolist(), queues.subjects[place][filled].tolist(), strict=True))


def test_each_place_holds_its_last_keys_however_many_come_at_once():
    queues, lists = KeyQueues(places=3, size=4, features=2), [[], [], []]
    for number in (1, 5, 2, 20, 3, 7):
        keys, place, subject = random_keys(number)
        queues.add(keys, place, subject)
        for key, at, of in zip(keys.tolist(), place.tolist(), subject.tolist(), strict=True):
            lists[at] = [*lists[at], (key, of)][-4:]
        assert [held(queues, at) for at in range(3)] == [sorted(items) for items in lists]


def test_no_key_is_of_the_subject_that_asks_nor_of_an_empty_slot():
    queues = KeyQueues(places=2, size=5, features=2)
    queues.add(torch.ones(3, 2), torch.tensor([1, 1, 1]), torch.tensor([7, 8, 7]))
    _, valid = queues.of(torch.tensor([1, 1, 1, 0]), torch.tensor([7, 8, 9, 7]))
    assert valid.sum(1).tolist() == [1, 2, 3, 0]


def test_the_first_subject_may_have_the_number_0():
    queues = KeyQueues(places=1, size=2, features=2)
    queues.add(torch.ones(1, 2), torch.tensor([0]), torch.tensor([0]))
    assert queues.of(torch.tensor([0, 0]), torch.tensor([0, 1]))[1].sum(1).tolist() == [0, 1]


def test_restored_queues_go_on_as_if_never_stopped():
    queues, restored = KeyQueues(3, 4, 2), KeyQueues(3, 4, 2)
    queues.add(*random_keys(9))
    restored.load_state_dict(queues.state_dict())
    later = random_keys(5)
    for each in (queues, restored):
        each.add(*later)
    assert all(map(torch.equal, queues.state_dict().values(), restored.state_dict().values()))


def test_what_the_queues_take_is_what_is_said(caplog):
    with caplog.at_level(logging.INFO):
        queues = KeyQueues(places=40, size=70, features=128)
    taken = sum(each.numel() * each.element_size() for each in (queues.keys, queues.subjects)) / 1e6
    assert f"40 places, 70 keys each, take {taken:.1f} MB" in caplog.text


def test_a_key_is_held_with_three_digits():
    queues, key = KeyQueues(1, 1, 128), torch.nn.functional.normalize(torch.randn(1, 128))
    queues.add(key, torch.tensor([0]), torch.tensor([5]))
    assert float(queues.of(torch.tensor([0]), torch.tensor([6]))[0][0] @ key[0]) == pytest.approx(1, abs=1e-3)
