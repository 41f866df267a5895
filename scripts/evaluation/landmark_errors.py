"""How far found landmarks are off, beside the same place in the body's box; and what a confidence says of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["LandmarkError", "calibrate", "landmark_metrics"]

MOST_STEPS = 10  # of a calibration
FEWEST_OF_A_STEP = 10


class LandmarkError(NamedTuple):
    """Of a landmark of one scan.

    Attributes:
        confidence: from 0 to 1.
        error_mm: distance from where it is; nan if it was said not to be in the scan.
        box_error_mm: that of the same place in the body's box.
    """

    scan: str
    name: str
    confidence: float
    error_mm: float
    box_error_mm: float


def landmark_metrics(errors: Sequence[LandmarkError]) -> dict[str, float]:
    """Means over scans of the mean error of a scan's landmarks that were found, mm, and how many were not found.

    Args:
        errors: of landmarks that are in their scans.
    """
    found = [error for error in errors if np.isfinite(error.error_mm)]
    return {
        "landmark_error_mm": _mean_of_scans((error.scan, error.error_mm) for error in found),
        "landmark_error_mm_box": _mean_of_scans((error.scan, error.box_error_mm) for error in found),
        "not_found": 1 - len(found) / len(errors) if errors else float("nan"),
        "scans": len({error.scan for error in errors}),
    }


def calibrate(errors: Sequence[LandmarkError]) -> list[tuple[float, float]]:
    """Mean error in mm of landmarks of about one confidence, by confidence; it never rises with it.

    Means of as many landmarks each, made monotonic by isotonic regression (Zadrozny and Elkan, KDD 2002).

    Args:
        errors: of landmarks that were found; others are left out.

    Returns:
        Confidence, rising, and expected error; nothing from fewer than 20 landmarks.
    """
    from sklearn.isotonic import IsotonicRegression

    found = sorted((error.confidence, error.error_mm) for error in errors if np.isfinite(error.error_mm))
    steps = min(MOST_STEPS, len(found) // FEWEST_OF_A_STEP)
    if steps < 2:
        return []
    confidence, error = np.array([np.mean(part, 0) for part in np.array_split(np.array(found), steps)]).T
    expected = IsotonicRegression(increasing=False).fit_transform(confidence, error)
    return list(dict(zip(confidence.tolist(), expected.tolist(), strict=True)).items())  # equal confidences once


def _mean_of_scans(values: Iterable[tuple[str, float]]) -> float:
    of_scan = defaultdict(list)
    for scan, value in values:
        of_scan[scan].append(value)
    return float(np.mean([np.mean(those) for those in of_scan.values()])) if of_scan else float("nan")
