"""Which numbers of a mask are the lesion: a setting, in numbers or in the names that the data set gives them."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, some

__all__ = ["BINARY", "MaskMeaning", "mask_meaning"]


@dataclass(frozen=True)
class MaskMeaning:
    """Which numbers of a mask are the lesion.

    Attributes:
        values: that are the lesion; None: the one above 0.
        channel: that has lesions, of masks [X, Y, Z, C]; None: a mask has one.
        names: of values, as the data set has them.
    """

    values: tuple[int, ...] | None = None
    channel: int | None = None
    names: tuple[tuple[str, int], ...] = ()

    def question(self, found: Iterable[int]) -> str | None:
        """What has to be asked where masks have these values above 0; None where nothing has.

        A data set that names several is asked about as well: its masks with one value may be of the organ alone.
        """
        several = sorted({*found} | {value for _, value in self.names if value > 0})
        if self.values is not None or len(several) < 2:
            return None
        return (
            f"Masks have several values above 0, {self.listed(several)}, and which are the lesion is not said: give "
            f'lesion_values, for example --lesion_values "[{several[-1]}]".'
        )

    def listed(self, values: Sequence[int]) -> str:
        """Values with their names, at most ten of them."""
        names = {value: name for name, value in self.names}
        return some([f"{value} ({names[value]})" if value in names else value for value in values], 10)


BINARY = MaskMeaning()


def mask_meaning(
    values: Sequence[int | str] | None = None,
    channel: int | None = None,
    dataset_dir: str | os.PathLike | None = None,
) -> MaskMeaning:
    """What masks mean by the settings `lesion_values` and `lesion_channel`.

    Args:
        values: numbers, or names of the `labels` of dataset.json (`{"2": "cancer"}` of the Decathlon, `{"cancer": 2}`
            or `{"lesion": [2, 3]}` of nnU-Net); None: masks have one value above 0.
        channel: that has lesions, from 0, of masks with several; None: masks have one.
        dataset_dir: folder of the scans, which may have a dataset.json, or that file; None: nothing has names.

    Raises:
        InputError: there is no such name, or a value is not above 0.
    """
    labels = _labels(dataset_dir)
    names = tuple((name, numbers[0]) for name, numbers in labels.items() if len(numbers) == 1)
    numbers = None if values is None else tuple(number for value in values for number in _numbers(value, labels))
    if numbers is not None and (not numbers or min(numbers) < 1):
        raise InputError(f"lesion_values is {list(values or [])}: give whole numbers above 0 (0 is the background).")
    return MaskMeaning(numbers, channel, names)


def _numbers(value: int | str, labels: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    if value in labels:
        return labels[str(value)]
    if not str(value).lstrip("-").isdecimal():
        known = f"its dataset.json names {', '.join(labels)}" if labels else "it has no dataset.json with names"
        raise InputError(f"lesion_values has {value}, which the data set does not know: {known}. Give whole numbers.")
    return (int(value),)


def _labels(dataset_dir: str | os.PathLike | None) -> dict[str, tuple[int, ...]]:
    """Values of each name in a data set's dataset.json, several where it is of a region; none where there is none."""
    if dataset_dir in (None, "null"):
        return {}
    path = Path(dataset_dir).expanduser()
    path = path / "dataset.json" if path.is_dir() else path
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path.suffix == ".json" else {}
    except (OSError, ValueError):  # who lists the scans says what is wrong with it
        content = {}
    labels = content.get("labels") if isinstance(content, dict) else None
    pairs = [_pair(*item) for item in labels.items()] if isinstance(labels, dict) else []
    return {name: numbers for name, numbers in pairs if numbers}


def _pair(key: str, value) -> tuple[str, tuple[int, ...]]:
    """Name and values of an entry of `labels`, whichever of the two it begins with."""
    name, number = (value, key) if isinstance(value, str) and key.isdecimal() else (key, value)
    numbers = number if isinstance(number, list) else [number]
    return name, tuple(int(one) for one in numbers if str(one).isdecimal())
