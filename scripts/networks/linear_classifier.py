"""A frozen encoder with a linear classifier of its features, as one network."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from ..probes.logistic import LogisticProbe
from ..probes.standardise import CLIP
from .layer_sets import layer_set
from .layers import layer_features

__all__ = ["LinearClassifier"]


class LinearClassifier(nn.Module):
    """Logit of a crop: a linear function of an encoder's features, standardised and clipped as a probe's are.

    It can be scripted, and its weights are a flat state_dict: the encoder's, those of the layers that are used, as
    `features.NAME`, and what a probe learned, as `mean`, `scale`, `weight` [D] and `bias` [1].

    Args:
        network: the encoder, which takes an image [B, C, *spatial].
        layer_sets: layers of the encoder, by the name of their set.
        layers: name of the set whose features are classified.
        crop: shape of one crop, [C, *spatial], of which features are counted.

    Raises:
        InputError: there are no such layers.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self, network: nn.Module, layer_sets: Mapping[str, list[str]], layers: str, crop: Sequence[int]
    ) -> None:
        super().__init__()
        self.features = layer_features(network, layer_set(layer_sets, layers))
        with torch.no_grad():
            number = self.features.eval()(torch.zeros(1, *crop)).shape[1]
        self.train()
        self.clip = CLIP  # TorchScript knows no global
        self.register_buffer("mean", torch.zeros(number))
        self.register_buffer("scale", torch.ones(number))
        self.weight, self.bias = nn.Parameter(torch.zeros(number)), nn.Parameter(torch.zeros(1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits [B, 1]."""
        features = ((self.features(image).float() - self.mean) / self.scale).clamp(-self.clip, self.clip)
        return (features * self.weight).sum(1, keepdim=True) + self.bias  # not nn.Linear: autocast would round it

    def take(self, features: nn.Module, probe: LogisticProbe) -> None:
        """Become what a network's `layer_features` and a probe of them are together."""
        self.features.load_state_dict(features.state_dict())
        learned = {
            "mean": probe.standardise.mean,
            "scale": probe.standardise.scale,
            "weight": probe.weights,
            "bias": probe.intercept[None],
        }
        self.load_state_dict(learned, strict=False)
