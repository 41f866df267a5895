"""The same place in the box of another body: what an encoder must beat."""

import torch

__all__ = ["place_in_box", "share_of_box"]


def share_of_box(places: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Places in voxels, [..., 3], of an image [C, X, Y, Z] that was cropped to its body, as shares of its sides."""
    return (places + 0.5) / torch.tensor(image.shape[1:])


def place_in_box(shares: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Places in voxels, [..., 3], at shares of the sides of such an image.

    Example:
        >>> place_in_box(share_of_box(torch.tensor([0.0, 1.5, 3.0]), torch.zeros(1, 4, 4, 4)), torch.zeros(1, 8, 8, 8))
        tensor([0.5000, 3.5000, 6.5000])
    """
    return shares * torch.tensor(image.shape[1:]) - 0.5
