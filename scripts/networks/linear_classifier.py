"""A frozen encoder with a linear classifier of its features, as one network."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from ..errors import InputError
from ..probes.class_probe import ClassProbe
from ..probes.logistic import LogisticProbe
from ..probes.standardise import CLIP
from .layer_sets import layer_set
from .layers import layer_features

__all__ = ["LinearClassifier", "crop_for", "require_image_alone"]

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class LinearClassifier(nn.Module):
    """Logit of a crop: a linear function of an encoder's features, standardised and clipped as a probe's are.

    It can be scripted, and its weights are a flat state_dict: the encoder's, those of the layers that are used, as
    `features.NAME`, and what a probe learned, as `mean`, `scale`, `weight` [D] and `bias` [1].

    Args:
        network: the encoder, which takes an image [B, C, *spatial].
        layer_sets: layers of the encoder, by the name of their set.
        layers: name of the set whose features are classified.
        crop_size: voxels of a crop along each axis, of which features are counted.

    Raises:
        InputError: there are no such layers, or it has no convolution, which says how many channels it takes.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(
        self, network: nn.Module, layer_sets: Mapping[str, list[str]], layers: str, crop_size: Sequence[int]
    ) -> None:
        super().__init__()
        self.features = layer_features(network, layer_set(layer_sets, layers))
        crop = crop_for(network, crop_size)
        with torch.no_grad():
            number = self.features.eval()(crop).shape[1]
        self.train()
        self.clip = CLIP  # TorchScript knows no global
        self.register_buffer("mean", crop.new_zeros(number))
        self.register_buffer("scale", crop.new_ones(number))
        self.weight, self.bias = nn.Parameter(crop.new_zeros(number)), nn.Parameter(crop.new_zeros(1))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits [B, 1]."""
        features = ((self.features(image).float() - self.mean) / self.scale).clamp(-self.clip, self.clip)
        return (features * self.weight).sum(1, keepdim=True) + self.bias  # not nn.Linear: autocast would round it

    def take(self, features: nn.Module, probe: LogisticProbe | ClassProbe) -> None:
        """Become what a network's `layer_features` and a probe of them are together."""
        self.features.load_state_dict(features.state_dict())
        learned = {
            "mean": probe.standardise.mean,
            "scale": probe.standardise.scale,
            "weight": probe.weights,
            "bias": probe.intercept.reshape(-1),
        }
        self.load_state_dict(learned, strict=False)


def require_image_alone(inputs: Sequence[str]) -> None:
    """Raise an `InputError` if an encoder takes more than an image, as an inference of its classifier gives none."""
    if len(inputs) > 1:
        raise InputError(
            f"A classifier of images cannot be made of an encoder that takes {' and '.join(inputs)}: what that is "
            "worth is said by cross_validate.json behind linear_probe.json, and by subject_outcomes.json."
        )


def crop_for(network: nn.Module, crop_size: Sequence[int]) -> torch.Tensor:
    """One that a network takes, [1, C, *spatial], where its weights are; of one of two dimensions, a slice."""
    first = next((module for module in network.modules() if isinstance(module, CONVOLUTIONS)), None)
    if first is None:
        raise InputError(
            f"{type(network).__name__} has no convolution: give encoder_def a network that begins with one."
        )
    return first.weight.new_zeros(1, first.in_channels, *crop_size[: first.weight.dim() - 2])
