"""Few labels of many scans: those that an encoder was pretrained on, without labels, of which some are labelled."""

import logging
import os
from collections import Counter
from itertools import chain

from ..errors import InputError, some
from .label_share import drawn_share, labels_of_subjects
from .recorded import PARTS, known_parts, subjects_of
from .seen import require_not_trained_on, require_unseen

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
        InputError: there is no path, the pretraining had no scan of some part, a subject has scans of two parts, or
            the encoder has seen scans that are tested here, or was trained on some that validate.
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
        self.subjects, self.seed = subjects_of(split), seed
        self._require_one_part(path)
        require_unseen(split["test"], encoder, path, known_by)
        require_not_trained_on(split["validate"], encoder, path, known_by)
        self.labels = labels_of_subjects(split["train"])

    def parts(self, share: float) -> dict[str, set[str]]:
        """Subjects that train, validate and test.

        Args:
            share: of those who train, as `drawn_share` draws it.

        Raises:
            InputError: it is no share.
        """
        drawn = drawn_share(self.labels, share, self.seed)
        logger.info(f"Labels are taken of {len(drawn)} of the {len(self.labels)} subjects that trained the encoder.")
        return {name: set(members) for name, members in self.subjects.items()} | {"train": drawn}

    def _require_one_part(self, path: str | os.PathLike) -> None:
        times = Counter(chain.from_iterable(self.subjects.values()))
        if twice := [subject for subject, number in times.items() if number > 1]:
            raise InputError(
                f"By {path}, scans of {some(twice)} are in more than one of its parts: different people have one name "
                "now, so give each a name of its own (column subject of a list)."
            )
