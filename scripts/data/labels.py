"""One class label a scan: whether its mask holds a lesion."""

import logging

from ..errors import InputError
from .mask_audit import audited_masks
from .mask_meaning import BINARY, MaskMeaning

__all__ = ["label_by_mask", "scans_with_lesions"]

logger = logging.getLogger(__name__)


def label_by_mask(scans: list[dict], meaning: MaskMeaning = BINARY) -> list[dict]:
    """The scans that have a mask, each with `class_label`: 1.0 where the mask has a voxel of the lesion, else 0.0.

    Every mask is read, once, and all that cannot be used are named together.

    Args:
        scans: items of `find_scans`; `label` is the path of a mask, or several of masks that are united.
        meaning: which numbers of the masks are the lesion.

    Raises:
        InputError: no scan has a mask, masks cannot be used, or which of their numbers are the lesion is not said.
    """
    masked = [scan for scan in scans if "label" in scan]
    if not masked:
        raise InputError(
            "None of the scans has a mask: give dataset_dir scans with masks, or a list whose label is the mask."
        )
    facts = audited_masks(masked, meaning)
    return [scan | {"class_label": float(one.has_lesion)} for scan, one in zip(masked, facts, strict=True)]


def scans_with_lesions(scans: list[dict], meaning: MaskMeaning = BINARY) -> list[dict]:
    """Those of `label_by_mask` whose mask has a voxel of the lesion.

    Raises:
        InputError: as there, or none has.
    """
    labelled = label_by_mask(scans, meaning)
    found = [scan for scan in labelled if scan["class_label"]]
    if not found:
        raise InputError(f"None of {len(labelled)} masks has a lesion: give scans of subjects with lesions.")
    if len(found) < len(labelled):
        logger.info(f"{len(labelled) - len(found)} scans without a lesion are left out.")
    return found
