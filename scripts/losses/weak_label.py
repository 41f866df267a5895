"""The loss of an image that has one label, by its patches; and, where their places are known, by these."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, nll_loss

from ..errors import InputError
from ..networks.bag_scores import POOLINGS, in_patches, log_scores

__all__ = ["WeakLabelLoss"]


class WeakLabelLoss(nn.Module):
    """Mean over images of -log y of their class, as `log_scores` has it; of two classes, binary cross-entropy.

    Guidance is added for images whose mask is known (Bergner et al., arXiv 2112.09694, guide a network so; the form is
    ours): the cross-entropy of each patch's classes, summed over the patches that count and divided by their number. A
    patch that holds lesion is of its image's class; all others, of two classes, of the first, and of more of none that
    is known.

    Args:
        pooling: one of `POOLINGS`.
        min_attention: least attention that makes a whole score, as a share of the patches.
        guidance_weight: of the guidance.

    Raises:
        InputError: there is no such pooling.
    """

    def __init__(
        self, pooling: str = "interactive", min_attention: float = 0.005, guidance_weight: float = 0.0
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise InputError(f"pooling is {pooling}: give one of {', '.join(POOLINGS)}.")
        self.pooling, self.min_attention, self.guidance_weight = pooling, min_attention, guidance_weight

    def forward(self, logits: torch.Tensor, target: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Loss of the logits of patches [B, L + 1, *patches].

        Args:
            logits: of `InteractiveMIL`, joined by `TileInferer`.
            target: `class_label` [B], `seen` [B, 1, X, Y, Z], above 0 in the scan; for a guidance also `guided` [B], 1
                where the mask is known, and `label` [B, 1, X, Y, Z], the mask.
        """
        logits, seen = logits.float(), in_patches(target["seen"], logits.shape[2:])
        label = target["class_label"].flatten().long()
        loss = nll_loss(log_scores(logits, seen, self.pooling, self.min_attention), label)
        if not self.guidance_weight:
            return loss
        marked = in_patches(target["label"], logits.shape[2:])
        per_patch = _of_patches(logits[:, :-1], marked * label[:, None, None, None])
        per_patch = per_patch * (seen if logits.shape[1] == 2 else seen & marked)
        per_image = per_patch.sum((1, 2, 3)) / seen.sum((1, 2, 3))
        return loss + self.guidance_weight * (per_image * target["guided"].flatten()).mean()


def _of_patches(local: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Cross-entropy [B, X, Y, Z] of logits [B, L, X, Y, Z] with numbers of classes."""
    if local.shape[1] > 1:
        return cross_entropy(local, classes, reduction="none")
    return binary_cross_entropy_with_logits(local[:, 0], classes.float(), reduction="none")
