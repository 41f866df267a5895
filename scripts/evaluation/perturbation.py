"""Whether the patches that a map points at are those that a network needs."""

from collections.abc import Callable

import torch
from torch.nn.functional import interpolate

from ..networks.bag_scores import in_patches

__all__ = ["perturbation"]


def perturbation(
    image: torch.Tensor, heat: torch.Tensor, seen: torch.Tensor, score: Callable, steps: int = 10
) -> dict[str, float]:
    """Areas under a network's score where patches are taken away, or given back, the hottest first.

    A patch that is away has the mean intensity of all that is seen. The shares that are away are (i / steps)², so that
    small lesions are told from large ones; the area is that of trapezoids, from 0 to 1. Source: Petsiuk, Das, Saenko:
    RISE, arXiv 1806.07421, section 3.2.

    Args:
        image: [1, C, X, Y, Z].
        heat: of each patch, [px, py, pz].
        seen: above 0 in what is no padding, [1, 1, X, Y, Z].
        score: a number, of an image.
        steps: that are taken.

    Returns:
        `deletion`, which is low where a map is right about what the network needs, and `insertion`, which is high.
    """
    there, counts = seen > 0, in_patches(seen, heat.shape)[0]
    mean = (image * there).sum((2, 3, 4), keepdim=True) / there.sum()
    empty = torch.where(there, mean, image)
    order = torch.empty_like(heat, dtype=torch.long).fill_(heat.numel())
    order[counts] = heat[counts].argsort(descending=True, stable=True).argsort(stable=True)
    shares = [(i / steps) ** 2 for i in range(steps + 1)]
    first = [_on_voxels(order < round(share * int(counts.sum())), image) for share in shares]
    deletion = [score(torch.where(away, empty, image)) for away in first]
    insertion = [score(torch.where(back, image, empty)) for back in first]
    across = torch.tensor(shares, dtype=torch.float64)
    areas = {"deletion": deletion, "insertion": insertion}
    return {name: float(torch.trapezoid(torch.tensor(curve).double(), across)) for name, curve in areas.items()}


def _on_voxels(patches: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Whether each voxel [1, 1, X, Y, Z] is of these patches [px, py, pz]."""
    return interpolate(patches[None, None].float(), size=tuple(image.shape[2:]), mode="nearest") > 0
