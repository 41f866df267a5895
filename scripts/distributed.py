"""Several processes as one."""

import functools
import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.nn.functional import all_gather
from torch.nn.parallel import DistributedDataParallel

from .errors import InputError

__all__ = [
    "across_processes",
    "as_in_first",
    "average_gradients",
    "by_first",
    "from_all",
    "from_first",
    "gather",
    "processes",
    "processes_here",
    "rank",
    "unwrapped",
    "wait",
]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Module = TypeVar("Module", bound=nn.Module)


def across_processes(module: nn.Module) -> nn.Module:
    """A module whose gradients are averaged over processes; itself where there is one, or where it learns nothing."""
    learns = any(parameter.requires_grad for parameter in module.parameters())
    return DistributedDataParallel(module) if processes() > 1 and learns else module


def as_in_first(module: Module) -> Module:
    """A module, with the weights that it has in the first process, whatever was drawn in this one.

    So begins a head that each process applies to what is gathered: its gradient is the same in all of them.
    """
    if processes() > 1:
        for tensor in (*module.parameters(), *module.buffers()):
            dist.broadcast(tensor.detach(), 0)
    return module


def average_gradients(module: nn.Module) -> None:
    """Give the parameters of a module, in each process, the mean of all processes' gradients.

    For one that cannot be within `DistributedDataParallel`, as it runs several times before a step.
    """
    if processes() > 1:
        for parameter in module.parameters():
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
                parameter.grad /= processes()


def by_first(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Have a function called in the first process alone, while the others wait for what it returns.

    An `InputError` that it raises is raised in all of them; it must not wait for other processes itself.
    """

    @functools.wraps(function)
    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        outcome: tuple = (None, None)
        if rank() == 0:
            try:
                outcome = (function(*args, **kwargs), None)
            except InputError as error:
                outcome = (None, error)
        result, refusal = from_first(outcome)
        if refusal:
            raise refusal
        return result

    return call


def from_all(item: Any) -> list:
    """An item of each process, such as a number or a dictionary, in all of them."""
    if processes() == 1:
        return [item]
    items: list = [None] * processes()
    dist.all_gather_object(items, item)
    return items


def from_first(item: Any) -> Any:
    """What the first process has, in all of them."""
    items = [item]
    if processes() > 1:
        dist.broadcast_object_list(items)
    return items[0]


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


def processes() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def processes_here() -> int:
    """How many of them share this machine, as torchrun says; all of them, where nothing says so."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", processes())) if processes() > 1 else 1


def rank() -> int:
    """Number of this process; 0 writes the files."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def unwrapped(item: Any) -> Any:
    """A network itself, if `DistributedDataParallel` is around it; whatever else as it is."""
    return item.module if isinstance(item, DistributedDataParallel) else item


def wait() -> None:
    """Wait until all processes have come here."""
    if dist.is_available() and dist.is_initialized():
        dist.barrier()
