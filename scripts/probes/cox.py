"""Cox's proportional hazards with an L2 penalty: who has an event earlier, of subjects some of whom have none yet."""

import torch

__all__ = ["PENALTIES", "fit_cox", "held_out_likelihood", "partial_likelihood"]

PENALTIES = tuple(10.0**exponent for exponent in range(-3, 2))  # below, a hundred subjects' risks differ by e^10
STEPS = 50  # of Newton's method, at most, with each
LONGEST = 2.0  # change of a subject's log risk in one of them


def fit_cox(train: torch.Tensor, target: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Log risks [P, M], 0 for a mean subject, with each of `PENALTIES` on the mean negative log partial likelihood.

    scikit-survival's `CoxPHSurvivalAnalysis(alpha=penalty * N, ties="breslow")` finds the same, in loops over subjects,
    which with as many coordinates take ten times as long.

    Source: Cox, "Regression Models and Life-Tables", J. R. Stat. Soc. B 34:187 (1972); ties after Breslow (1974); the
    penalty after Verweij and van Houwelingen, Statistics in Medicine 13:2427 (1994).

    Args:
        train: [N, r].
        target: time, and 1 where it is that of an event, 0 where nobody knows of later, [N, 2]; one event at least.
        others: [M, r].
    """
    centre, at_risk, event = train.mean(0), _at_risk(target), target[:, 1]
    x, weights = train - centre, train.new_zeros(train.shape[1])
    found = []
    for penalty in reversed(PENALTIES):  # each begins where the one before it, which shrinks more, ended
        for _ in range(STEPS):
            step = _newton_step(weights, x, at_risk, event, penalty)
            longest = float((x @ step).abs().max())
            weights = weights - step * min(1.0, LONGEST / max(longest, 1e-12))  # far from the optimum, it overshoots
            if longest < 1e-6:
                break
        found.append(weights)
    return torch.stack(found[::-1]) @ (others - centre).T


def partial_likelihood(log_risk: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Log partial likelihood, [P], of log risks [P, N] of subjects with times and events [N, 2], ties after Breslow.

    Example:
        >>> times = torch.tensor([[1.0, 1], [2, 0], [3, 1]])  # of two at risk or more, one event: the first of three
        >>> partial_likelihood(torch.zeros(1, 3), times).exp()
        tensor([0.3333])
    """
    event = target[:, 1] > 0
    among = log_risk[:, None].masked_fill(~_at_risk(target), -torch.inf).logsumexp(2)
    return (log_risk[:, event] - among).sum(1)


def held_out_likelihood(log_risk: torch.Tensor, target: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """What some subjects add to the negative log partial likelihood of all, [P]: a loss where few have events.

    Source: Verweij and van Houwelingen, "Cross-validation in survival analysis", Statistics in Medicine 12:2305 (1993).

    Args:
        log_risk: of all subjects, by models that were fitted without those, [P, N].
        target: their times and events, [N, 2].
        out: who was left out, [N], bool.
    """
    return partial_likelihood(log_risk[:, ~out], target[~out]) - partial_likelihood(log_risk, target)


def _at_risk(target: torch.Tensor) -> torch.Tensor:
    """Who, of N subjects, had no event before that of each of E, [E, N]; itself among them."""
    time, event = target[:, 0], target[:, 1] > 0
    return time >= time[event][:, None]


def _newton_step(
    weights: torch.Tensor, x: torch.Tensor, at_risk: torch.Tensor, event: torch.Tensor, penalty: float
) -> torch.Tensor:
    """What to take from weights, [r], of which the objective is smooth and convex."""
    share = (x @ weights).masked_fill(~at_risk, -torch.inf).softmax(1)  # [E, N], of each event's risk
    expected, mean = share.sum(0), share @ x
    gradient = (expected - event) @ x / len(x) + penalty * weights
    curvature = ((x.T * expected) @ x - mean.T @ mean) / len(x) + penalty * torch.eye(x.shape[1], dtype=x.dtype)
    return torch.linalg.solve(curvature, gradient)
