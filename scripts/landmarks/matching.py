"""Where around a place the surroundings of another scan's place are found again."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.fft import irfftn, rfftn
from torch.nn.functional import grid_sample

__all__ = ["best_match", "has_contrast", "is_near", "patches_of", "refine", "sample_cube"]

FLAT = 1e-6  # of what has no contrast, variance of intensities from -1 to 1; of two cubes, their geometric mean


class Level(NamedTuple):
    """How surroundings are matched: points `step` voxels apart, `size` along a side, shifted by `reach` at most."""

    step: float
    size: int
    reach: int


LEVELS = (Level(step=2.0, size=16, reach=6), Level(step=1.0, size=12, reach=3))  # at 2 mm: of 64 mm by 24, of 24 by 6


def patches_of(image: torch.Tensor, place: torch.Tensor) -> list[torch.Tensor]:
    """The surroundings of a place in an image [C, X, Y, Z], in voxels, [3]: [C, size, size, size] of each level."""
    return [sample_cube(image, place, level.size, level.step) for level in LEVELS]


def has_contrast(patches: Sequence[torch.Tensor]) -> bool:
    """Whether surroundings, as `patches_of` has them, differ anywhere at each level; else they are found nowhere."""
    return all(bool((patch.var((1, 2, 3), correction=0) > FLAT).any()) for patch in patches)


def refine(place: torch.Tensor, patches: Sequence[torch.Tensor], image: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Move a place to where surroundings match best, coarse to fine.

    Args:
        place: where to begin, in voxels, [3].
        patches: as `patches_of` a place in another image.
        image: [C, X, Y, Z].

    Returns:
        The place, and the correlation there, from -1 to 1.
    """
    correlation = 0.0
    for level, patch in zip(LEVELS, patches, strict=True):
        shift, correlation = best_match(patch, sample_cube(image, place, level.size + 2 * level.reach, level.step))
        place = place + shift * level.step
    return place, correlation


def is_near(place: torch.Tensor, image: torch.Tensor, margin: float) -> bool:
    """Whether a place, in voxels, [3], is in an image [C, X, Y, Z] or no more than a margin beyond, in voxels."""
    last = torch.tensor(image.shape[1:]) - 0.5
    return bool(((place >= -0.5 - margin) & (place <= last + margin)).all())


def sample_cube(image: torch.Tensor, centre: torch.Tensor, size: int, step: float) -> torch.Tensor:
    """Intensities on a cube of points, linearly interpolated; beyond the image, those at its border.

    Args:
        image: [C, X, Y, Z].
        centre: of the cube, in voxels, [3].
        size: points along each side.
        step: voxels from one point to the next.

    Returns:
        [C, size, size, size], float32.
    """
    shape = torch.tensor(image.shape[1:], dtype=torch.float64)
    offsets = (torch.arange(size, dtype=torch.float64) - (size - 1) / 2) * step
    points = torch.stack(torch.meshgrid(*(offsets + at for at in centre.double().cpu()), indexing="ij"), -1)
    grid = ((2 * points + 1) / shape - 1).flip(-1).float().to(image.device)
    return grid_sample(image[None].float(), grid[None], padding_mode="border", align_corners=False)[0]


def best_match(patch: torch.Tensor, region: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Where in a region a patch is found, by the largest normalised cross-correlation, the mean over channels.

    Lewis, "Fast Normalized Cross-Correlation", Vision Interface 1995, equation 2.

    Args:
        patch: [C, n, n, n].
        region: [C, m, m, m], m >= n.

    Returns:
        The shift of the patch from the region's middle, in points and parts of them, [3], float64; and the correlation
        there, from -1 to 1. What has no contrast correlates with nothing.

    Example:
        >>> region = torch.rand(1, 9, 9, 9)
        >>> shift, correlation = best_match(region[:, 4:9, 3:8, 1:6], region)
        >>> shift.round(), round(correlation, 3)
        (tensor([ 2.,  1., -1.], dtype=torch.float64), 1.0)
    """
    correlation = _correlations(patch, region)
    peak = torch.stack(torch.unravel_index(correlation.argmax(), correlation.shape)).cpu()
    middle = (correlation.shape[0] - 1) / 2
    return peak + _between_points(correlation, peak) - middle, min(float(correlation[tuple(peak)]), 1.0)


def _correlations(patch: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    """At each shift, [m - n + 1] three times."""
    size, sides, number = patch.shape[-1], region.shape[1:], region.shape[-1] - patch.shape[-1] + 1
    count = size**3
    centred = patch - patch.mean((1, 2, 3), keepdim=True)

    def slide(kernel: torch.Tensor, over: torch.Tensor) -> torch.Tensor:
        product = rfftn(over, dim=(1, 2, 3)) * rfftn(kernel, s=sides, dim=(1, 2, 3)).conj()
        return irfftn(product, s=sides, dim=(1, 2, 3))[:, :number, :number, :number]

    region = region - region.mean((1, 2, 3), keepdim=True)  # so that the squares below lose no digits
    ones = torch.ones_like(patch)
    variance = slide(ones, region**2) / count - (slide(ones, region) / count) ** 2
    spread = (centred.square().mean((1, 2, 3), keepdim=True) * variance.clamp(min=0)).sqrt()
    return (slide(centred, region) / count / spread).where(spread > FLAT, 0.0).mean(0)


def _between_points(correlation: torch.Tensor, peak: torch.Tensor) -> torch.Tensor:
    """Of a peak, how far beyond its point that of a parabola through it and its neighbours is, along each axis, [3]."""
    found = torch.zeros(3, dtype=torch.float64)
    for axis, at in enumerate(peak.tolist()):
        line = correlation.movedim(axis, -1)[tuple(peak[[i for i in range(3) if i != axis]])]
        if 0 < at < len(line) - 1:
            low, high, bend = line[at - 1], line[at + 1], line[at - 1] - 2 * line[at] + line[at + 1]
            found[axis] = float((low - high) / (2 * bend)) if bend < 0 else 0.0
    return found
