"""A network that says of each patch of an image what it looks like, and whether it counts."""

from collections.abc import Sequence

import torch
from monai.networks.layers import Pool
from torch import nn

from ..errors import InputError
from .layers import layer_map
from .linear_classifier import crop_for

__all__ = ["InteractiveMIL"]

ATTENTION = 128  # width of what attends, as in the paper's code


class InteractiveMIL(nn.Module):
    """Logits of patches: of their classes, W h, and of their attention, w' [tanh(V h) * sigmoid(U h)].

    A patch h is a mean over a box of an encoder's feature map. What its logits make of a whole image is said by
    `bag_scores`. Its weights are a flat state_dict: the encoder's, as `features.NAME`, and those of the heads.

    Source: Bergner, Rohrer, Taleb, Duchrau, De Leon, Rodrigues, Schwendicke, Krois, Lippert: Interactive Classification
    Using Spatial Attention and Explanations (EMIL), arXiv 2112.09694, section 2.

    Args:
        network: the encoder, which takes an image [B, C, *spatial].
        layer: name of the layer of it whose feature map is used.
        crop_size: voxels of an image along each axis, of which features are counted.
        classes: two are told apart by one logit, more by one each.
        patch_size: of a box, in positions of the feature map.
        patch_stride: from one box to the next; their grid covers the map evenly, so that they may overlap.

    Raises:
        InputError: there is no such layer, or patches do not cover its feature map evenly.
    """

    def __init__(
        self,
        network: nn.Module,
        layer: str,
        crop_size: Sequence[int],
        classes: int = 2,
        patch_size: int = 1,
        patch_stride: int = 1,
    ) -> None:
        super().__init__()
        self.features = layer_map(network, layer)
        crop = crop_for(network, crop_size)
        with torch.no_grad():
            _, channels, *positions = self.features.eval()(crop).shape
        self.train()
        _require_even(layer, positions, patch_size, patch_stride)
        self.pool = Pool[Pool.AVG, len(positions)](
            patch_size, patch_stride, padding=(patch_size - patch_stride) // 2, count_include_pad=False
        )
        self.local = nn.Linear(channels, 1 if classes == 2 else classes)
        self.what, self.gate = nn.Linear(channels, ATTENTION), nn.Linear(channels, ATTENTION)
        self.attention = nn.Linear(ATTENTION, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits [B, L + 1, *patches] of images [B, C, *spatial]: L of classes, then that of attention."""
        patches = self.pool(self.features(image)).movedim(1, -1)
        gated = torch.tanh(self.what(patches)) * torch.sigmoid(self.gate(patches))
        return torch.cat([self.local(patches), self.attention(gated)], -1).movedim(-1, 1)


def _require_even(layer: str, positions: list[int], size: int, stride: int) -> None:
    """Raise an `InputError` where patches would not lie at regular shares of an image."""
    if size < stride or (size - stride) % 2 or any(number % stride for number in positions):
        raise InputError(
            f"patch_size {size} and patch_stride {stride} do not cover the feature map of {layer}, "
            f"{' x '.join(map(str, positions))}, evenly: give a stride that divides it, and that size or one larger by "
            "an even number."
        )
