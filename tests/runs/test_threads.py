"""As many threads compute as are asked for, else as OMP_NUM_THREADS says, else half of the processors."""

import os

import pytest
import torch

from scripts.runs.threads import use_threads


@pytest.fixture
def used(monkeypatch):
    """What torch was told, on a machine of 8 processors on which it may use all."""
    told = []
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    return told


def test_as_many_as_are_asked_for_compute_whatever_the_environment_says(used, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    use_threads(3)
    assert used == [3]


@pytest.mark.parametrize("said", ["4", "4,2"])
def test_what_the_environment_says_is_left_as_torch_has_read_it(used, monkeypatch, said):
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    use_threads(None)
    assert used == []


@pytest.mark.parametrize("said", ["", " ", "all"])
def test_an_environment_that_says_no_number_says_nothing(used, monkeypatch, said):
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    use_threads(None)
    assert used == [4]


def test_half_of_the_processors_compute(used):
    use_threads(None)
    assert used == [4]


@pytest.mark.parametrize("number", [1, None])
def test_one_thread_computes_where_there_is_one_processor_or_their_number_is_unknown(used, monkeypatch, number):
    monkeypatch.setattr(os, "cpu_count", lambda: number)
    use_threads(None)
    assert used == [1]


def test_no_more_compute_than_torch_may_use(used, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    use_threads(None)
    assert used == [2]
