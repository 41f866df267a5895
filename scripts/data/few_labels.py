"""Few labels of many scans: those that an encoder was pretrained on, without labels, of which some are labelled."""

import logging
import os

import numpy as np

from ..errors import InputError, some
from .recorded import PARTS, known_parts, subjects_of
from .seen import require_unseen

__all__ = ["FewLabels"]

logger = logging.getLogger(__name__)


class FewLabels:
    """Subjects in the parts that they had in a pretraining, of whom some of those who trained it have labels.

    Args:
        scans: items of `labelled_scans`; those that the pretraining never had are in no part.
        path: split.json of the pretraining.
        encoder: path of weights, of this pretraining or of another; of one that is no file nothing is asked.
        seed: draws who is in a share.
        known_by: as for `known_parts`.

    Raises:
        InputError: there is no path, the pretraining had no scan of some part, or the encoder has seen scans that are
            tested here.
    """

    def __init__(
        self,
        scans: list[dict],
        path: str | os.PathLike | None,
        encoder: str,
        seed: int,
        known_by: str = "content",
    ) -> None:
        if path in (None, "null"):
            raise InputError("pretraining_split is null: give the split.json of a pretraining on these scans.")
        known = known_parts(scans, path, known_by)
        split = {name: [scan for scan, part in zip(scans, known, strict=True) if part == name] for name in PARTS}
        if empty := [name for name in PARTS if not split[name]]:
            raise InputError(
                f"By {path}, none of these scans is under {some(empty)}: give the split.json of a pretraining on these "
                "scans."
            )
        require_unseen(split["test"], encoder, path, known_by)
        self.subjects, self.seed = subjects_of(split), seed

    def parts(self, share: float) -> dict[str, set[str]]:
        """Subjects that train, validate and test.

        Args:
            share: of those who train, rounded up; a smaller share is part of a larger one.

        Raises:
            InputError: it is no share.
        """
        if not 0 < share <= 1:
            raise InputError(f"label_share is {share}: give a share of the training subjects above 0 and up to 1.")
        train = self.subjects["train"]
        drawn = np.random.RandomState(self.seed).permutation(train)[: int(np.ceil(share * len(train)))]
        logger.info(f"Labels are taken of {len(drawn)} of the {len(train)} subjects that trained the encoder.")
        return {name: set(members) for name, members in self.subjects.items()} | {"train": set(drawn.tolist())}
