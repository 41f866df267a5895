"""The cases of scans that were split file by file."""

import logging
from collections.abc import Callable, Mapping

from ..errors import InputError
from .recorded import PARTS

__all__ = ["cases_of_split"]

logger = logging.getLogger(__name__)


def cases_of_split(split: Mapping[str, list[dict]], find: Callable[[], list[dict]]) -> dict[str, list[dict]] | None:
    """Put the scans of a split together that are images of one visit.

    Args:
        split: items of `find_scans` under `train`, `validate` and `test`.
        find: lists all cases, as `find_cases` does.

    Returns:
        Cases of the subjects of each part, with those real images that the split has; None, and a line in the log,
        where there are no cases.
    """
    known = {scan["image"]: (part, scan["subject"]) for part in PARTS for scan in split[part]}
    try:
        cases = [_known(case, known) for case in find()]
    except InputError as error:
        logger.info(f"These scans make no cases of several modalities: {error}")
        return None
    members = [(known[case["image"]], case) for case in cases if case["modalities"]]
    return {part: [case | {"subject": subject} for (own, subject), case in members if own == part] for part in PARTS}


def _known(case: dict, known: Mapping[str, tuple[str, str]]) -> dict:
    """A case with those of its images that are known, and real: a list may have named others as well."""
    synthetic = case["synthetic"]
    images = {name: path for name, path in case["modalities"].items() if path in known and name not in synthetic}
    return case | {"modalities": images, "image": next(iter(images.values()), ""), "synthetic": []}
