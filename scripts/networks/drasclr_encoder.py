"""The encoder of DrasCLR: what it makes of a crop depends on where the crop is."""

from collections.abc import Sequence

import torch
from monai.networks.layers import get_act_layer, get_norm_layer
from monai.networks.layers.factories import Conv
from torch import nn

from .conditional_conv import ConditionalConv

__all__ = ["DrasCLREncoder"]


class DrasCLREncoder(nn.Module):
    """13 convolutions with kernels of 3 voxels, each conditional on the crop's place, halve a crop five times.

    It has 8.2 million weights with 8 experts, and 1.0 million with one. Its layers, in their order, are `stem` (at 1/2
    of the crop's size), `block1`, `block2`, `block3` (at 1/4, 1/8 and 1/16) and `last` (at 1/32).

    Source: Yu et al., "DrasCLR", arXiv 2302.10390, and its code for the sizes. There a crop has 32³ voxels, of which
    the last layer leaves one position; of larger crops, positions are averaged.

    Args:
        spatial_dims: 2 or 3.
        in_channels: of a crop.
        embedding_size: D.
        experts: of each convolution; 1: plain convolutions, which are the same at every place.
        norm: MONAI's name of the normalisation behind each convolution, or a pair with its arguments.
    """

    def __init__(
        self,
        spatial_dims: int = 3,
        in_channels: int = 1,
        embedding_size: int = 128,
        experts: int = 8,
        norm: str | tuple = "batch",
    ) -> None:
        super().__init__()

        def stage(channels: Sequence[int], strides: Sequence[int]) -> nn.Module:
            return _Stage(spatial_dims, channels, strides, experts, norm)

        self.stem = stage((in_channels, 8, 8), (1, 2))
        self.block1 = stage((8, 16, 16, 16), (1, 1, 2))
        self.block2 = stage((16, 32, 32, 32), (1, 1, 2))
        self.block3 = stage((32, 64, 64, 64), (1, 1, 2))
        self.last = stage((64, 128, embedding_size), (1, 2))

    def forward(self, image: torch.Tensor, place: torch.Tensor | None = None) -> torch.Tensor:
        """Embeddings [B, D] of crops [B, C, *spatial] at places [B, 3], from -1 to 1; None: the middle of the body.

        A place has three numbers in two dimensions as well: a slice lies somewhere in a body.
        """
        image = self.block1(self.stem(image, place), place)
        image = self.block3(self.block2(image, place), place)
        return self.last(image, place).flatten(2).mean(2)


class _Stage(nn.Module):
    """Convolutions one after the other, with a normalisation and an ELU behind each."""

    def __init__(
        self, spatial_dims: int, channels: Sequence[int], strides: Sequence[int], experts: int, norm: str | tuple
    ) -> None:
        super().__init__()
        sizes = zip(channels, channels[1:], strides, strict=False)
        self.layers = nn.ModuleList(_Layer(spatial_dims, *size, experts, norm) for size in sizes)

    def forward(self, x: torch.Tensor, place: torch.Tensor | None = None) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x, place)
        return x


class _Layer(nn.Module):
    def __init__(
        self, spatial_dims: int, in_channels: int, out_channels: int, stride: int, experts: int, norm: str | tuple
    ) -> None:
        super().__init__()
        self.conv = (
            ConditionalConv(spatial_dims, in_channels, out_channels, 3, stride, experts)
            if experts != 1
            else _EverywhereAlike(Conv[Conv.CONV, spatial_dims](in_channels, out_channels, 3, stride, 1, bias=False))
        )
        self.norm = get_norm_layer(norm, spatial_dims, out_channels)
        self.act = get_act_layer(("elu", {"inplace": True}))

    def forward(self, x: torch.Tensor, place: torch.Tensor | None = None) -> torch.Tensor:
        return self.act(self.norm(self.conv(x, place)))


class _EverywhereAlike(nn.Module):
    """A convolution that takes a place and does not look at it."""

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, x: torch.Tensor, place: torch.Tensor | None = None) -> torch.Tensor:
        return self.convolution(x)
