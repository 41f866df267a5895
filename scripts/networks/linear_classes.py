"""A frozen encoder with a linear classifier of its features that tells several classes, as one network."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from .linear_classifier import LinearClassifier

__all__ = ["LinearClasses"]


class LinearClasses(LinearClassifier):
    """Logits of a crop's classes: `LinearClassifier` with `weight` [C, D] and `bias` [C].

    Args:
        network, layer_sets, layers, crop_size: as there.
        classes: their number, C.
    """

    def __init__(
        self,
        network: nn.Module,
        layer_sets: Mapping[str, list[str]],
        layers: str,
        crop_size: Sequence[int],
        classes: int,
    ) -> None:
        super().__init__(network, layer_sets, layers, crop_size)
        self.weight = nn.Parameter(self.weight.detach().repeat(classes, 1))
        self.bias = nn.Parameter(self.bias.detach().repeat(classes))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits [B, C]."""
        features = ((self.features(image).float() - self.mean) / self.scale).clamp(-self.clip, self.clip)
        return (features[:, None] * self.weight).sum(2) + self.bias  # not nn.Linear: autocast would round it
