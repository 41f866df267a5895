"""The multimodal puzzle, against its equation on voxels, and on noise, which does not solve it."""

import pytest
import torch
from torch import nn

from scripts.errors import InputError
from scripts.losses import multimodal_puzzle
from scripts.losses.multimodal_puzzle import MultimodalPuzzleLoss, puzzle_loss
from scripts.losses.sinkhorn import log_sinkhorn
from scripts.transforms.patch_distances import PatchDistances

CELLS, N = [3, 3, 1], 9


def mixed_up(patches, empty=0.0):
    """Regions of patches [R, N, *size] in random orders, and the target of a batch of them."""
    orders = torch.stack([torch.randperm(N) for _ in patches])
    mixed = patches[torch.arange(len(patches))[:, None], orders].flatten(0, 1)
    items = PatchDistances("image", CELLS, empty)([{"image": patch} for patch in mixed])
    target = {key: torch.stack([torch.as_tensor(item[key]) for item in items]) for key in ("distances", "empty")}
    return mixed, target | {"cell": orders.flatten(), "scan": torch.arange(len(mixed))}


def by_hand(soft, mixed, target):
    """Squares of P* - S^T P, place by place, of places that are not empty, in the mean over places and voxels."""
    patches, cell = mixed.unflatten(0, (-1, N)).flatten(2), target["cell"].unflatten(0, (-1, N))
    empty, total = target["empty"].unflatten(0, (-1, N)), 0.0
    for region in range(len(patches)):
        for place in range(N):
            (here,) = [i for i in range(N) if cell[region, i] == place]
            if not empty[region, here]:
                put = sum(soft[region, i, place] * patches[region, i] for i in range(N))
                total += float((patches[region, here] - put).square().mean())
    return total / (len(patches) * N)


def some_empty(regions):
    """Patches of which three of each region are air."""
    patches = torch.randn(regions, N, 1, 4, 4, 2)
    patches[:, [0, 4, 7]] = -1
    return patches


@pytest.fixture
def batch():
    return mixed_up(some_empty(4))


class Given(nn.Module):
    """A head for embeddings that are scores."""

    def forward(self, scores):
        return scores


def solved(target, certain=50.0):
    """Scores that put each patch where it belongs."""
    return certain * torch.eye(N)[target["cell"]]


def test_it_is_what_a_soft_permutation_of_patches_differs_by_from_the_truth(batch):
    mixed, target = batch
    soft = log_sinkhorn(torch.randn(4, N, N), 3).exp()
    regions = {key: target[key].unflatten(0, (-1, N)) for key in ("distances", "cell", "empty")}
    assert float(puzzle_loss(soft, **regions)) == pytest.approx(by_hand(soft, mixed, target), rel=1e-5)


def test_scores_at_a_temperature_are_made_a_soft_permutation():
    mixed, target = mixed_up(torch.randn(3, N, 1, 4, 4, 2))
    scores = torch.randn(3 * N, N)
    soft = log_sinkhorn(scores.unflatten(0, (-1, N)) / 0.4, 5).exp()
    loss = MultimodalPuzzleLoss(Given(), CELLS, 0.4, 5)
    assert float(loss(scores, target)) == pytest.approx(by_hand(soft, mixed, target), rel=1e-5)


def test_the_truth_costs_nothing(batch):
    _, target = batch
    loss = MultimodalPuzzleLoss(Given(), CELLS)
    assert float(loss(solved(target), target)) == pytest.approx(0, abs=1e-6)
    assert loss.correct(solved(target), target).tolist() == [1, 1, 1, 1]


def test_equal_scores_put_the_mean_patch_everywhere():
    mixed, target = mixed_up(torch.randn(5, N, 1, 4, 4, 2))
    patches = mixed.unflatten(0, (-1, N))
    expected = (patches - patches.mean(1, keepdim=True)).square().mean()
    loss = MultimodalPuzzleLoss(Given(), CELLS)(torch.zeros(5 * N, N), target)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_the_order_in_which_patches_come_changes_nothing(batch):
    _, target = batch
    scores, order = torch.randn(4 * N, N), torch.cat([N * region + torch.randperm(N) for region in range(4)])
    moved = {key: target[key][order] for key in ("cell", "empty")}
    within = (order % N).unflatten(0, (-1, N))[:, None].expand(-1, N, -1).flatten(0, 1)
    moved["distances"] = target["distances"][order].gather(1, within)
    loss = MultimodalPuzzleLoss(Given(), CELLS)
    assert float(loss(scores[order], moved)) == pytest.approx(float(loss(scores, target)), rel=1e-4)
    assert torch.equal(loss.correct(scores[order], moved), loss.correct(scores, target))


def test_scores_of_empty_patches_and_of_their_places_change_nothing(batch):
    _, target = batch
    scores = torch.randn(4 * N, N)
    changed = torch.where(target["empty"][:, None], 100 * torch.randn(4 * N, N), scores)
    changed[:, [0, 4, 7]] += 100 * torch.randn(4 * N, 3)
    loss = MultimodalPuzzleLoss(Given(), CELLS)
    assert torch.equal(loss(scores, target), loss(changed, target))
    assert torch.equal(loss.correct(scores, target), loss.correct(changed, target))


def test_a_region_of_air_costs_nothing_and_leaves_nothing_to_tell():
    _, target = mixed_up(torch.full((2, N, 1, 4, 4, 2), -1.0))
    loss, scores = MultimodalPuzzleLoss(Given(), CELLS), torch.randn(2 * N, N, requires_grad=True)
    value = loss(scores, target)
    value.backward()
    assert float(value.detach()) == 0 and not scores.grad.any()
    assert loss.correct(scores, target).tolist() == loss.chance(target).tolist() == [1, 1]


def test_the_share_of_right_patches_is_of_the_best_assignment():
    _, target = mixed_up(torch.randn(1, N, 1, 4, 4, 2))
    swapped = torch.tensor([1, 0, 2, 3, 4, 5, 6, 7, 8])
    scores = solved(target)[:, swapped]
    scores[:, 5] += 1000  # which all like best, and one can have
    loss = MultimodalPuzzleLoss(Given(), CELLS)
    assert loss.correct(scores, target).tolist() == pytest.approx([7 / 9])


def test_a_guess_is_right_once_in_as_many_times_as_patches_are_not_empty(batch):
    _, target = batch
    loss = MultimodalPuzzleLoss(Given(), CELLS)
    assert loss.chance(target).tolist() == pytest.approx(4 * [1 / 6])


def test_scores_that_say_nothing_are_right_as_often_as_a_guess():
    _, target = mixed_up(some_empty(300))
    loss = MultimodalPuzzleLoss(Given(), CELLS)
    for scores in (torch.zeros(300 * N, N), torch.randn(300 * N, N)):
        assert float(loss.correct(scores, target).mean()) == pytest.approx(1 / 6, abs=0.04)


def test_noise_is_added_to_scores_in_training_alone_by_torchs_generator(batch):
    _, target = batch
    loss, scores = MultimodalPuzzleLoss(Given(), CELLS, noise=1.0), torch.randn(4 * N, N)
    torch.manual_seed(0)
    first, other = loss(scores, target), loss(scores, target)
    torch.manual_seed(0)
    assert loss(scores, target) == first != other
    assert loss.eval()(scores, target) == loss(scores, target) == MultimodalPuzzleLoss(Given(), CELLS)(scores, target)


def test_a_low_temperature_leaves_loss_and_gradient_finite(batch):
    _, target = batch
    scores = (10 * torch.randn(4 * N, N)).requires_grad_()
    loss = MultimodalPuzzleLoss(Given(), CELLS, temperature=0.01)(scores, target)
    loss.backward()
    assert loss.isfinite() and scores.grad.isfinite().all()


def test_bfloat16_embeddings_are_compared_in_float32(batch):
    _, target = batch
    loss, embedding = MultimodalPuzzleLoss(nn.Linear(4, N), CELLS), torch.randn(4 * N, 4).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(embedding, target)
    assert torch.equal(value, loss(embedding.float(), target)) and value.dtype == torch.float32


def test_without_scipy_it_is_trained_and_how_much_is_right_is_not_known(batch, monkeypatch, caplog):
    monkeypatch.setattr(multimodal_puzzle, "SCIPY", False)
    _, target = batch
    loss = MultimodalPuzzleLoss(Given(), CELLS)
    assert loss(torch.randn(4 * N, N), target).isfinite() and loss.correct(torch.randn(4 * N, N), target).isnan().all()
    assert "pip install scipy" in caplog.text


def test_a_temperature_of_nothing_is_refused():
    with pytest.raises(InputError, match="temperature is 0: give a number above 0"):
        MultimodalPuzzleLoss(Given(), CELLS, temperature=0)


def held_out(make, steps=80):
    """Accuracy of an encoder and a head that were fitted to regions, on others."""
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(27, 16), nn.ReLU(), nn.Linear(16, 8))
    loss = MultimodalPuzzleLoss(nn.Linear(8, N), CELLS)
    optimizer = torch.optim.Adam([*encoder.parameters(), *loss.parameters()], lr=0.01)
    batches = [mixed_up(make(8)) for _ in range(4)]
    for step in range(steps):
        mixed, target = batches[step % 4]
        optimizer.zero_grad()
        loss(encoder(mixed), target).backward()
        optimizer.step()
    mixed, target = mixed_up(make(120))
    return float(loss.eval().correct(encoder(mixed), target).mean())


def noise(regions):
    return torch.randn(regions, N, 1, 3, 3, 3)


def shaded(regions):
    """Patches that say where they are from: by a direction of their own, and noise."""
    return noise(regions) + 2 * torch.randn(N, 1, 3, 3, 3, generator=torch.Generator().manual_seed(5))


def test_where_patches_of_noise_are_from_cannot_be_told():
    assert held_out(noise) == pytest.approx(1 / N, abs=0.04)


def test_where_patches_are_from_can_be_told_that_look_like_their_place():
    assert held_out(shaded) > 0.7
