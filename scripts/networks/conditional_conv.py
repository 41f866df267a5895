"""Convolutions whose kernel depends on where in the body a crop is."""

import math
from collections.abc import Sequence

import torch
from monai.utils import ensure_tuple_rep
from torch import nn

from ..errors import InputError

__all__ = ["ConditionalConv"]


class ConditionalConv(nn.Module):
    """Convolves each crop with a kernel of its place l: W(l) = sum over experts e of sigmoid(A l + b)_e W_e.

    It has no bias: a normalisation is to follow. The crops of a batch are convolved together, in the cheaper of two
    ways that say the same. Mixed kernels, in a convolution of a group a crop, cost E / positions times as much besides
    as a plain convolution; all experts of all crops, mixed afterwards, E times as much, where kernels are larger than
    what they are applied to.

    Each expert begins as a plain convolution does, and b so that the variances of the experts, weighted, add up to that
    of one of them in the middle of the body: sigmoid(b)² E = 1. With sigmoid(0) they would add up to E / 4 of it.

    Source: Yang et al., "CondConv", arXiv 1904.04971; of a place, as here, Yu et al., "DrasCLR", arXiv 2302.10390.

    Args:
        spatial_dims: 2 or 3.
        in_channels, out_channels: as of a convolution.
        kernel_size: odd, one number or one an axis; the input is padded by zeros to keep its size at stride 1.
        stride: one number or one an axis.
        experts: E, 2 or more.

    Raises:
        InputError: there are fewer experts, or another number of dimensions.
    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int] = 3,
        stride: int | Sequence[int] = 1,
        experts: int = 8,
    ) -> None:
        super().__init__()
        if spatial_dims not in (2, 3):
            raise InputError(f"spatial_dims is {spatial_dims}: give 2 or 3.")
        if experts < 2:
            raise InputError(f"experts is {experts}: give 2 at least, or a plain convolution.")
        self.kernel_size, self.stride = (
            ensure_tuple_rep(kernel_size, spatial_dims),
            ensure_tuple_rep(stride, spatial_dims),
        )
        self.step = math.prod(self.stride)  # positions of the input for one of the output
        self.padding = tuple(size // 2 for size in self.kernel_size)
        self.weight = nn.Parameter(torch.empty(experts, out_channels, in_channels, *self.kernel_size))
        self.router = nn.Linear(3, experts)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew."""
        for expert in self.weight:
            nn.init.kaiming_uniform_(expert, a=math.sqrt(5))  # as torch's convolutions
        self.router.reset_parameters()
        nn.init.constant_(self.router.bias, -math.log(math.sqrt(len(self.weight)) - 1))

    def forward(self, x: torch.Tensor, place: torch.Tensor | None = None) -> torch.Tensor:
        """Features [B, O, *spatial] of crops [B, C, *spatial] at places [B, 3], from -1 to 1; None: all in the middle.

        Without places, one kernel is the same for all crops, also of any later batch: a plain convolution, which any
        format of networks knows.
        """
        if place is None:
            return self._convolve(x, self._kernels(torch.sigmoid(self.router.bias)[None])[0], 1)
        experts = torch.sigmoid(self.router(place))
        if x[0, 0].numel() > len(self.weight) * self.step:  # more positions than experts
            mixed = self._convolve(x.flatten(0, 1)[None], self._kernels(experts).flatten(0, 1), len(x))
            return mixed[0].unflatten(0, (len(x), -1))
        of_all = self._convolve(x, self.weight.flatten(0, 1), 1).unflatten(1, (len(self.weight), -1))
        return torch.einsum("be,be...->b...", experts, of_all)

    def _kernels(self, experts: torch.Tensor) -> torch.Tensor:
        """Mixtures [B, O, C, *kernel] by how much each expert says, [B, E]."""
        return torch.einsum("be,e...->b...", experts, self.weight)

    def _convolve(self, x: torch.Tensor, kernels: torch.Tensor, groups: int) -> torch.Tensor:
        if len(self.stride) == 2:
            return torch.conv2d(x, kernels, None, self.stride, self.padding, 1, groups)
        return torch.conv3d(x, kernels, None, self.stride, self.padding, 1, groups)
