"""How far predictions are off, and how sure that is: in each draw of the test subjects."""

import math
from pathlib import Path

import torch

from ..atomic import savez_atomically
from ..metrics.location import Crops, distance_figures, location_figures, physical_pairs
from ..metrics.subject_bootstrap import SubjectBootstrap, expanded_interval
from .predictions import Predictions

__all__ = ["draw_metrics", "join_metrics", "metrics_of_draws", "write_draws"]


def draw_metrics(
    said: dict[str, Predictions], test: Crops, draws: SubjectBootstrap
) -> dict[str, dict[str, torch.Tensor]]:
    """How far predictions are off, in each of R draws of the test subjects.

    Args:
        said: of the test crops, by the ending of the metrics: "" of the encoder, and of others theirs.
        test: these crops.
        draws: of their subjects.

    Returns:
        By these endings, then by the names of metrics.json, [R], or [R, 3] for x, y and z. Errors are means in mm: of
        the Euclidean distance to the true place; `_axes`: of the absolute difference; `distance_error_mm`: of
        |D_latent - D_physical| over all pairs, of which `distance_correlation` is Pearson's.
    """
    pairs = physical_pairs(test)
    return {ending: _of_places(one, test, draws) | _of_distances(one, *pairs, draws) for ending, one in said.items()}


def _of_places(said: Predictions, test: Crops, draws: SubjectBootstrap) -> dict[str, torch.Tensor]:
    drawn: dict[str, torch.Tensor] = {}
    if said.location is not None:
        names = ("location_error_mm", "location_error_mm_axes", "location_r2")
        drawn |= zip(names, location_figures(draws, said.location, test.location), strict=True)
    if said.location_of_components is not None:
        *_, drawn["pca3_location_r2"] = location_figures(draws, said.location_of_components, test.location)
    return drawn


def _of_distances(
    said: Predictions, physical: torch.Tensor, same: torch.Tensor, draws: SubjectBootstrap
) -> dict[str, torch.Tensor]:
    drawn: dict[str, torch.Tensor] = {}
    if said.distance is not None:
        error, correlation = distance_figures(draws, said.distance, physical, torch.ones_like(same))
        drawn["distance_error_mm"] = error
        if said.distance.ndim:  # one distance for all pairs correlates with nothing
            drawn["distance_correlation"] = correlation
    if said.distance_within_scans is not None:
        drawn["distance_error_mm_within_scans"], _ = distance_figures(draws, said.distance_within_scans, physical, same)
    return drawn


def metrics_of_draws(drawn: dict[str, dict[str, torch.Tensor]], draws: SubjectBootstrap) -> dict:
    """The metrics themselves, and how sure they are.

    Args:
        drawn: what `draw_metrics` says of the encoder, under the ending "", and of baselines, under theirs.
        draws: that they are of.

    Returns:
        What metrics.json has: each metric, with its ending; their 95 % `intervals`, [low, high], by the same names, or
        one each for x, y and z; and, by the names of the baselines' metrics, the intervals of the `differences` of the
        encoder's from theirs in the same draws. There are no intervals of too few subjects. What cannot be said, such
        as R² of crops that do not differ, is None, which JSON has a word for.
    """
    every = {key + ending: values for ending, found in drawn.items() for key, values in found.items()}
    less = {
        key + ending: drawn[""][key] - values
        for ending, found in drawn.items()
        for key, values in found.items()
        if ending
    }
    figures = {name: _or_none(values[0].tolist()) for name, values in every.items()}
    return figures | {"intervals": _intervals(every, draws), "differences": _intervals(less, draws)}


def join_metrics(first: dict, second: dict) -> dict:
    """What `metrics_of_draws` says of two kinds of metrics, in one."""
    return first | second | {key: first[key] | second[key] for key in ("intervals", "differences")}


def write_draws(path: Path, drawn: dict[str, dict[str, torch.Tensor]]) -> None:
    """Write each metric, with its ending, in each draw, [R] or [R, 3], to an .npz file."""
    every = {key + ending: values for ending, found in drawn.items() for key, values in found.items()}
    savez_atomically(path, **{name: values.float().numpy() for name, values in every.items()})


def _intervals(values: dict[str, torch.Tensor], draws: SubjectBootstrap) -> dict[str, list]:
    found = {name: expanded_interval(drawn, draws.number) for name, drawn in values.items()}
    known = {name: interval for name, interval in found.items() if interval is not None and interval.isfinite().all()}
    return {name: interval.movedim(0, -1).tolist() for name, interval in known.items()}


def _or_none(values: float | list[float]) -> float | list[float | None] | None:
    """Numbers, and None in place of those that are not finite."""
    if isinstance(values, list):
        return [value if math.isfinite(value) else None for value in values]
    return values if math.isfinite(values) else None
