"""What subjects look like: features of the same windows of each body, by frozen encoders and without any."""

from collections.abc import Callable, Iterable, Mapping

import torch

from ..errors import InputError
from .features import FrozenEncoder

__all__ = ["mean_by_subject", "subject_features"]

WINDOW_BASELINES, SCAN_BASELINES = {"intensity": "histogram"}, {"size": "size"}  # and their keys in a batch
POOLINGS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "joined": lambda windows: windows.flatten(1),
    "mean": lambda windows: windows.mean(1),
    "mean_sd": lambda windows: torch.cat([windows.mean(1), windows.std(1, correction=0)], 1),
}


def subject_features(
    loader: Iterable[Mapping], scans: list[dict], encoder: FrozenEncoder | None, pooling: str = "joined"
) -> dict[str, torch.Tensor]:
    """Features of S subjects, in the order of their names, by what they are of.

    Of several scans of a subject, they are the mean.

    Args:
        loader: of batches of windows, as many of each scan, with what the encoder takes and what is known without one.
        scans: their items, in that order, for the subject of each.
        encoder: beside which stands the untrained one, if there is any; None: what is known without one alone.
        pooling: of a scan's windows: `joined`, so that a feature is of one place; their `mean`; or `mean_sd`, the mean
            and the standard deviation.

    Returns:
        [S, windows D], [S, D] or [S, 2 D] of the encoders, then of `intensity`, then [S, 4] of `size`.

    Raises:
        InputError: the encoder is called as another model is.
    """
    encoders = [one for one in (encoder, encoder.untrained) if one] if encoder else []
    if encoder and encoder.name in {
        *WINDOW_BASELINES,
        *SCAN_BASELINES,
        "covariates",
        "mean",
        "chance",
        *(one.name for one in encoders[1:]),
    }:
        raise InputError(f"An encoder cannot be called {encoder.name}, as what it is compared with: give another name.")
    parts = [_of_batch(batch, encoders) for batch in loader]
    joined = {name: torch.cat([part[name] for part in parts]).float() for name in parts[0]}
    of_scans = {name: values.reshape(len(scans), -1, values.shape[1]) for name, values in joined.items()}
    pool = POOLINGS[pooling]
    pooled = {name: values[:, 0] if name in SCAN_BASELINES else pool(values) for name, values in of_scans.items()}
    return {name: mean_by_subject(values, scans) for name, values in pooled.items()}


def _of_batch(batch: Mapping, encoders: Iterable[FrozenEncoder]) -> dict[str, torch.Tensor]:
    known = {name: batch[key] for name, key in (WINDOW_BASELINES | SCAN_BASELINES).items()}
    return {one.name: one(batch) for one in encoders} | known


def mean_by_subject(values: torch.Tensor, scans: list[dict]) -> torch.Tensor:
    """Mean over the scans of each of S subjects, in the order of their names, [S, D], of values [N, D] of N scans."""
    subject = [scan["subject"] for scan in scans]
    rows = [[i for i, other in enumerate(subject) if other == one] for one in sorted(set(subject))]
    return torch.stack([values[members].mean(0) for members in rows])
