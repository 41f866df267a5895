"""Few labels of many scans: those that an encoder was pretrained on, without labels, of which some are labelled."""

import logging
import os

import numpy as np

from ..errors import InputError, some
from .recorded import PARTS, known_parts, subjects_of
from .seen import require_unseen

__all__ = ["few_labels"]

logger = logging.getLogger(__name__)


def few_labels(
    scans: list[dict],
    path: str | os.PathLike | None,
    encoder: str,
    share: float,
    seed: int,
    known_by: str = "content",
) -> dict[str, list[dict]]:
    """The parts that scans had in a pretraining, with a share of the training subjects.

    Args:
        scans: items of `labelled_scans`; those that the pretraining never had are left out.
        path: of its split.json.
        encoder: path of weights, of this pretraining or of another; of one that is no file nothing is asked.
        share: of its training subjects, rounded up; a smaller share is part of a larger one of the same seed.
        seed: draws who is in a share.
        known_by: as for `known_parts`.

    Returns:
        The items under `train`, `validate` and `test`.

    Raises:
        InputError: there is no path, the pretraining had no scan of some part, the encoder has seen
            scans that are tested here, or the share is not one.
    """
    if path in (None, "null"):
        raise InputError("pretraining_split is null: give the split.json of a pretraining on these scans.")
    if not 0 < share <= 1:
        raise InputError(f"label_share is {share}: give a share of the training subjects above 0 and up to 1.")
    parts = known_parts(scans, path, known_by)
    split = {name: [scan for scan, part in zip(scans, parts, strict=True) if part == name] for name in PARTS}
    if empty := [name for name in PARTS if not split[name]]:
        raise InputError(
            f"By {path}, none of these scans is under {some(empty)}: give the split.json of a pretraining on these scans."
        )
    require_unseen(split["test"], encoder, path, known_by)
    subjects = subjects_of(split)["train"]
    drawn = set(np.random.RandomState(seed).permutation(subjects)[: int(np.ceil(share * len(subjects)))].tolist())
    logger.info(
        f"{len(drawn)} of the {len(subjects)} subjects that {path} says were trained on are taken with their labels."
    )
    return split | {"train": [scan for scan in split["train"] if scan["subject"] in drawn]}
