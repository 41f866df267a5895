"""One answer for the many crops of a subject: their mean embedding, classified."""

import torch

from .logistic_probe import LogisticProbe

__all__ = ["MeanPoolingProbe"]


class MeanPoolingProbe(LogisticProbe):
    """`LogisticProbe` of the mean over each bag.

    Args:
        features: bags of training features, [S, n, D]; rows of nan are left out.
        labels: 0 or 1, [S].
        val_features, val_labels: likewise, to choose the penalty.
    """

    def __init__(self, features, labels, val_features, val_labels) -> None:
        super().__init__(features.nanmean(1), labels, val_features.nanmean(1), val_labels)

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """Logits [M], float64, of bags [M, n, D]."""
        return super().__call__(features.nanmean(1))
