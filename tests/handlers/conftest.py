"""Processes of a training."""

import pytest
import torch


@pytest.fixture
def one_process(tmp_path):
    """Distributed training, as of one process that is on its own."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()
