"""Principal components are those of the singular value decomposition, and colours between 0 and 1."""

import numpy as np
import pytest
import torch

from scripts.errors import InputError
from scripts.probes.principal_components import PrincipalComponents


def test_principal_components_are_those_of_the_singular_value_decomposition():
    embedding = torch.randn(50, 8) * torch.arange(1, 9) + 3
    centred = embedding.double().numpy() - embedding.double().numpy().mean(0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    scores = PrincipalComponents(embedding)(embedding).numpy()
    np.testing.assert_allclose(np.abs(scores), np.abs(u * s)[:, :3], atol=1e-9)


def test_the_signs_of_components_are_fixed():
    embedding = torch.randn(50, 8)
    directions = PrincipalComponents(embedding).directions
    assert (directions.gather(1, directions.abs().argmax(1, keepdim=True)) > 0).all()
    assert torch.allclose(directions, PrincipalComponents(embedding.flip(0)).directions)


def test_scores_in_unit_range_span_it_and_are_clipped():
    basis, other = PrincipalComponents(torch.randn(1000, 5)), 10 * torch.randn(200, 5)
    colours = basis.unit_range(other)
    assert colours.shape == (200, 3)
    assert colours.min() == 0 and colours.max() == 1


def test_unit_range_goes_from_the_2nd_to_the_98th_percentile():
    embedding = torch.randn(1000, 5)
    colours = PrincipalComponents(embedding).unit_range(embedding)
    assert ((colours == 0).sum(0) == 20).all() and ((colours == 1).sum(0) == 20).all()


@pytest.mark.parametrize("rank", [0, 1])
def test_colours_of_a_collapsed_embedding_are_finite(rank):
    embedding = torch.randn(20, rank) @ torch.ones(rank, 5) + 2
    assert torch.isfinite(PrincipalComponents(embedding).unit_range(embedding)).all()


def test_saved_components_are_the_same_when_loaded(tmp_path):
    embedding = torch.randn(50, 8)
    basis = PrincipalComponents(embedding, components=2)
    basis.save(tmp_path / "new" / "basis.npz")
    loaded = PrincipalComponents.load(tmp_path / "new" / "basis.npz")
    assert torch.equal(loaded(embedding), basis(embedding)) and basis(embedding).shape == (50, 2)
    assert torch.equal(loaded.unit_range(embedding), basis.unit_range(embedding))


@pytest.mark.parametrize("content", [b"text", b""])
def test_a_file_without_components_is_refused(tmp_path, content):
    (tmp_path / "basis.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"basis\.npz holds no principal components"):
        PrincipalComponents.load(tmp_path / "basis.npz")
