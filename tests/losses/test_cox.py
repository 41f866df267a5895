"""The Cox objective, against its formula written out, and what follows of it."""

import math

import pytest
import torch

from scripts.losses.cox import CoxLoss, cox_loss
from scripts.probes.cox import partial_likelihood


def slow_loss(log_risk, target):
    """- Σ over events of (risk - log Σ over those still at risk of exp(risk)), by the number of events."""
    total, events = 0.0, 0
    for risk, (time, event) in zip(log_risk.tolist(), target.tolist(), strict=True):
        if event:
            at_risk = [
                other for other, (later, _) in zip(log_risk.tolist(), target.tolist(), strict=True) if later >= time
            ]
            total -= risk - math.log(sum(math.exp(other) for other in at_risk))
            events += 1
    return total / events


@pytest.fixture
def subjects():
    """Log risks [12] and times, some of which are the same, with events [12, 2]."""
    times = torch.randint(1, 6, (12,)).double()
    return torch.randn(12, dtype=torch.float64), torch.stack([times, (torch.arange(12) % 3 > 0).double()], 1)


def test_it_is_its_formula(subjects):
    assert float(cox_loss(*subjects)) == pytest.approx(slow_loss(*subjects), rel=1e-10)


def test_it_is_the_likelihood_of_the_linear_model(subjects):
    log_risk, target = subjects
    expected = -partial_likelihood(log_risk[None], target)[0] / target[:, 1].sum()
    torch.testing.assert_close(cox_loss(log_risk, target), expected)


def test_of_equal_risks_it_is_the_mean_log_of_those_at_risk():
    target = torch.tensor([[1.0, 1], [2, 1], [3, 0], [4, 1]])
    assert float(cox_loss(torch.zeros(4), target)) == pytest.approx(math.log(4 * 3 * 1) / 3)


def test_neither_the_order_nor_a_risk_that_all_have_matters(subjects):
    log_risk, target = subjects
    order = torch.randperm(12)
    torch.testing.assert_close(cox_loss(log_risk[order] + 5, target[order]), cox_loss(log_risk, target))


def test_who_has_an_event_earlier_is_to_have_a_higher_risk():
    risk, target = torch.zeros(3, 1, requires_grad=True), torch.tensor([[1.0, 1], [2, 1], [3, 0]])
    CoxLoss()(risk, target).backward()
    assert risk.grad[0] < risk.grad[1] < risk.grad[2]


def test_without_an_event_nothing_is_learned():
    risk = torch.randn(3, 1, requires_grad=True)
    loss = CoxLoss()(risk, torch.tensor([[1.0, 0], [2, 0], [3, 0]]))
    loss.backward()
    assert loss == 0 and not risk.grad.any()


def test_large_risks_do_not_overflow():
    target = torch.tensor([[1.0, 1], [2, 1]])
    assert CoxLoss()(torch.tensor([[1e4], [-1e4]]), target).isfinite()


def test_two_processes_with_other_subjects_are_one_with_all(subjects, in_two_processes):
    log_risk, target = subjects[0].float()[:, None], subjects[1].float()

    def half():
        rank = torch.distributed.get_rank()
        own = log_risk[6 * rank : 6 * rank + 6].clone().requires_grad_()
        loss = CoxLoss()(own, target[6 * rank : 6 * rank + 6])
        loss.backward()
        return loss.item(), own.grad.tolist()

    whole = log_risk.clone().requires_grad_()
    loss = CoxLoss()(whole, target)
    loss.backward()
    (first, above), (second, below) = in_two_processes(half)
    assert first == pytest.approx(loss.item(), rel=1e-5) and second == pytest.approx(loss.item(), rel=1e-5)
    torch.testing.assert_close(torch.tensor(above + below) / 2, whole.grad, atol=1e-6, rtol=1e-4)
