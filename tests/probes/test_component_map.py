"""Principal components on a grid become an image over their scan."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from scripts.inferers.grid import grid_affine, grid_centres
from scripts.probes.component_map import component_map
from scripts.probes.principal_components import PrincipalComponents

CROP, STRIDE = [4, 3, 5], 2


@pytest.fixture
def scan(oblique):
    """An image [3, X, Y, Z] of the world coordinates of its voxels."""
    affine, shape = torch.from_numpy(oblique(5)), (10, 9, 12)
    index = torch.stack(torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in shape), indexing="ij"))
    world = torch.einsum("ij,jxyz->ixyz", affine[:3, :3], index) + affine[:3, 3, None, None, None]
    return MetaTensor(world, affine=affine)


@pytest.fixture
def grid(scan):
    """World coordinates of the centres of the crops that fit, [3, 4, 4, 4]."""
    return grid_centres(grid_affine(scan.affine, CROP, STRIDE), (4, 4, 4)).T.reshape(3, 4, 4, 4)


@pytest.fixture
def mapped(grid, scan):
    """A map of the linear field of coordinates over the scan."""
    basis = PrincipalComponents(grid.flatten(1).T)
    return component_map(grid, grid_affine(scan.affine, CROP, STRIDE), basis, scan), basis


def test_a_map_has_the_grid_of_its_target(mapped, scan):
    assert mapped[0].shape == (3, *scan.shape[1:])
    assert torch.allclose(mapped[0].affine.double(), scan.affine)


def test_a_map_is_between_0_and_1(mapped):
    assert 0 <= mapped[0].min() < 0.01 and 0.99 < mapped[0].max() <= 1


def test_a_map_shows_each_place_its_own_component(mapped, scan):
    values, basis = mapped
    inside = (slice(None), slice(2, 8), slice(1, 8), slice(2, 9))  # between the outermost centres
    exact = basis.unit_range(scan.as_tensor()[inside].flatten(1).T).T.reshape(values[inside].shape)
    unclipped = (exact > 0.2) & (exact < 0.8)
    assert unclipped.any()
    assert torch.allclose(values.as_tensor()[inside][unclipped].double(), exact[unclipped], atol=0.02)


def test_a_map_of_a_linear_field_rises_along_the_axis(oblique):
    field = torch.linspace(0, 9, 10)[:, None, None].expand(10, 4, 4)
    embedding = torch.stack([field, 0.01 * torch.randn(10, 4, 4), 0.01 * torch.randn(10, 4, 4)])
    affine = torch.from_numpy(oblique(1))
    target = MetaTensor(torch.zeros(1, 20, 8, 8), affine=affine)
    basis = PrincipalComponents(embedding.flatten(1).T)
    values = component_map(embedding, grid_affine(affine, [2, 2, 2], 2), basis, target)[0].as_tensor().numpy()
    assert np.all(np.diff(values, axis=0) >= -0.01) and np.all(values[-1] - values[0] > 0.9)


def test_beyond_the_outermost_centres_a_map_is_constant(mapped):
    values = mapped[0].as_tensor()
    assert torch.allclose(values[:, 0], values[:, 1]) and torch.allclose(values[..., -1], values[..., -2])
