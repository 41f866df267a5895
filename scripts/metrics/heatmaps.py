"""How well a map of patches says where the lesion is."""

import torch

from .roc_auc import roc_auc

__all__ = ["localisation"]


def localisation(heat: torch.Tensor, marked: torch.Tensor, seen: torch.Tensor) -> dict[str, float]:
    """Of one image: whether its hottest patch holds lesion, and how well heat ranks patches with lesion above others.

    Args:
        heat: of each patch, [X, Y, Z].
        marked: whether it holds a voxel of the lesion, [X, Y, Z], bool.
        seen: whether it counts, likewise.

    Returns:
        `pointing_game`, 0 or 1, or a share where several patches are the hottest; and `heatmap_auc`.

    Example:
        >>> seen = torch.ones(1, 1, 4, dtype=torch.bool)
        >>> localisation(torch.tensor([[[0.1, 0.7, 0.2, 0.0]]]), torch.tensor([[[False, True, True, False]]]), seen)
        {'pointing_game': 1.0, 'heatmap_auc': 1.0}
    """
    values, truth = heat[seen].double(), marked[seen]
    hottest = truth[values == values.max()]
    return {"pointing_game": float(hottest.double().mean()), "heatmap_auc": roc_auc(values, truth.int())}
