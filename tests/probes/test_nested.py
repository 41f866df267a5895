"""Linear models of more features than subjects find what there is, and nothing where there is nothing."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from scripts.metrics.roc_auc import roc_auc
from scripts.probes.nested import (
    COX,
    LOGISTIC,
    PENALTIES,
    RIDGE,
    Coordinates,
    fit_logistic,
    fit_ridge,
    nested_prediction,
)


def subjects(number, features=300, seed=0):
    """Features, the first two of which are large, and a quantity that is the first."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(number, features, generator=generator)
    signal = torch.randn(number, generator=generator)
    return values + signal[:, None] * torch.linspace(0.5, 0, features), signal.double()


def test_coordinates_keep_every_product_of_features():
    (known, _), (others, _) = subjects(20), subjects(5, seed=1)
    coordinates = Coordinates(known)
    standard = coordinates.standardise(known)
    assert coordinates.train.shape[1] <= 20
    torch.testing.assert_close(coordinates.train @ coordinates.train.T, standard @ standard.T / 300)
    torch.testing.assert_close(
        coordinates(others) @ coordinates.train.T, coordinates.standardise(others) @ standard.T / 300
    )


def test_ridge_is_scikit_learns_with_all_features():
    (known, target), (others, _) = subjects(20), subjects(5, seed=1)
    coordinates = Coordinates(known)
    scaled = coordinates.standardise(known) / 300**0.5
    for penalty, found in zip(PENALTIES, fit_ridge(coordinates.train, target, coordinates(others)), strict=True):
        model = Ridge(alpha=penalty * 20).fit(scaled, target)
        assert np.allclose(found, model.predict(coordinates.standardise(others) / 300**0.5), atol=1e-6)


def test_logistic_regression_is_scikit_learns_with_all_features():
    (known, signal), (others, _) = subjects(30), subjects(5, seed=1)
    target, coordinates = (signal > 0.3).long(), Coordinates(known)
    model = LogisticRegression(C=1 / (1e-3 * 30), class_weight="balanced", solver="newton-cg", tol=1e-8)
    model.fit(coordinates.standardise(known) / 300**0.5, target)
    found = fit_logistic(coordinates.train, target, coordinates(others))[PENALTIES.index(1e-3)]
    assert np.allclose(found, model.predict_proba(coordinates.standardise(others) / 300**0.5), atol=1e-3)


def test_a_quantity_is_found_among_more_features_than_subjects():
    (known, target), (others, expected) = subjects(60), subjects(60, seed=1)
    predicted = nested_prediction(known, target.numpy(), others, RIDGE, seed=0)
    assert (predicted - expected).square().mean() < 0.3 * expected.var()


def test_classes_are_found_among_more_features_than_subjects():
    (known, signal), (others, expected) = subjects(60), subjects(60, seed=1)
    predicted = nested_prediction(known, (signal > 0).long().numpy(), others, LOGISTIC, seed=0)
    assert roc_auc(predicted[:, 1], expected > 0) > 0.9
    assert torch.allclose(predicted.sum(1), torch.ones(60).double())


def test_noise_predicts_hardly_more_than_the_mean():
    random = np.random.RandomState(0)
    known, others, target = (random.randn(*shape) for shape in ((60, 300), (200, 300), (60,)))
    predicted = nested_prediction(torch.from_numpy(known), target, torch.from_numpy(others), RIDGE, seed=0)
    assert (predicted - target.mean()).square().mean() < 0.2 * target.var()


@pytest.mark.parametrize(
    ("model", "target", "usual"),
    [
        (RIDGE, np.arange(20.0), 9.5),
        (LOGISTIC, np.array([0, 1] * 10), 0.5),
        (COX, np.stack([np.arange(1.0, 21), np.ones(20)], 1), 0),
    ],
)
def test_features_that_never_vary_say_what_is_usual(model, target, usual):
    predicted = nested_prediction(torch.ones(20, 3), target, torch.ones(4, 3), model, seed=0)
    assert torch.allclose(predicted, torch.tensor(usual).double(), atol=1e-3)


def test_one_wild_value_of_one_subject_decides_nothing():
    (known, target), (others, _) = subjects(60), subjects(5, seed=1)
    wild = others.clone()
    wild[0, 7] = 1e6
    plain, changed = (nested_prediction(known, target.numpy(), each, RIDGE, 0)[0] for each in (others, wild))
    assert abs(changed - plain) < target.std()


def test_who_has_an_event_first_is_found_among_more_features_than_subjects():
    (known, signal), (others, expected) = subjects(60), subjects(60, seed=1)
    censored = np.arange(60) % 3 > 0  # a third of all are seen no longer than half of their time
    times = np.exp(-signal.numpy()) * np.where(censored, 0.5, 1)
    risk = nested_prediction(known, np.stack([times, ~censored], 1).astype(float), others, COX, seed=0)
    assert np.corrcoef(risk, expected)[0, 1] > 0.7


def test_folds_within_folds_are_alike_in_who_has_an_event():
    target = np.stack([np.arange(1.0, 21), np.arange(20) % 4 == 0], 1)
    fold = COX.folds(target, 5, seed=0)
    assert [int(target[fold == number, 1].sum()) for number in range(5)] == [1] * 5


@pytest.mark.parametrize(
    ("model", "target"),
    [(RIDGE, np.arange(6.0)), (LOGISTIC, np.arange(6) % 2), (COX, np.stack([np.arange(1.0, 7), [1, 1, 0] * 2], 1))],
)
def test_six_subjects_in_any_number_of_folds_are_each_predicted(model, target):
    """Of four that train, each is held out once; two of a class are never held out together."""
    features, _ = subjects(6)
    for train in (4, 5):
        said = nested_prediction(features[:train], target[:train], features[train:], model, seed=0)
        assert said.isfinite().all() and len(said) == 6 - train
