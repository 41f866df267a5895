"""What a discriminator of patches and the generator that it judges lose to each other."""

from collections.abc import Callable

import torch
from monai.losses import PatchAdversarialLoss
from torch import nn

from ..distributed import as_in_first

__all__ = ["Adversary"]


class Adversary(nn.Module):
    """A discriminator D that tells real images from made ones, patch by patch, by least squares.

    The generator loses mean (D(made) - 1)², the discriminator half of mean D(made)² + mean (D(real) - 1)².

    Source: Isola et al., arXiv 1611.07004, section 3.2.2 (patches); Zhu et al., arXiv 1703.10593, section 4 (least
    squares, which have a gradient where a sigmoid is saturated).

    Args:
        discriminator: of images [B, C, ...]; the last of its outputs is D, as of MONAI's `PatchDiscriminator`.
        inferer: runs it, such as on slices.
    """

    def __init__(self, discriminator: nn.Module, inferer: Callable) -> None:
        super().__init__()
        self.discriminator, self.inferer = as_in_first(discriminator), inferer
        # the activation that is there by default would bend the squares
        self.criterion = PatchAdversarialLoss(criterion="least_squares", no_activation_leastsq=True)

    def generator_loss(self, made: torch.Tensor) -> torch.Tensor:
        """What a generator loses whose images [B, C, ...] are told from real ones; the discriminator learns nothing."""
        self.discriminator.requires_grad_(False)
        judged = self._judge(made)
        self.discriminator.requires_grad_(True)
        return self.criterion(judged, True, False)

    def discriminator_loss(self, made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """What the discriminator loses that takes one for the other; a generator learns nothing of it."""
        fooled = self.criterion(self._judge(made.detach()), False, True)
        return (fooled + self.criterion(self._judge(real), True, True)) / 2

    def _judge(self, images: torch.Tensor) -> torch.Tensor:
        return self.inferer(images.float(), lambda crops: self.discriminator(crops)[-1]).float()
