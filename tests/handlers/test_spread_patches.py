"""Patches on the voxels of a scan, whatever the grids of both."""

import numpy as np
import pytest
import torch
from nibabel.affines import apply_affine, from_matvec
from nibabel.eulerangles import euler2mat

from scripts.handlers.spread_patches import PatchGrid, patch_affine

TURNED = euler2mat(0.3, -0.2, 0.5)
SIZE, SEEN, PATCHES = (16, 24, 8), (13, 24, 6), (4, 6, 2)


def affine(spacing, origin=(-5, 3, 7), flip=(1, 1, 1)):
    return from_matvec(TURNED @ np.diag(np.multiply(spacing, flip)), origin)


IMAGE = affine((2, 2, 2))


def scan(spacing, shape, begin=(-3, -4, -2), flip=(1, 1, 1)):
    """A scan in the turned frame of the image that begins so many mm before it."""
    origin = apply_affine(IMAGE, np.divide(begin, 2))
    return affine(spacing, origin, flip), shape


SCANS = [
    scan((2, 2, 2), (20, 28, 12)),  # as fine as the image
    scan((0.7, 0.9, 5), (50, 60, 6)),  # thin and thick
    scan((3, 1.1, 2.3), (12, 52, 9), flip=(1, 1, 1)),
    scan((13, 17, 12), (4, 5, 3)),  # voxels that are larger than patches
    (from_matvec(euler2mat(0.9, 0.1, -0.4) @ np.diag([-1.3, 2.1, 1.7]), (20, -10, 0)), (40, 30, 30)),  # turned anew
]


@pytest.fixture(params=SCANS, ids=range(len(SCANS)))
def placed(request):
    return request.param


def seen_values(seed=0):
    """Values of patches, each of which has a voxel that was seen: 13 of 16, 24 of 24 and 6 of 8 were."""
    return torch.rand(PATCHES, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_contributions_keep_their_sum(placed):
    voxels = PatchGrid(*placed, IMAGE, SIZE, SEEN, PATCHES).spread(seen_values())
    assert float(voxels.double().sum()) == pytest.approx(float(seen_values().sum()), abs=1e-5)


def test_a_voxel_has_the_nearest_patch_and_none_where_nothing_was_seen(placed):
    grid = PatchGrid(*placed, IMAGE, SIZE, SEEN, PATCHES)
    centres = patch_affine(IMAGE, SIZE, PATCHES)
    places = apply_affine(centres, np.indices(PATCHES).reshape(3, -1).T)
    generator = np.random.default_rng(0)
    for voxel in zip(*(generator.integers(size, size=40) for size in placed[1]), strict=True):
        place = apply_affine(placed[0], voxel)
        inside = apply_affine(np.linalg.inv(IMAGE), place)
        known = (inside >= -0.5).all() and (inside <= np.subtract(SEEN, 0.5)).all()
        distances = np.linalg.norm(places - place, axis=1)
        expected = int(distances.argmin()) if known else -1
        found = int(grid.number[voxel])
        assert (found < 0) == (expected < 0)
        assert not known or distances[found] == pytest.approx(distances[expected])


def test_a_voxel_has_the_value_of_its_patch_and_0_where_there_is_none(placed):
    grid = PatchGrid(*placed, IMAGE, SIZE, SEEN, PATCHES)
    values = grid.each(seen_values() + 1)
    assert torch.equal(values == 0, grid.number < 0)
    assert set(values.unique().tolist()) <= {0.0, *(seen_values() + 1).float().unique().tolist()}


def test_a_patch_that_is_smaller_than_voxels_is_that_of_the_voxel_at_its_centre():
    placed = scan((40, 60, 20), (2, 2, 2), begin=(0, 0, 0))
    voxels = PatchGrid(*placed, IMAGE, SIZE, SEEN, PATCHES).spread(seen_values())
    centres = apply_affine(patch_affine(IMAGE, SIZE, PATCHES), np.indices(PATCHES).reshape(3, -1).T)
    expected = torch.zeros(2, 2, 2, dtype=torch.float64)
    for centre, value in zip(centres, seen_values().flatten(), strict=True):
        nearest = apply_affine(np.linalg.inv(placed[0]), centre).round().clip(0, 1).astype(int)
        expected[tuple(nearest)] += value
    assert torch.allclose(voxels.double(), expected, atol=1e-6)


def test_patches_that_are_padding_alone_get_no_voxel():
    grid = PatchGrid(*scan((2, 2, 2), (20, 28, 12)), IMAGE, SIZE, (9, 24, 3), PATCHES)
    used = grid.number[grid.number >= 0].unique()
    assert len(used) == 3 * 6 * 1 and set(np.unravel_index(used.numpy(), PATCHES)[2]) == {0}
