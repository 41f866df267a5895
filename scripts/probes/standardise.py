"""Features in units in which a penalty treats them alike."""

import torch

__all__ = ["CLIP", "Standardise"]


CLIP = 8.0  # standard deviations


class Standardise:
    """Features less their mean in training, in units of their standard deviation there, clipped at `CLIP` of them.

    A feature that hardly varied in training may be far out elsewhere; unclipped, it would drown all others.

    Args:
        features: of training, [N, D].

    Attributes:
        mean, scale: [D], float64; the scale of a feature that never varied in training is 1.
    """

    def __init__(self, features: torch.Tensor) -> None:
        spread, self.mean = torch.std_mean(features.double(), 0)
        self.scale = torch.where(spread > 1e-12, spread, 1.0)

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Of features [..., D], in their shape, float64."""
        return ((features.double() - self.mean) / self.scale).clamp(-CLIP, CLIP)
