"""How far off a landmark is likely to be that was found with some confidence."""

import csv
import logging
import math
from pathlib import Path

import numpy as np

from ..errors import InputError, shorten, some

__all__ = ["ExpectedError"]

logger = logging.getLogger(__name__)

COLUMNS = ("confidence", "expected_error_mm")


class ExpectedError:
    """Errors in mm by confidence, as measured where both were known; linear between these, constant above, none below.

    Args:
        path: of a CSV with the columns confidence, which increases, and expected_error_mm. Where it is None, or null as
            a command line says it, the log says so, and no error is known.
        usual: where the path of an encoder's own calibration would be, which may be missing.

    Raises:
        InputError: there is no such file, or it is no such table.
    """

    def __init__(self, path: str | None, usual: str | None = None) -> None:
        table: list[tuple[float, float]] = []
        if path is None or path == "null" or (path == usual and not Path(path).is_file()):
            logger.info(f"expected_error_mm is left empty: there is no calibration ({path}).")
        else:
            table = _read(path)
        self.confidences, self.errors = (np.array([row[column] for row in table]) for column in (0, 1))

    def __call__(self, confidence: float) -> float | None:
        """Of a landmark found with this confidence, mm; None where it is not known."""
        if not len(self.errors) or math.isnan(confidence) or confidence < self.confidences[0]:
            return None
        return float(np.interp(confidence, self.confidences, self.errors))


def _read(path: str) -> list[tuple[float, float]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
            table = [] if missing else [(float(row[COLUMNS[0]]), float(row[COLUMNS[1]])) for row in reader]
    except FileNotFoundError as error:
        raise InputError(
            f"There is no {path}: give calibration the calibration.csv of an evaluation, or null."
        ) from error
    except Exception as error:  # whatever the reader raises means that this is no such table
        raise InputError(
            f"{path} cannot be read ({shorten(error)}): give a CSV with the columns confidence and expected_error_mm, "
            "all numbers."
        ) from error
    if missing:
        raise InputError(f"{path} has no column {some(missing)}: give the calibration.csv of an evaluation.")
    confidences = [confidence for confidence, _ in table]
    if not table or not np.isfinite(table).all() or (np.diff(confidences) <= 0).any():
        raise InputError(f"{path} has no numbers whose confidence increases from line to line: sort or mend it.")
    return table
