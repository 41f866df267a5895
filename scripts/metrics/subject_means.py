"""Means over scans of what was measured in each, and how sure they are, by draws of the subjects."""

from collections.abc import Mapping, Sequence

import torch

from .subject_bootstrap import SubjectBootstrap, expanded_interval

__all__ = ["subject_means"]


def subject_means(subjects: Sequence[str], scores: Sequence[Mapping[str, float]]) -> dict[str, float | None]:
    """Mean of each score, and the ends of its 95 % interval, as NAME, NAME_low and NAME_high.

    Args:
        subjects: of each scan.
        scores: of each scan, by name; one that is nan does not count.

    Returns:
        None as the mean of a score that no scan has; the ends are left out below 5 subjects.

    Example:
        >>> subject_means(["A", "B"], [{"mae": 1.0, "mae_bone": 2.0}, {"mae": 3.0, "mae_bone": float("nan")}])
        {'mae': 2.0, 'mae_bone': 2.0}
    """
    names = dict.fromkeys(name for one in scores for name in one)
    return {key: value for name in names for key, value in _mean(name, subjects, scores).items()}


def _mean(name: str, subjects: Sequence[str], scores: Sequence[Mapping[str, float]]) -> dict[str, float | None]:
    known = [(who, one[name]) for who, one in zip(subjects, scores, strict=True) if one[name] == one[name]]
    if not known:
        return {name: None}
    bootstrap = SubjectBootstrap([who for who, _ in known])
    draws = bootstrap.crop_means(torch.tensor([[value] for _, value in known]))[:, 0]
    interval = expanded_interval(draws, bootstrap.number)
    ends = {} if interval is None else dict(zip((f"{name}_low", f"{name}_high"), interval.tolist(), strict=True))
    return {name: float(draws[0]), **ends}
