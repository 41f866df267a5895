"""From scores to a decision: a threshold chosen on validation data, and what it does to test data."""

import math

import torch

__all__ = ["best_threshold", "sensitivity_specificity"]


def best_threshold(scores: torch.Tensor, labels: torch.Tensor) -> float:
    """Threshold with the largest sum of sensitivity and specificity.

    Source: Youden, "Index for rating diagnostic tests", Cancer 3:32 (1950).

    Args:
        scores: [N], higher for positives; a score at or above the threshold is called positive.
        labels: class labels, 0 or 1, [N].

    Returns:
        Middle between the two neighbouring scores that it separates; the lowest such one where several are as good;
        nan where there is one class only.

    Example:
        >>> best_threshold(torch.tensor([0.0, 0.25, 0.75, 1.0]), torch.tensor([0, 0, 1, 1]))
        0.5
    """
    if len(labels.unique()) < 2:
        return float("nan")
    order = torch.argsort(scores)
    scores, labels = scores[order].double(), labels[order].double()
    positives, negatives = labels.sum(), (1 - labels).sum()
    # calling negative what lies below each score in turn
    gain = (1 - labels).cumsum(0) / negatives - labels.cumsum(0) / positives
    gain = torch.cat([gain.new_zeros(1), gain])
    distinct = torch.cat([scores[1:] > scores[:-1], torch.ones(1, dtype=torch.bool)])
    gain[1:][~distinct] = -1
    below = int(gain.argmax())
    edges = torch.cat([scores[:1] - 1, scores, scores[-1:] + 1])
    return float((edges[below] + edges[below + 1]) / 2)


def sensitivity_specificity(scores: torch.Tensor, labels: torch.Tensor, threshold: float) -> tuple[float, float]:
    """Shares of positives at or above a threshold, and of negatives below it; nan where there are none, or it is.

    Args:
        scores: [N].
        labels: class labels, 0 or 1, [N].
        threshold: of `best_threshold`, chosen on other data.
    """
    if math.isnan(threshold):
        return math.nan, math.nan
    called = scores >= threshold
    return float(called[labels > 0].double().mean()), float((~called)[labels == 0].double().mean())
