"""How good predictions of an outcome are, how sure that is, and how sure the first model's lead over each other."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from ..data.outcome import Outcome
from ..metrics.concordance import concordance, concordance_of_subjects
from ..metrics.holm import holm
from ..metrics.outcome_metrics import class_metrics, placements, quantity_metrics
from ..metrics.signed_rank import signed_rank
from ..metrics.subject_bootstrap import FEWEST, SubjectBootstrap, expanded_interval, expanded_p

__all__ = ["Lead", "ModelResult", "Predicted", "compare_models"]

OF_CLASSES = ("auc", "balanced_accuracy")


@dataclass(frozen=True)
class Predicted:
    """What models say of S subjects that they never saw.

    Attributes:
        outcome: what is true.
        fold: of each subject, [S].
        models: quantities or log risks [S], or probabilities of the classes [S, C], by the model's name, the encoder's
            first.
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
        difference: of the first's metric from that model's; interval: of 95 %, in paired draws of the subjects.
        p: two-sided, of the paired test over subjects; p_holm: with all tests of the comparison in view; nan of fewer
            subjects than an interval needs.
        better_in: in how many subjects the first is better.
        effect_size: mean over subjects of how much better it is, in standard deviations of that.
        rank_biserial: where p is of signed ranks, their correlation, above 0 where they are for the first; else nan.
    """

    difference: float
    interval: tuple[float, float] | None
    p: float
    p_holm: float
    better_in: int
    effect_size: float
    rank_biserial: float


@dataclass(frozen=True)
class ModelResult:
    """Of one model.

    Attributes:
        values: by metric; intervals: of 95 % by metric, where there are subjects enough.
        cautions: why an interval, by metric, and the p beside it are not to be relied on.
        leads: of the first model over this one, by metric; none of itself.
    """

    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    cautions: dict[str, str]
    leads: dict[str, Lead]


@dataclass(frozen=True)
class _Draws:
    """Metrics of one model in each draw of the subjects, [R], the first of which has each once; and how good each
    subject's prediction is, [S], by the metric that is tested."""

    metrics: dict[str, torch.Tensor]
    merits: dict[str, np.ndarray]


def compare_models(predicted: Predicted) -> dict[str, ModelResult]:
    """Metrics, intervals and tests of each model, by its name.

    Absolute errors are compared by Wilcoxon's signed ranks, AUCs and concordances in paired draws of the subjects.
    """
    bootstrap = SubjectBootstrap(predicted.outcome.subject)
    draws = {name: _draws(predicted, name, bootstrap.counts) for name in predicted.models}
    own, *others = draws
    tested = [(name, metric) for name in others for metric in draws[own].merits]
    tests = [_test(metric, draws[own], draws[name], bootstrap.number) for name, metric in tested]
    leads: dict[str, dict[str, Lead]] = {name: {} for name in draws}
    for (name, metric), (p, ranks), adjusted in zip(tested, tests, holm([p for p, _ in tests]), strict=True):
        ahead = draws[own].merits[metric] - draws[name].merits[metric]
        difference = draws[own].metrics[metric] - draws[name].metrics[metric]
        interval = _interval(difference, bootstrap.number)
        better_in, effect_size = int((ahead > 0).sum()), _effect_size(ahead)
        leads[name][metric] = Lead(float(difference[0]), interval, p, adjusted, better_in, effect_size, ranks)
    return {name: _result(of_model, leads[name], predicted.outcome) for name, of_model in draws.items()}


def _draws(predicted: Predicted, name: str, counts: torch.Tensor) -> _Draws:
    outcome, metrics, merits = predicted.outcome, dict[str, torch.Tensor](), dict[str, np.ndarray]()
    fold = torch.from_numpy(predicted.fold)
    if outcome.event is not None:
        known = (predicted.models[name], outcome.target, outcome.event)
        risk, time, event = (torch.from_numpy(each) for each in known)
        metrics["concordance"] = concordance(risk, time, event, fold, counts)
        merits["concordance"] = concordance_of_subjects(risk, time, event, fold).numpy()
    if outcome.is_quantity:
        said, target = torch.from_numpy(predicted.models[name]), torch.from_numpy(outcome.target)
        metrics |= quantity_metrics(said, target, counts)
        if torch.allclose(said, torch.stack([target[fold != one].mean() for one in fold])):
            metrics["pearson_r"] *= torch.nan  # of means of the other folds, it is negative whatever the outcome is
        merits["mae"] = -(said - target).abs().numpy()
    if outcome.class_of is not None:
        scores, target = torch.from_numpy(predicted.scores(name)), torch.from_numpy(outcome.class_of)
        metrics |= class_metrics(scores, scores.argmax(1), target, fold, counts)
        merits["auc"] = placements(scores, target, fold).numpy()
    return _Draws(metrics, merits)


def _test(metric: str, own: _Draws, other: _Draws, subjects: int) -> tuple[float, float]:
    """p and, of signed ranks, their rank-biserial correlation."""
    if subjects < FEWEST:
        return math.nan, math.nan
    if metric == "mae":
        ranks = signed_rank(own.merits[metric], other.merits[metric])
        return ranks.p, ranks.rank_biserial
    return expanded_p(own.metrics[metric] - other.metrics[metric], subjects), math.nan


def _effect_size(ahead: np.ndarray) -> float:
    known = ahead[~np.isnan(ahead)]
    spread = known.std(ddof=1) if len(known) > 1 else 0
    return float(known.mean() / spread) if spread > 0 else float("nan")


def _result(draws: _Draws, leads: dict[str, Lead], outcome: Outcome) -> ModelResult:
    values = {metric: float(drawn[0]) for metric, drawn in draws.metrics.items()}
    found = {metric: _interval(drawn, len(outcome.subject)) for metric, drawn in draws.metrics.items()}
    intervals = {metric: ends for metric, ends in found.items() if ends is not None}
    cautions = {metric: _caution(metric, interval, outcome) for metric, interval in intervals.items()}
    return ModelResult(values, intervals, {metric: why for metric, why in cautions.items() if why}, leads)


def _interval(drawn: torch.Tensor, subjects: int) -> tuple[float, float] | None:
    ends = expanded_interval(drawn, subjects)
    return None if ends is None or ends.isnan().any() else (float(ends[0]), float(ends[1]))


def _caution(metric: str, interval: tuple[float, float], outcome: Outcome) -> str:
    """Why an interval is not to be relied on; nothing where it is.

    Where few pairs count, all of them are often ranked rightly, and so in every draw: with a true AUC of 0.8, in a half
    of cohorts of 3 + 3 subjects in 3 folds, and in a third of those of 5 + 5 in 5.
    """
    if metric in OF_CLASSES and min(outcome.class_sizes.values()) < FEWEST:
        return f"fewer than {FEWEST} subjects of a class"
    if metric == "concordance" and outcome.event is not None and outcome.event.sum() < FEWEST:
        return f"fewer than {FEWEST} subjects with an event"
    if metric in (*OF_CLASSES, "concordance") and interval in ((0, 0), (1, 1)):
        return "the same in every draw of the subjects"
    return ""
