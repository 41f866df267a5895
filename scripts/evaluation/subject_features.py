"""What subjects look like: features of the same windows of each body, by frozen encoders and without any."""

import copy
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import nn

from ..errors import InputError
from ..networks.layers import layer_features
from ..networks.transfer import SCRATCH, UNTRAINED
from ..networks.weights import load_encoder

__all__ = ["WINDOW_BASELINES", "encoders_at", "subject_features"]

WINDOW_BASELINES, SCAN_BASELINES = ("histogram",), ("size",)


def encoders_at(layers: Iterable[str], name: str, network: nn.Module, encoder: str) -> dict[str, nn.Module]:
    """An encoder and, beside it, the same network untrained, each with features of some layers as its output.

    Args:
        layers: as for `layer_features`.
        name: of the encoder in tables.
        network: as it is drawn; the weights are loaded into it.
        encoder: path of the weights; `untrained`: there is that one alone.

    Raises:
        InputError: the weights are not the network's, there is no such layer, or the name is one of another model.
    """
    taken = {*WINDOW_BASELINES, *SCAN_BASELINES, "covariates", "mean"} | ({UNTRAINED} - {encoder})
    if name in taken:
        raise InputError(f"An encoder cannot be called {name}, as what it is compared with: give it another name.")
    if encoder == SCRATCH:
        raise InputError("Nothing of an encoder is trained here: give one that is, or encoder untrained.")
    layers = list(layers)
    if encoder == UNTRAINED:
        return {name: layer_features(network, layers)}
    drawn = copy.deepcopy(network)
    load_encoder(network, encoder)
    return {name: layer_features(network, layers), UNTRAINED: layer_features(drawn, layers)}


def subject_features(
    loader: Iterable[Mapping],
    scans: list[dict],
    encoders: Mapping[str, nn.Module],
    run: Callable[[Mapping, nn.Module], torch.Tensor],
) -> dict[str, torch.Tensor]:
    """Features of S subjects, in the order of their names, by what they are of.

    Those of a scan's windows are joined, so that a feature is of one place; of several scans of a subject, they are
    the mean.

    Args:
        loader: of batches of windows, as many of each scan, with what the encoders take, `scan` (its number) and what
            is known without an encoder.
        scans: their items, in that order, for the subject of each.
        encoders: networks [B, D] by their names.
        run: runs a network on a batch, as `BatchInferer` does.

    Returns:
        [S, windows D] of the encoders, then of `histogram`, then [S, 4] of `size`.
    """
    parts = [_of_batch(batch, encoders, run) for batch in loader]
    joined = {name: torch.cat([part[name] for part in parts]).float() for name in parts[0]}
    of_scans = {name: values.reshape(len(scans), -1, values.shape[1]) for name, values in joined.items()}
    known = {name: values[:, :1] if name in SCAN_BASELINES else values for name, values in of_scans.items()}
    return {name: _by_subject(values.flatten(1), scans) for name, values in known.items()}


def _of_batch(batch: Mapping, encoders: Mapping[str, nn.Module], run: Callable) -> dict[str, torch.Tensor]:
    embedded = {name: run(batch, network) for name, network in encoders.items()}
    return embedded | {name: batch[name] for name in (*WINDOW_BASELINES, *SCAN_BASELINES)}


def _by_subject(values: torch.Tensor, scans: list[dict]) -> torch.Tensor:
    subject = [scan["subject"] for scan in scans]
    rows = [[i for i, other in enumerate(subject) if other == one] for one in sorted(set(subject))]
    return torch.stack([values[members].mean(0) for members in rows])
