"""Cox's model with a penalty is that of its definition, and that of the literature where the penalty does nothing."""

import numpy as np
import pytest
import torch

from scripts.probes.cox import PENALTIES, fit_cox, held_out_likelihood, partial_likelihood

# weeks in remission of 21 children with leukaemia on 6-MP (0: still in it) and of 21 without (Freireich 1963)
TREATED = [*((6, 1),) * 3, (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1), (16, 1), (17, 0), (19, 0)]
TREATED += [(20, 0), (22, 1), (23, 1), (25, 0), (32, 0), (32, 0), (34, 0), (35, 0)]
PLACEBO = [(weeks, 1) for weeks in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]


def survival(number=25, features=12, seed=0):
    """Features, and rounded times (some are tied) and events that depend on the first."""
    random = np.random.RandomState(seed)
    values = random.randn(number, features)
    times, censored = random.exponential(np.exp(-values[:, 0])), random.exponential(2, number)
    known = np.stack([np.ceil(5 * np.minimum(times, censored)) / 5, times <= censored], 1)
    return torch.from_numpy(values), torch.from_numpy(known)


def slow_likelihood(log_risk, target):
    """The definition, event by event."""
    events = [(i, time) for i, (time, event) in enumerate(target.tolist()) if event]
    return sum(log_risk[i] - log_risk[target[:, 0] >= time].exp().sum().log() for i, time in events)


def test_the_hazard_of_a_published_trial_is_the_published_one():
    """Kalbfleisch and Prentice, "Statistical Analysis of Failure Time Data" (1980): 1.51 with ties after Breslow."""
    target = torch.tensor(TREATED + PLACEBO).double()
    group = torch.tensor([[0.0]] * 21 + [[1000.0]] * 21).double()  # so large that no penalty matters
    for risk in fit_cox(group, target, group):
        assert float(risk[-1] - risk[0]) == pytest.approx(1.509, abs=1e-3)


def test_the_partial_likelihood_is_its_definition():
    (_, target), log_risk = survival(), torch.randn(3, 25).double()
    found = partial_likelihood(log_risk, target)
    assert found.tolist() == pytest.approx([float(slow_likelihood(each, target)) for each in log_risk])


def test_no_other_weights_have_a_better_penalised_likelihood():
    """It is concave, so that the weights are the best where its gradient is 0."""
    x, target = survival()
    for penalty, found in zip(PENALTIES, fit_cox(x, target, x.mean(0) + torch.eye(12)), strict=True):
        weights = found.clone().requires_grad_()
        (slow_likelihood(x @ weights, target) / 25 - penalty / 2 * weights.square().sum()).backward()
        assert weights.grad.abs().max() < 1e-8


def test_no_event_in_training_says_nothing():
    x, target = survival()
    target[:, 1] = 0
    assert not fit_cox(x, target, x).any()


def test_separable_subjects_do_not_diverge():
    x = torch.linspace(-1, 1, 20).double()[:, None] * 1e3
    target = torch.stack([torch.arange(20, 0, -1), torch.ones(20)], 1).double()
    risk = fit_cox(x, target, x)
    assert risk.isfinite().all() and (risk.diff(dim=1) > 0).all()


def test_a_held_out_loss_is_least_of_the_risk_that_is_true():
    x, target = survival(200)
    out = torch.arange(200) % 5 == 0
    losses = held_out_likelihood(torch.stack([x[:, 0], torch.zeros(200), -x[:, 0]]), target, out)
    assert losses[0] < losses[1] < losses[2]
