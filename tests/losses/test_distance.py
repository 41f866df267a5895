"""The objective, against the paper's formula written out."""

import math

import pytest
import torch

from scripts.errors import InputError
from scripts.losses.distance import DistanceLoss, distance_loss, pair_distances


def paper_loss(embedding, location):
    """Mean over all N² entries of (D_latent - D_physical)², one entry at a time (arXiv 2410.16947)."""
    total, number = 0.0, len(embedding)
    for i in range(number):
        for j in range(number):
            latent = math.sqrt(sum((float(a) - float(b)) ** 2 for a, b in zip(embedding[i], embedding[j], strict=True)))
            physical = math.sqrt(sum((float(a) - float(b)) ** 2 for a, b in zip(location[i], location[j], strict=True)))
            total += (latent - physical) ** 2
    return total / number**2


@pytest.fixture
def crops():
    """Embeddings [11, 7] and locations [11, 3] of crops of three scans."""
    location = 40 * torch.randn(11, 3, dtype=torch.float64)
    return 20 * torch.randn(11, 7, dtype=torch.float64), location, torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2])


def rotation(size):
    return torch.linalg.qr(torch.randn(size, size, dtype=torch.float64)).Q


def test_the_papers_mean_over_all_entries_is_n_minus_1_nths_of_it(crops):
    embedding, location, _ = crops
    expected = paper_loss(embedding, location) * 11 / 10
    assert float(distance_loss(embedding, location)) == pytest.approx(expected, rel=1e-12)


def test_one_pair_gives_the_square_of_its_error():
    embedding, location = torch.tensor([[0.0, 0], [6, 8]]), torch.tensor([[1.0, 1, 1], [1, 1, 4]])
    assert float(distance_loss(embedding, location)) == (10 - 3) ** 2


def test_it_is_zero_for_an_isometric_copy_of_the_locations(crops):
    _, location, _ = crops
    embedding = torch.nn.functional.pad(location, (0, 4)) @ rotation(7) + 5
    assert float(distance_loss(embedding, location)) < 1e-20


@pytest.mark.parametrize("moved", ["embedding", "location"])
def test_turning_and_shifting_changes_nothing(crops, moved):
    embedding, location, _ = crops
    before = float(distance_loss(embedding, location))
    if moved == "embedding":
        embedding = embedding @ rotation(7) + 3
    else:
        location = location @ rotation(3) - 100
    assert float(distance_loss(embedding, location)) == pytest.approx(before, rel=1e-10)


def test_the_order_of_crops_changes_nothing(crops):
    embedding, location, scan = crops
    order = torch.randperm(11)
    for group in (None, scan):
        reordered = distance_loss(embedding[order], location[order], None if group is None else group[order])
        assert float(reordered) == pytest.approx(float(distance_loss(embedding, location, group)), rel=1e-12)


@pytest.mark.parametrize("within", [False, True])
def test_the_gradient_is_that_of_finite_differences(crops, within):
    embedding, location, scan = crops
    scan = scan if within else None
    assert torch.autograd.gradcheck(lambda z: distance_loss(z, location, scan), embedding.requires_grad_())


def test_coinciding_embeddings_have_a_gradient_of_zero():
    embedding = torch.ones(4, 5, requires_grad=True)
    distance_loss(embedding, torch.randn(4, 3)).backward()
    assert torch.equal(embedding.grad, torch.zeros(4, 5))


def test_pairs_within_scans_are_those_of_the_scans_one_by_one(crops):
    embedding, location, scan = crops
    total = pairs = 0
    for number in range(3):
        mine = scan == number
        count = int(mine.sum()) * (int(mine.sum()) - 1) // 2
        total, pairs = total + count * float(distance_loss(embedding[mine], location[mine])), pairs + count
    assert float(distance_loss(embedding, location, scan)) == pytest.approx(total / pairs, rel=1e-12)


def test_pairs_within_scans_do_not_see_where_the_scans_lie(crops):
    embedding, location, scan = crops
    before = float(distance_loss(embedding, location, scan))
    moved = location + 500 * scan[:, None]
    assert float(distance_loss(embedding, moved, scan)) == pytest.approx(before, rel=1e-10)
    assert float(distance_loss(embedding, moved)) > 10 * before


@pytest.mark.parametrize("scan", [torch.tensor([0]), torch.tensor([0, 1, 2])])
def test_without_pairs_it_is_zero_with_a_gradient_of_zero(scan):
    embedding = torch.randn(len(scan), 4, requires_grad=True)
    loss = distance_loss(embedding, torch.randn(len(scan), 3), scan)
    loss.backward()
    assert float(loss) == 0 and torch.equal(embedding.grad, torch.zeros_like(embedding))


def test_under_autocast_it_is_what_it_is_in_float32(crops):
    embedding, location = crops[0].float(), crops[1].float()
    plain = distance_loss(embedding, location)
    with torch.autocast("cpu", torch.bfloat16):
        loss = distance_loss(embedding, location)
    assert loss.dtype == torch.float32 and torch.equal(loss, plain)


def test_bfloat16_embeddings_are_compared_in_float32(crops):
    embedding, location = crops[0].bfloat16(), crops[1].float()
    loss = distance_loss(embedding, location)
    assert loss.dtype == torch.float32 and torch.equal(loss, distance_loss(embedding.float(), location))


def test_distances_of_coinciding_points_are_exact_where_cdist_rounds():
    points, pair = (1000 + torch.randn(20, 64)).repeat(2, 1), torch.arange(20).repeat(2)
    assert torch.cdist(points, points).diagonal().max() > 0.1  # mm; from a matrix product, torch's default
    assert float(distance_loss(points, torch.zeros(40, 3), pair)) == 0


def held_out_loss(images, location):
    """Loss on the second half of a linear encoder fitted to the first half, and that of a constant distance."""
    half = len(images) // 2
    encoder = torch.nn.Linear(images.shape[1], 3)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        distance_loss(encoder(images[:half]), location[:half]).backward()
        optimizer.step()
    with torch.no_grad():
        loss = distance_loss(encoder(images[half:]), location[half:])
    physical = torch.pdist(location[half:])
    return float(loss), float((physical - physical.mean()).square().mean())


def test_places_cannot_be_learnt_from_noise():
    location = 30 * torch.rand(160, 3)
    loss, constant = held_out_loss(torch.randn(160, 100), location)
    assert loss > constant


def test_places_can_be_learnt_from_images_that_show_them():
    location = 30 * torch.rand(160, 3)
    loss, constant = held_out_loss(torch.randn(160, 100) + (location - 15) @ torch.randn(3, 100), location)
    assert loss < 0.2 * constant


@pytest.mark.parametrize("pairs", ["all", "within"])
def test_the_module_compares_the_pairs_that_it_is_set_to(crops, pairs):
    embedding, location, scan = crops
    loss = DistanceLoss(pairs)(embedding, {"location": location, "scan": scan})
    assert torch.equal(loss, distance_loss(embedding, location, scan if pairs == "within" else None))


def test_unknown_pairs_are_refused_with_those_that_there_are():
    with pytest.raises(InputError, match=r"pairs is some: give one of all, within"):
        DistanceLoss("some")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_distances_and_gradient_are_those_of_torch_which_needs_n_n_d_on_gpus(dtype):
    points = torch.randn(40, 16, dtype=dtype)
    points[1] = points[0]
    weights = torch.randn(780, dtype=dtype)
    ours, theirs = points.clone().requires_grad_(), points.clone().requires_grad_()
    (pair_distances(ours) * weights).sum().backward()
    (torch.pdist(theirs) * weights).sum().backward()
    assert torch.equal(pair_distances(points), torch.pdist(points))
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-5)
