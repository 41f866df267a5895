"""How well scores rank."""

import math

import numpy as np
import torch
from monai.metrics import compute_roc_auc

__all__ = ["roc_auc"]


def roc_auc(scores: torch.Tensor, labels: torch.Tensor) -> float:
    """Area under the ROC curve: how often a positive scores higher than a negative, ties half.

    Args:
        scores: [N].
        labels: class labels, 0 or 1, [N].

    Returns:
        From 0 to 1; nan where one class is missing, of which MONAI's would warn each time.

    Example:
        >>> roc_auc(torch.tensor([0.1, 0.4, 0.3, 0.9]), torch.tensor([0, 0, 1, 1]))
        0.75
    """
    if len(labels.unique()) < 2:
        return math.nan
    return float(np.asarray(compute_roc_auc(scores, labels)))
