"""How far off a landmark is likely to be that was found with some confidence."""

import csv
import logging
import math
from pathlib import Path

import numpy as np

from ..errors import InputError, shorten

__all__ = ["ExpectedError"]

logger = logging.getLogger(__name__)


class ExpectedError:
    """Errors in mm by confidence, as measured where both were known; linear between these, constant above, none below.

    Args:
        path: of a CSV with the columns confidence, which increases, and expected_error_mm. Where there is no such file,
            the log says so once, and no error is known.

    Raises:
        InputError: the file is no such table.
    """

    def __init__(self, path: str | None) -> None:
        self.table: list[tuple[float, float]] = []
        if path is None or not Path(path).is_file():
            logger.info(f"expected_error_mm is left empty: there is no calibration ({path}).")
        else:
            self.table = _read(path)

    def __call__(self, confidence: float) -> float | None:
        """Of a landmark found with this confidence, mm; None where it is not known."""
        if not self.table or math.isnan(confidence):
            return None
        confidences, errors = np.transpose(self.table)
        return None if confidence < confidences[0] else float(np.interp(confidence, confidences, errors))


def _read(path: str) -> list[tuple[float, float]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            table = [(float(row["confidence"]), float(row["expected_error_mm"])) for row in csv.DictReader(file)]
    except Exception as error:  # whatever the reader raises means that this is no such table
        raise InputError(
            f"{path} cannot be read ({shorten(error)}): give a CSV with the columns confidence and expected_error_mm, "
            "all numbers."
        ) from error
    confidences = [confidence for confidence, _ in table]
    if not table or not np.isfinite(table).all() or (np.diff(confidences) <= 0).any():
        raise InputError(f"{path} has no numbers whose confidence increases from line to line: sort or mend it.")
    return table
