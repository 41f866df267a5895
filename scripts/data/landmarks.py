"""Landmarks that somebody marked in scans."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Landmark", "MarkedScan", "landmark_names"]


@dataclass(frozen=True)
class Landmark:
    """A point, or a box around it, in mm of the world of a scan's header (RAS+)."""

    name: str
    point: tuple[float, float, float]
    size: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class MarkedScan:
    """A scan's file, and what is marked in it."""

    image: str
    landmarks: tuple[Landmark, ...]


def landmark_names(marked: Sequence[MarkedScan]) -> list[str]:
    """Each name once, in the order in which they appear."""
    return list(dict.fromkeys(mark.name for scan in marked for mark in scan.landmarks))
