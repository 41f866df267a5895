"""Which places enough bodies have, so that a crop of one can be compared with those of the others."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ..distributed import rank
from ..errors import InputError

__all__ = ["EXACT", "CommonPlaces", "common_places"]

logger = logging.getLogger(__name__)

EXACT = "donot_use_mm_for_euclid_dist"  # a matrix product rounds, and would say which of two is nearer that are as near


@dataclass(frozen=True)
class CommonPlaces:
    """Points of a grid in the frame of bodies, and which of them share a queue.

    Attributes:
        points: [P, 3], mm.
        kept: number of the place that each queue is named after, [Q].
        queue: number of the queue of each place, [P]: its own, or that of the nearest place that has one.
        subjects: how many there are.
    """

    points: torch.Tensor
    kept: torch.Tensor
    queue: torch.Tensor
    subjects: int


def common_places(scans: Iterable[Mapping[Any, Any]], points: torch.Tensor, fewest: float) -> CommonPlaces:
    """Count subjects of each place, and merge places of few with the nearest place of enough.

    Args:
        scans: items with `subject` and the numbers of their `places`.
        points: all places, [P, 3], mm.
        fewest: subjects that a place needs for a queue of its own: a share of them (below 1) or their number, and two
            at least.

    Raises:
        InputError: no place has enough.
    """
    shown: dict[Any, set[int]] = {}
    for scan in scans:
        shown.setdefault(scan["subject"], set()).update(scan["places"].tolist())
    counts = torch.zeros(len(points), dtype=torch.long)
    for places in shown.values():
        counts[list(places)] += 1
    needed = max(2, fewest if fewest >= 1 else fewest * len(shown))
    kept = (counts >= needed).nonzero()[:, 0]
    if not len(kept):
        raise InputError(
            f"No place lies in the bodies of {needed:g} of {len(shown)} training subjects, so that none can be "
            "compared: give a smaller place_spacing or place_subjects, or scans of more subjects."
        )
    if rank() == 0:
        merged = int(((counts > 0) & (counts < needed)).sum())
        logger.info(
            f"{len(kept)} places lie in {needed:g} training subjects or more and have queues; {merged} of fewer "
            "share that of the nearest."
        )
    queue = torch.cdist(points, points[kept], compute_mode=EXACT).argmin(1)
    return CommonPlaces(points, kept, queue, len(shown))
