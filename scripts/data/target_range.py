"""The range of values of an image that is to be made, in its own unit: one for all scans, so that it can be undone."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from ..atomic import write_json_atomically
from ..distributed import rank
from ..errors import InputError
from .checks.remembered import facts_of
from .names.modalities import modality_name

__all__ = ["find_target_range", "read_target_range", "write_target_range"]

CT = (-1000.0, 1000.0)  # Hounsfield units: air to dense bone
LOW, HIGH = 1, 99  # percentiles of a scan's body


def find_target_range(
    scans: Sequence[dict], key: str, modality: str, given: Sequence[float] | None = None
) -> tuple[float, float]:
    """The range that a network's -1 to 1 stands for.

    Args:
        scans: that are trained on.
        key: of the path of the image that is made.
        modality: what it is, in upper or lower case.
        given: the range; None: -1000 to 1000 for ct, and for others from the lowest
            percentile 1 of a training scan's body to the highest percentile 99.

    Raises:
        InputError: it is no range.
    """
    if given is not None:
        return _checked(given)
    if modality_name(modality) == "ct":
        return CT
    percentiles = [facts_of(scan[key]).percentiles for scan in scans]
    return _checked([min(one[LOW] for one in percentiles), max(one[HIGH] for one in percentiles)])


def write_target_range(target_range: tuple[float, float], modality: str, path: str | os.PathLike) -> None:
    """Write the range beside the weights that were trained with it; the first process does."""
    if rank() == 0:
        write_json_atomically(path, {"modality": modality, "range": list(target_range)})


def read_target_range(path: str | os.PathLike, modality: str) -> tuple[float, float]:
    """The range that weights were trained with.

    Args:
        path: of the target.json beside them.
        modality: what they are to make.

    Raises:
        InputError: there is no such file, or none of a run, or the weights make something else.
    """
    if not Path(path).is_file():
        raise InputError(f"There is no {path}, which says what the weights beside it make: give model those of a run.")
    made, values = _content(Path(path))
    if made != modality:
        raise InputError(f"target is {modality}, but by {path} the weights make {made}: give that.")
    return values


def _content(path: Path) -> tuple[str, tuple[float, float]]:
    """The modality and range in a target.json."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        low, high = map(float, known["range"])
        if low < high:
            return str(known["modality"]), (low, high)
    except (ValueError, KeyError, TypeError):  # ValueError: no JSON, no UTF-8, no number, or not two
        pass
    raise InputError(f"{path} has no modality and range of two numbers, the lower one first: take that of the run.")


def _checked(values: Sequence[float]) -> tuple[float, float]:
    if len(values) != 2 or not values[0] < values[1]:
        raise InputError(f"target_range is {list(values)}: give two numbers, the lower one first, or null.")
    return float(values[0]), float(values[1])
