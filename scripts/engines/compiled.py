"""Whether networks can be compiled here, before a training counts on it."""

import time

import torch

from ..errors import InputError, shorten

__all__ = ["require_compiler"]


def require_compiler(device: torch.device | str) -> bool:
    """True, where `torch.compile` works on a device.

    Raises:
        InputError: it does not, as where there is no C++ compiler.
    """
    number = time.time()  # what was compiled before needs no compiler
    try:
        torch.compile(lambda tensor: tensor * number, dynamic=False)(torch.ones(2, device=device))
    except Exception as error:  # which kind depends on what is missing
        why = shorten(error).partition(" Set TORCHDYNAMO_VERBOSE")[0]
        raise InputError(
            f"torch.compile does not work on {device} here ({why}): mend that (on a CPU, it needs a C++ compiler, such "
            "as g++), or leave compile.json out."
        ) from error
    return True
