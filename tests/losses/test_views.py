"""Embeddings of views are told apart."""

import pytest
import torch

from scripts.errors import InputError
from scripts.losses.views import gather_views


@pytest.mark.parametrize("number", [2, 3])
def test_embeddings_of_views_are_told_apart(number):
    views = gather_views(torch.arange(6)[:, None], number)
    assert [view.flatten().tolist() for view in views] == torch.arange(6).reshape(number, -1).tolist()


def test_a_single_crop_cannot_be_compared_with_others():
    with pytest.raises(InputError, match=r"a single crop.*raise batch_size or crops_per_volume"):
        gather_views(torch.randn(2, 4))
