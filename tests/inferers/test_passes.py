"""Sums over passes are what a slow loop over voxels finds."""

import math
import weakref

import pytest
import torch
from monai.data import MetaTensor

from scripts.errors import InputError
from scripts.inferers.passes import entropy, over_passes

LOGITS = 3 * torch.randn(5, 2, 3, 4, 3, 2, generator=torch.Generator().manual_seed(1))  # 5 passes, 3 classes


def slow_entropy(probabilities):
    return -sum(p * math.log(p) for p in probabilities if p > 0)


def voxels():
    """Place of each voxel, and its probabilities in each pass."""
    for place in torch.cartesian_prod(*map(torch.arange, (2, 4, 3, 2))).tolist():
        batch, *at = place
        yield (batch, slice(None), *at), [one[(batch, slice(None), *at)].double().softmax(0).tolist() for one in LOGITS]


def test_means_votes_and_uncertainties_are_those_of_a_loop():
    found = over_passes(iter(LOGITS))
    assert found.count == 5 and found.entropy.shape == found.mutual_information.shape == (2, 1, 4, 3, 2)
    for place, passes in voxels():
        mean = [sum(column) / 5 for column in zip(*passes, strict=True)]
        votes = [sum(one.index(max(one)) == k for one in passes) for k in range(3)]
        information = slow_entropy(mean) - sum(map(slow_entropy, passes)) / 5
        assert found.probability[place].tolist() == pytest.approx(mean, abs=1e-6)
        assert found.votes[place].tolist() == votes
        assert found.entropy[place].item() == pytest.approx(slow_entropy(mean), abs=1e-5)
        assert found.mutual_information[place].item() == pytest.approx(information, abs=1e-5)


def test_passes_that_say_the_same_have_no_mutual_information():
    found = over_passes([LOGITS[0]] * 7)
    assert found.mutual_information.max() < 1e-6 and found.mutual_information.min() >= 0
    assert torch.allclose(found.entropy, entropy(LOGITS[0].softmax(1)), atol=1e-6) and found.entropy.min() > 1e-4


def test_two_certain_passes_that_contradict_each_other_have_that_of_one_bit():
    sure = torch.tensor([[200.0, -200.0]]).reshape(1, 2, 1, 1, 1)
    found = over_passes([sure, -sure])
    assert found.mutual_information.item() == pytest.approx(math.log(2))
    assert found.votes.flatten().tolist() == [1, 1]


def test_a_class_without_probability_adds_nothing():
    assert entropy(torch.tensor([[1.0, 0.0, 0.0]])).item() == 0


def test_two_dimensions_are_as_good_as_three():
    flat, deep = over_passes(LOGITS[..., 0]), over_passes(LOGITS[..., :1])
    assert torch.equal(flat.mutual_information, deep.mutual_information[..., 0])


def test_metadata_is_left_behind_and_not_copied_in_every_step():
    found = over_passes([MetaTensor(LOGITS[0])])
    assert {type(value) for name, value in vars(found).items() if name != "count"} == {torch.Tensor}


def test_one_pass_is_gone_before_the_next_is_made():
    alive = []

    def passes():
        for _ in range(4):
            assert not [one for one in alive if one() is not None]
            output = torch.randn(1, 2, 2, 2, 2)
            alive.append(weakref.ref(output))
            yield output
            del output

    over_passes(passes())
    assert len(alive) == 4


def test_one_channel_is_refused():
    with pytest.raises(InputError, match=r"one output channel.*one for each class"):
        over_passes([torch.zeros(1, 1, 2, 2, 2)])
