"""Several processes as one."""

import torch
import torch.distributed as dist
from torch.distributed.nn.functional import all_gather

__all__ = ["gather", "gather_objects", "processes", "rank", "wait"]


def gather(tensor: torch.Tensor) -> torch.Tensor:
    """Concatenate a tensor over all processes; gradients reach the tensors of every process.

    Each process receives the gradient of the sum of all processes' losses, and `DistributedDataParallel` averages
    gradients: a loss of gathered tensors that every process computes in full has the gradient of one process with all
    data.

    Args:
        tensor: [B, ...], of one shape in all processes.

    Returns:
        [processes * B, ...]; `tensor` itself where there is one process.
    """
    if processes() > 1:
        return torch.cat(all_gather(tensor.contiguous()))
    return tensor


def gather_objects(item) -> list:
    """What every process gives, in the order of their numbers; each of them has to call this."""
    items = [item] * processes()
    if processes() > 1:
        dist.all_gather_object(items, item)
    return items


def processes() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Number of this process; 0 writes the files."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def wait() -> None:
    """Wait until all processes have come here."""
    if dist.is_available() and dist.is_initialized():
        dist.barrier()
