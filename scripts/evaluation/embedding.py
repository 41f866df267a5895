"""Crops of subjects as encoders see them, and what is known of the crops without one."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import nn

from ..metrics.location import Crops
from ..networks.layer_reader import LayerReader
from ..progress import with_progress
from ..transforms.histogram import octant_histograms

__all__ = ["embed"]

KNOWN = ("structure_shares", "box_share", "size")


def embed(networks: Sequence[nn.Module], loader: Iterable, run: Callable, layers: Sequence[str] = ()) -> list[Crops]:
    """Embed all crops of a loader with each of some networks, each of which runs once.

    Args:
        networks: whose outputs are embeddings.
        loader: of batches with what they take, `image`, `location` and `scan`; where structure shares are to be
            predicted, also `structure_shares` and `box_share`, and where persons are to be found, `size`, which are
            `known` then.
        run: runs a network on a batch of crops, as `BatchInferer` does.
        layers: of the networks, whose features are read on the way to their outputs.
    """
    readers = [LayerReader(network, layers) for network in networks]
    parts: list[list[Crops]] = [[] for _ in networks]
    for batch in with_progress(loader, "Embedding batch"):
        intensities = torch.stack([octant_histograms(image) for image in batch["image"]])
        known = {name: batch[name] for name in KNOWN if name in batch}
        for reader, part in zip(readers, parts, strict=True):
            embedding, *features = run(batch, reader).split(reader.widths, 1)
            by_layer = dict(zip(layers, features, strict=True))
            part.append(Crops(embedding, batch["location"], batch["scan"], intensities, by_layer, known))
    return [_joined(part) for part in parts]


def _joined(parts: Sequence[Crops]) -> Crops:
    """One for all batches."""

    def cat(values: Sequence):
        if isinstance(values[0], torch.Tensor):
            return torch.cat(list(values))
        return {name: torch.cat([value[name] for value in values]) for name in values[0]}

    return Crops(*(cat(values) for values in zip(*(vars(part).values() for part in parts), strict=True)))
