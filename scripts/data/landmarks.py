"""stub"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Landmark:
    name: str
    point: tuple[float, float, float]
    size: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class MarkedScan:
    image: str
    landmarks: tuple[Landmark, ...]


def landmark_names(marked: Sequence[MarkedScan]) -> list[str]:
    return list(dict.fromkeys(mark.name for scan in marked for mark in scan.landmarks))
