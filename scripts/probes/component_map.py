"""Principal components of embeddings, as an image over a scan."""

import torch
from monai.data import MetaTensor
from monai.transforms import ResampleToMatch

from .principal_components import PrincipalComponents

__all__ = ["component_map"]


def component_map(
    embedding: torch.Tensor, affine: torch.Tensor, basis: PrincipalComponents, target: MetaTensor
) -> torch.Tensor:
    """The first principal components as an image in the grid of another.

    Args:
        embedding: on a grid, [D, gx, gy, gz].
        affine: of the grid, [4, 4].
        basis: shared by all scans whose maps are compared.
        target: [C, X, Y, Z]; its shape and affine are those of the map.

    Returns:
        [components, X, Y, Z] in [0, 1], interpolated between crop centres and constant beyond the outermost.
    """
    scores = basis.unit_range(embedding.flatten(1).T.cpu()).T.float()
    grid = MetaTensor(scores.reshape(-1, *embedding.shape[1:]), affine=affine)
    return ResampleToMatch(mode="bilinear", padding_mode="border")(grid, target)
