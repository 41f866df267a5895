"""A mask told from a scan by its values, whatever its name."""

import numpy as np

__all__ = ["looks_like_mask"]

# of 502 MR, CT and PET scans, none has fewer than 94 different values, nor more than half of such neighbours equal;
# of 377 masks and label maps, those with more than 3 values are maps of 136 to 149 regions, with three quarters equal
FEW, MANY, EQUAL = 12, 1000, 0.6
LOOK = 200_000  # voxels that are looked at first


def looks_like_mask(voxels: np.ndarray) -> bool:
    """Whether voxels are numbers of regions rather than intensities.

    They are where there are a dozen different values or fewer; or where all are whole numbers, not very many, most of
    which equal their neighbours'. Neighbours of the lowest, the highest and the most common value do not count: air
    and saturated intensities are equal in scans as well.

    Args:
        voxels: [X, Y, Z], finite.
    """
    step = max(1, voxels.size // LOOK)
    if len(np.unique(voxels.ravel(order="K")[::step])) > MANY:
        return False
    values, counts = np.unique(voxels, return_counts=True)
    if len(values) <= FEW:
        return True
    if len(values) > MANY or not (values == np.round(values)).all():
        return False
    inside = ~np.isin(voxels, [values[0], values[-1], values[counts.argmax()]])
    pairs = [_equal_pairs(np.moveaxis(voxels, axis, 0), np.moveaxis(inside, axis, 0)) for axis in range(3)]
    equal, number = map(sum, zip(*pairs, strict=True))
    return bool(equal > EQUAL * number)


def _equal_pairs(voxels: np.ndarray, inside: np.ndarray) -> tuple[int, int]:
    """Of neighbours along the first axis that are both inside: how many are equal, and how many there are."""
    both = inside[1:] & inside[:-1]
    return int((both & (voxels[1:] == voxels[:-1])).sum()), int(both.sum())
