"""What each of several layers of an encoder knows of the place, before and after training."""

from collections.abc import Mapping, Sequence

import torch

from ..metrics.location import Crops, location_figures
from ..metrics.subject_bootstrap import SubjectBootstrap
from ..probes.ridge import RidgeProbe
from ..progress import with_progress
from .drawn_metrics import metrics_of_draws

__all__ = ["layer_figures"]

LayerSets = Mapping[str, Sequence[str]]


def layer_figures(
    trained: Mapping[str, Crops], untrained: Mapping[str, Crops], layer_sets: LayerSets, draws: SubjectBootstrap
) -> dict[str, dict]:
    """How far ridge probes of some sets of layers are off.

    Args:
        trained: crops of the subjects under `train`, `validate` and `test`; `untrained` likewise.
        layer_sets: names of layers, by that of their set.
        draws: of the subjects of the test crops.

    Returns:
        By set, `location_error_mm` and its twin `location_error_mm_random_encoder`, with `intervals` and `differences`.
    """
    encoders = {"": trained, "_random_encoder": untrained}
    figures = {}
    for name, layers in with_progress(layer_sets.items(), "Fitting probes to layers", total=len(layer_sets)):
        errors = {ending: {"location_error_mm": _error(crops, layers, draws)} for ending, crops in encoders.items()}
        figures[name] = metrics_of_draws(errors, draws)
    return figures


def _error(crops: Mapping[str, Crops], layers: Sequence[str], draws: SubjectBootstrap) -> torch.Tensor:
    train, validate, test = (crops[part] for part in ("train", "validate", "test"))
    probe = RidgeProbe(train.features(layers), train.location, validate.features(layers), validate.location)
    return location_figures(draws, probe(test.features(layers)), test.location)[0]
