"""An evaluation in a few lines of the log, with what the encoder does not beat."""

import logging

from ..errors import counted
from ..metrics.subject_bootstrap import FEWEST
from ..metrics.verdict import verdict

__all__ = ["summarise"]

logger = logging.getLogger(__name__)

BASELINES = {
    "random_encoder": "the untrained encoder",
    "intensities": "raw intensities",
    "mean_position": "the mean position",
    "mean_distance": "the mean distance",
}
ERRORS = {
    "location_error_mm": "location error",
    "distance_error_mm": "distance error",
    "distance_error_mm_within_scans": "distance error within scans",
}


def summarise(metrics: dict) -> None:
    """Log what metrics.json says; a warning for each baseline that the encoder does not beat for sure."""
    logger.info(_intervals(metrics))
    for key, what in ERRORS.items():
        for name, whom in BASELINES.items():
            sentence = _warning(metrics, key, f"{key}_{name}")
            if sentence:
                logger.warning(sentence.format(whom=whom, what=what))
    logger.info(_summary(metrics))


def _warning(metrics: dict, key: str, other: str) -> str:
    """What is to be said of a baseline's metric, if both are known; nothing where the encoder beats it."""
    own, theirs = metrics.get(key), metrics.get(other)
    if own is None or theirs is None:
        return ""
    said = verdict("lower", metrics["differences"].get(other))
    figures = f": {own:.1f} against {theirs:.1f} mm"
    if said == "worse":
        return "The encoder loses to {whom} in {what}" + f"{figures}."
    if said == "unsure":
        low, high = metrics["differences"][other]
        return (
            "The encoder does not surely beat {whom} in {what}"
            + f"{figures} (95 % of the difference: {low:.1f} to {high:.1f})."
        )
    return "" if said == "better" or own < theirs else "The encoder is not ahead of {whom} in {what}" + f"{figures}."


def _intervals(metrics: dict) -> str:
    if not metrics["intervals"]:
        return f"{metrics['subjects']} test subjects are too few to be sure of what is better: that takes {FEWEST}."
    known = {what: metrics["intervals"][key] for key, what in ERRORS.items() if key in metrics["intervals"]}
    found = [f"{what} {low:.1f} to {high:.1f} mm" for what, (low, high) in known.items()]
    return f"95 % intervals, over {metrics['subjects']} test subjects: {', '.join(found)}."


def _summary(metrics: dict) -> str:
    return (
        f"{metrics['crops']} crops of {counted(metrics['subjects'], 'test subject')}: location error "
        f"{metrics['location_error_mm']:.1f} mm (untrained encoder {metrics['location_error_mm_random_encoder']:.1f}, "
        f"raw intensities {metrics['location_error_mm_intensities']:.1f}, mean position "
        f"{metrics['location_error_mm_mean_position']:.1f}), distance error {metrics['distance_error_mm']:.1f} mm "
        f"(untrained {metrics['distance_error_mm_random_encoder']:.1f}, mean distance "
        f"{metrics['distance_error_mm_mean_distance']:.1f})."
    )
