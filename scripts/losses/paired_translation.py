"""The objective of an image that is made from another of the same place: like the target, and like a real one."""

import torch
from torch import nn
from torch.nn.functional import l1_loss

from .adversary import Adversary

__all__ = ["PairedTranslationLoss", "covered_difference"]


class PairedTranslationLoss(nn.Module):
    """Adversarial loss of a pair, source and made, + weight * mean |made - target| over all voxels.

    Where the target is not covered by what was scanned, its image and the one that is made are both taken for 0.

    Source: Isola et al., arXiv 1611.07004, equation 4, whose lambda is the weight.

    Args:
        adversary: of two channels: the source, and what is made of it.
        l1_weight: of the difference from the target.
    """

    def __init__(self, adversary: Adversary, l1_weight: float) -> None:
        super().__init__()
        self.adversary, self.l1_weight = adversary, l1_weight

    def forward(self, made: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of the generator that made [B, 1, ...] of `source`, where `target` is right and `covered` true."""
        made, target = _known(made, batch), _known(batch["target"], batch)
        adversarial = self.adversary.generator_loss(_pair(batch["source"], made))
        return adversarial + self.l1_weight * l1_loss(made, target)

    def discriminator_loss(self, made: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of the discriminator, of the same batch."""
        pairs = (_pair(batch["source"], _known(image, batch)) for image in (made, batch["target"]))
        return self.adversary.discriminator_loss(*pairs)


def covered_difference(made: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean |made - target| over the voxels that are `covered`, all of one shape; 0 where none is."""
    difference = _known(made, batch) - _known(batch["target"], batch)
    return difference.abs().sum() / batch["covered"].sum().clamp(min=1)


def _known(image: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return image.float() * batch["covered"]


def _pair(source: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return torch.cat([source, other], 1)
