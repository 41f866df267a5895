"""How good predictions of an outcome are, how sure that is, and how sure the first model's lead over each other."""

from dataclasses import dataclass

import numpy as np
import torch

from ..data.outcome import Outcome
from ..metrics.holm import holm
from ..metrics.outcome_metrics import class_metrics, placements, quantity_metrics
from ..metrics.signed_rank import signed_rank
from ..metrics.subject_bootstrap import SubjectBootstrap, expanded_interval

__all__ = ["Lead", "ModelResult", "Predicted", "compare_models"]


@dataclass(frozen=True)
class Predicted:
    """What models say of S subjects that they never saw.

    Attributes:
        outcome: what is true.
        fold: of each subject, [S].
        models: quantities [S], or probabilities of the classes [S, C], by the model's name, the encoder's first.
    """

    outcome: Outcome
    fold: np.ndarray
    models: dict[str, np.ndarray]

    def scores(self, name: str) -> np.ndarray:
        """Of each class, [S, C]: its probability, or how far a quantity is above the threshold, and below it."""
        said = self.models[name]
        if self.outcome.classes:
            return said
        above = said - self.outcome.threshold
        return np.stack([-above, above], 1)


@dataclass(frozen=True)
class Lead:
    """Of the first model over another, in one metric.

    Attributes:
        p: two-sided, of the paired test over subjects; p_holm: with all tests of the comparison in view.
        better_in: in how many subjects the first is better.
        effect_size: mean over subjects of how much better it is, in standard deviations of that.
    """

    p: float
    p_holm: float
    better_in: int
    effect_size: float


@dataclass(frozen=True)
class ModelResult:
    """Of one model.

    Attributes:
        values: by metric; intervals: of 95 % by metric, where there are subjects enough.
        leads: of the first model over this one, by metric; none of itself.
    """

    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    leads: dict[str, Lead]


@dataclass(frozen=True)
class _Draws:
    """Metrics of one model in each draw of the subjects, [R], the first of which has each once; and how good each
    subject's prediction is, [S], by the metric that is tested."""

    metrics: dict[str, torch.Tensor]
    merits: dict[str, np.ndarray]


def compare_models(predicted: Predicted) -> dict[str, ModelResult]:
    """Metrics, intervals and tests of each model, by its name.

    Absolute errors are compared by Wilcoxon's signed ranks, AUCs in paired draws of the subjects.
    """
    bootstrap = SubjectBootstrap(predicted.outcome.subject)
    draws = {name: _draws(predicted, name, bootstrap.counts) for name in predicted.models}
    own, *others = draws
    tested = [(name, metric) for name in others for metric in draws[own].merits]
    p = [_p_value(metric, draws[own], draws[name]) for name, metric in tested]
    leads: dict[str, dict[str, Lead]] = {name: {} for name in draws}
    for (name, metric), plain, adjusted in zip(tested, p, holm(p), strict=True):
        ahead = draws[own].merits[metric] - draws[name].merits[metric]
        leads[name][metric] = Lead(plain, adjusted, int((ahead > 0).sum()), _effect_size(ahead))
    return {name: _result(of_model, leads[name], bootstrap.number) for name, of_model in draws.items()}


def _draws(predicted: Predicted, name: str, counts: torch.Tensor) -> _Draws:
    outcome, metrics, merits = predicted.outcome, dict[str, torch.Tensor](), dict[str, np.ndarray]()
    if not outcome.classes:
        said, target = torch.from_numpy(predicted.models[name]), torch.from_numpy(outcome.target)
        metrics |= quantity_metrics(said, target, counts)
        merits["mae"] = -(said - target).abs().numpy()
    if outcome.class_of is not None:
        scores, target = torch.from_numpy(predicted.scores(name)), torch.from_numpy(outcome.class_of)
        fold = torch.from_numpy(predicted.fold)
        metrics |= class_metrics(scores, scores.argmax(1), target, fold, counts)
        merits["auc"] = placements(scores, target, fold).numpy()
    return _Draws(metrics, merits)


def _p_value(metric: str, own: _Draws, other: _Draws) -> float:
    if metric == "mae":
        return signed_rank(own.merits[metric], other.merits[metric]).p
    return _paired_draws(own.metrics[metric][1:] - other.metrics[metric][1:])


def _paired_draws(difference: torch.Tensor) -> float:
    """Twice the share of draws on the rarer side of 0, both counted with one draw more, so that it is never 0."""
    known = difference[~difference.isnan()]
    rarer = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(known) + 1))


def _effect_size(ahead: np.ndarray) -> float:
    known = ahead[~np.isnan(ahead)]
    spread = known.std(ddof=1)
    return float(known.mean() / spread) if spread > 0 else float("nan")


def _result(draws: _Draws, leads: dict[str, Lead], subjects: int) -> ModelResult:
    values = {metric: float(drawn[0]) for metric, drawn in draws.metrics.items()}
    found = {metric: expanded_interval(drawn, subjects) for metric, drawn in draws.metrics.items()}
    intervals = {metric: (float(ends[0]), float(ends[1])) for metric, ends in found.items() if ends is not None}
    return ModelResult(values, intervals, leads)
