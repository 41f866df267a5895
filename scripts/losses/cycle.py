"""The objective of two generators that undo each other, for images of which no two show the same."""

import torch
from torch import nn
from torch.nn.functional import l1_loss

from ..networks.cycle import Made
from .adversary import Adversary

__all__ = ["CycleLoss"]


class CycleLoss(nn.Module):
    """Adversarial losses of both directions + cycle_weight * (cycles + identity_weight * identities).

    A cycle is the mean difference of an image from what comes back of it, and an identity that of an image from what
    the generator makes of it that makes such images.

    Source: Zhu et al., arXiv 1703.10593, equations 1 to 3 and section 5.2 (identity). Discriminators judge the images
    of the step; the paper's store of earlier ones is left out.

    Args:
        source, target: adversaries of images of either kind, of one channel.
        cycle_weight, identity_weight: as above.
    """

    def __init__(self, source: Adversary, target: Adversary, cycle_weight: float, identity_weight: float) -> None:
        super().__init__()
        self.source, self.target = source, target
        self.cycle_weight, self.identity_weight = cycle_weight, identity_weight

    def forward(self, output: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of both generators, of the output of a `Cycle` for `source` and `target`, [B, 1, ...] each."""
        made, source, target = Made.of(output.float()), batch["source"].float(), batch["target"].float()
        adversarial = self.target.generator_loss(made.target) + self.source.generator_loss(made.source)
        cycles = l1_loss(made.source_again, source) + l1_loss(made.target_again, target)
        identities = l1_loss(made.source_kept, source) + l1_loss(made.target_kept, target)
        return adversarial + self.cycle_weight * (cycles + self.identity_weight * identities)

    def discriminator_loss(self, output: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Loss of both discriminators, of the same batch."""
        made = Made.of(output)
        ours = self.target.discriminator_loss(made.target, batch["target"])
        return ours + self.source.discriminator_loss(made.source, batch["source"])
