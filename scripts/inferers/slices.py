"""A network of two dimensions on crops of one slice, so that all else stays in three."""

from typing import Any

import torch

from ..errors import InputError
from .mixed_precision import MixedPrecisionInferer

__all__ = ["SliceInferer"]


class SliceInferer(MixedPrecisionInferer):
    """Runs a 2D network on crops [B, C, X, Y, 1]: it gets [B, C, X, Y], and images that it gives are [B, K, X, Y, 1].

    Crops, windows and grids of a scan are then slices of it, and keep their places in mm.

    Args:
        amp: as for `MixedPrecisionInferer`.
    """

    def __call__(self, inputs: torch.Tensor, network, *args: Any, **kwargs: Any) -> Any:
        """The network's output for slices; vectors [B, D], and what else is no image, stay as they are.

        Raises:
            InputError: crops have more slices than one.
        """
        if inputs.shape[-1] != 1:
            raise InputError(
                f"Crops have {inputs.shape[-1]} slices, and the network takes one: give a crop_size whose last number "
                "is 1, or leave axial_slices.json out."
            )
        flat = [one.squeeze(-1) if _is_image(one, inputs.ndim) else one for one in args]
        output = super().__call__(inputs.squeeze(-1), network, *flat, **kwargs)
        return output.unsqueeze(-1) if _is_image(output, inputs.ndim - 1) else output


def _is_image(value: Any, dimensions: int) -> bool:
    return isinstance(value, torch.Tensor) and value.ndim == dimensions
