"""Weights of an encoder: read, loaded whole or not at all, and told apart."""

import os
import zlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from ..errors import InputError, shorten, some

__all__ = ["fingerprint", "load_encoder", "read_weights"]


def load_encoder(network: nn.Module, path: str | os.PathLike) -> nn.Module:
    """Load every tensor of a network from a flat state_dict, or none.

    Args:
        network: as `network_def` makes it.
        path: of an encoder.pt or model.pt; float16 weights are fine.

    Returns:
        The network.

    Raises:
        InputError: there is no such file, it is no state_dict, or its names or shapes are not the network's.
    """
    try:
        network.load_state_dict(read_weights(path))
    except RuntimeError as error:  # it lists every name
        raise InputError(
            f"The weights in {path} do not fit this network ({shorten(error)}): give those of a run with the same "
            "network_def, and set embedding_size, if there is one, to that run's."
        ) from error
    return network


def read_weights(path: str | os.PathLike) -> Mapping[str, torch.Tensor]:
    """Read a flat state_dict.

    Args:
        path: of an encoder.pt or model.pt; float16 weights are fine.

    Raises:
        InputError: there is no such file, it is no state_dict, or not all of it is finite.
    """
    if not Path(path).is_file():
        if (Path(path).absolute().parent.parent / "configs" / "metadata.json").is_file():
            raise InputError(
                f"There are no weights at {path}, since this bundle comes without: give encoder, or model, the path of "
                "a training run's."
            )
        raise InputError(
            f"There are no weights at {path}: correct the path to that of a training run's, or give bundle_root the "
            "folder of the bundle."
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling can raise anything
        raise InputError(
            f"The weights in {path} cannot be read ({shorten(error)}): give those of a training run."
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise InputError(f"The weights in {path} are no flat state_dict: give those of a training run.")
    if state and all(name.startswith("module.") for name in state):
        raise InputError(
            f"The tensors in {path} are called module.*, as DataParallel and DistributedDataParallel call them: save "
            "network.module.state_dict(), or take module. off their names."
        )
    if broken := [name for name, value in state.items() if not value.isfinite().all()]:
        raise InputError(
            f"{some(broken)} in {path} are not finite: give weights of a training that did not diverge, in float32 "
            "where numbers are beyond 65504, the largest of float16."
        )
    return state


def fingerprint(network: nn.Module) -> int:
    """Checksum of a network's weights, the same in float16 as in float32."""
    checksum = 0
    for tensor in network.state_dict().values():
        checksum = zlib.crc32(tensor.half().cpu().numpy().tobytes(), checksum)
    return checksum
