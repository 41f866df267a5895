"""Collapse is seen in the embeddings, and nothing else is called so."""

import pytest
import torch

from scripts.metrics.collapse import collapse, embedding_std

POSITION = 60 * torch.randn(200, 3, generator=torch.Generator().manual_seed(0))


def test_the_standard_deviation_is_that_of_a_feature():
    embedding = torch.tensor([[0.0, 1], [2, 1], [4, 1], [6, 1]])
    assert embedding_std(embedding) == pytest.approx(5**0.5 / 2)


def test_equal_embeddings_have_collapsed():
    assert "all crops have nearly the same embedding" in collapse(torch.ones(50, 8))


def test_embeddings_that_hardly_differ_have_collapsed():
    assert "they differ by 0.1 % of its length" in collapse(torch.tensor([99.9, 100.1]).repeat(10)[:, None])


def test_embeddings_on_a_line_have_collapsed():
    line = torch.randn(50, 1) * torch.randn(8) + 3
    assert "one direction alone (effective rank 1.0" in collapse(line + 1e-3 * torch.randn(50, 8))


@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
@pytest.mark.parametrize("embedding", [POSITION, torch.nn.functional.pad(POSITION, (0, 1021)) + 50, torch.eye(64)])
def test_embeddings_that_tell_places_apart_have_not_collapsed(embedding, scale):
    assert collapse(scale * embedding) is None


def test_zeros_have_collapsed():
    assert collapse(torch.zeros(10, 4)) is not None
