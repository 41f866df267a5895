"""The probe, the principal components and the rank, against their definitions."""

import math

import numpy as np
import pytest
import torch

from scripts.errors import InputError
from scripts.metrics.location import r2_score
from scripts.metrics.rankme import rankme
from scripts.probes.principal_components import PrincipalComponents
from scripts.probes.ridge import PENALTIES, RidgeProbe


@pytest.fixture
def noisy():
    """Features [N, 40] and targets [N, 3] that depend on them with noise: training, validation, test."""
    weights = torch.randn(40, 3)

    def draw(number):
        features = 5 + torch.randn(number, 40) * torch.logspace(-2, 2, 40)
        return features, features @ weights * 0.01 + 10 + torch.randn(number, 3)

    return draw(60), draw(50), draw(70)


def ridge(train, penalty, features):
    """The solution of the normal equations with standardised features."""
    x, y = (part.double() for part in train)
    mean, scale = x.mean(0), x.std(0)
    x = (x - mean) / scale
    system = x.T @ x + penalty * len(x) * torch.eye(x.shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(system, x.T @ (y - y.mean(0)))
    return (features.double() - mean) / scale @ weights + y.mean(0)


def test_a_linear_map_is_recovered():
    weights = torch.randn(6, 3, dtype=torch.float64)
    features = 100 * torch.randn(200, 6) + 7
    targets = features.double() @ weights + 50
    prediction = RidgeProbe(features[:100], targets[:100], features[100:150], targets[100:150])(features[150:])
    assert (prediction - targets[150:]).norm(dim=1).mean() < 1e-3 * targets.std()


def test_it_is_ridge_regression_with_the_penalty_that_is_best_in_validation(noisy):
    train, validate, test = noisy
    errors = {p: float((ridge(train, p, validate[0]) - validate[1]).norm(dim=1).mean()) for p in PENALTIES}
    best = min(errors, key=errors.get)
    probe = RidgeProbe(*train, *validate)
    assert best not in (PENALTIES[0], PENALTIES[-1])
    assert probe.penalty == best
    assert torch.allclose(probe(test[0]), ridge(train, best, test[0]))


def test_other_validation_data_choose_another_penalty(noisy):
    train, (features, targets), _ = noisy
    assert RidgeProbe(*train, *train).penalty < RidgeProbe(*train, features, targets).penalty


def test_more_features_than_crops_are_fine():
    features, targets = torch.randn(10, 50), torch.randn(10, 3)
    assert torch.isfinite(RidgeProbe(features, targets, features, targets)(torch.randn(5, 50))).all()


def test_a_feature_that_never_varied_in_training_is_left_out():
    features, targets = torch.randn(30, 4), torch.randn(30, 3)
    features[:, 2] = 0.1
    changed = features.clone()
    changed[:, 2] = 9
    probe = RidgeProbe(features, targets, features, targets)
    assert torch.allclose(probe(changed), probe(features))


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


def test_r2_is_the_share_of_variance_that_is_explained():
    prediction, target = torch.randn(20, 3), torch.randn(20, 3)
    expected = [
        1
        - sum((p - t) ** 2 for p, t in zip(prediction[:, i], target[:, i], strict=True))
        / sum((t - target[:, i].mean()) ** 2 for t in target[:, i])
        for i in range(3)
    ]
    assert r2_score(prediction, target).tolist() == pytest.approx([float(value) for value in expected], rel=1e-4)


def test_r2_is_one_for_the_truth_and_zero_for_its_mean():
    target = torch.randn(20, 3)
    assert r2_score(target, target).tolist() == [1, 1, 1]
    assert r2_score(target.double().mean(0).expand(20, 3), target).tolist() == pytest.approx([0, 0, 0], abs=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 5, 8])
def test_rankme_counts_equal_singular_values(rank):
    left, right = torch.linalg.qr(torch.randn(30, 8)).Q, torch.linalg.qr(torch.randn(8, 8)).Q
    embedding = 7 * left[:, :rank] @ right[:rank]
    assert rankme(embedding) == pytest.approx(rank, rel=1e-4)


def test_rankme_of_two_unequal_singular_values_is_that_of_the_formula():
    expected = math.exp(-0.8 * math.log(0.8) - 0.2 * math.log(0.2))
    assert rankme(torch.diag(torch.tensor([4.0, 1.0]))) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("embedding", [torch.zeros(6, 4), torch.ones(6, 4), torch.ones(1, 4)])
def test_rankme_of_a_collapsed_embedding_is_one(embedding):
    assert rankme(embedding) == pytest.approx(1, rel=1e-4)


def test_rankme_does_not_depend_on_the_unit():
    embedding = torch.randn(20, 6)
    assert rankme(1e-6 * embedding) == pytest.approx(rankme(1e6 * embedding), rel=1e-6)


def test_rankme_does_not_change_its_input():
    embedding = torch.randn(20, 6, dtype=torch.float64)
    before = embedding.clone()
    rankme(embedding)
    assert torch.equal(embedding, before)


@pytest.mark.parametrize("content", [b"text", b""])
def test_a_file_without_components_is_refused(tmp_path, content):
    (tmp_path / "basis.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"basis\.npz holds no principal components"):
        PrincipalComponents.load(tmp_path / "basis.npz")
