"""What a synthetic subject's body is like, as its own record has it, before any scanner saw it."""

import numpy as np

from .phantom_body import ORGANS
from .phantom_scan import Subject

__all__ = ["BODY_COLUMNS", "body_row"]

WORDS = [name.replace(" ", "_") for name in ORGANS]
BODY_COLUMNS = ("subject", *(f"{name}_ml" for name in WORDS), *(f"{name}_brightness" for name in WORDS))


def body_row(subject: Subject) -> list[float]:
    """Values of `BODY_COLUMNS` but the first: the volume (ml) of each organ as an ellipsoid, and its brightness."""
    volumes = [4 / 3 * np.pi * np.prod(organ.half, dtype=float) / 1000 for organ in subject.organs]
    return [round(float(value), 4) for value in (*volumes, *(organ.intensity for organ in subject.organs))]
