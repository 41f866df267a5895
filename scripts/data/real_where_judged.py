"""Synthetic images train, and are asked about in no validation and no test."""

import logging
from collections.abc import Mapping

from ..distributed import rank
from .recorded import PARTS

__all__ = ["real_where_judged"]

logger = logging.getLogger(__name__)


def real_where_judged(split: Mapping[str, list[dict]]) -> dict[str, list[dict]]:
    """A split of cases of which those that validate and test lack their synthetic images, and a line on how many.

    Args:
        split: items of `find_cases` under `train`, `validate` and `test`.

    Returns:
        The same, without synthetic images, and cases of nothing else, but under `train`.
    """
    trained = sum(len(case["synthetic"]) for case in split["train"])
    left_out = sum(len(case["synthetic"]) for part in PARTS[1:] for case in split[part])
    if (trained or left_out) and rank() == 0:
        logger.info(
            f"{trained} synthetic images of training subjects are trained on; {left_out} of those who validate and "
            "test are left out."
        )
    real = {part: [_real(case) for case in split[part]] for part in PARTS[1:]}
    return {"train": split["train"]} | {part: [case for case in real[part] if case["modalities"]] for part in real}


def _real(case: dict) -> dict:
    images = {name: path for name, path in case["modalities"].items() if name not in case["synthetic"]}
    return case | {"modalities": images, "image": next(iter(images.values()), case["image"]), "synthetic": []}
