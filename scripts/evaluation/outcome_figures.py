"""Predictions of an outcome in metrics.json: names that other programs rely on."""

import math
from collections.abc import Mapping

from ..data.outcome import Outcome
from .outcome_results import ModelResult

__all__ = ["outcome_figures"]


def outcome_figures(outcome: Outcome, results: Mapping[str, ModelResult]) -> dict[str, float | None]:
    """What metrics.json has of models, the first of which is an encoder.

    Each metric of the first model, such as `auc`; with `_NAME`, such as `auc_size`, of each other; with `_low` and
    `_high` the ends of its interval; and of the first's lead over another, in the metric that is tested,
    `auc_size_difference`, with its ends, `auc_size_p` and `auc_size_p_holm`. What cannot be said is None.
    """
    own, *others = results
    metrics = {"subjects": len(outcome.subject)} | _figures(results[own], "")
    if outcome.event is not None:
        metrics["events"] = int(outcome.event.sum())
    for name in others:
        metrics |= _figures(results[name], f"_{name}") | _leads(results[name], name)
    return {key: None if math.isnan(value) else value for key, value in metrics.items()}


def _figures(result: ModelResult, ending: str) -> dict[str, float]:
    figures: dict[str, float] = {}
    for metric, value in result.values.items():
        figures[f"{metric}{ending}"] = value
        figures |= _ends(f"{metric}{ending}", result.intervals.get(metric))
    return figures


def _leads(result: ModelResult, name: str) -> dict[str, float]:
    figures: dict[str, float] = {}
    for metric, lead in result.leads.items():
        key = f"{metric}_{name}"
        figures[f"{key}_difference"] = lead.difference
        figures |= _ends(f"{key}_difference", lead.interval) | {f"{key}_p": lead.p, f"{key}_p_holm": lead.p_holm}
    return figures


def _ends(key: str, interval: tuple[float, float] | None) -> dict[str, float]:
    low, high = interval or (math.nan, math.nan)
    return {f"{key}_low": low, f"{key}_high": high}
