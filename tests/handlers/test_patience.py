"""A training waits for other processes, but not for ever."""

import time

import pytest
import torch.distributed as dist
from ignite.engine import Engine

from scripts.distributed import rank, wait
from scripts.handlers.patience import Patience


def train(minutes):
    """A step in which processes meet, with such patience."""
    engine = Engine(lambda *_: wait())
    Patience(minutes).attach(engine)
    engine.run([0])


def seconds_alone():
    """How long a process waits for one that is silent in the second step; None in the silent one."""
    train(0.02)
    if rank():
        return time.sleep(3)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="gloo"):
        wait()
    return time.monotonic() - start


def late():
    """Whether a process that comes later to its training than its patience is waited for."""
    if rank():
        time.sleep(2)
    train(0.02)
    dist.barrier()
    return True


def test_a_process_that_no_longer_answers_is_waited_for_as_long_as_patience_says(in_two_processes):
    seconds, _ = in_two_processes(seconds_alone)
    assert 1 < seconds < 2.5


def test_before_the_first_step_patience_does_not_count(in_two_processes):
    assert in_two_processes(late) == [True, True]


def test_one_process_waits_for_nobody():
    train(0.02)
