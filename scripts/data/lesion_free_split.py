"""A split for pretraining on bodies without lesions, which leaves those with lesions for the task that follows.

Source: Jabareen, Yuan, Lukassen, arXiv 2410.16947, on FDG-PET-CT-Lesions.
"""

import logging

from ..errors import InputError
from .labels import label_by_mask
from .mask_meaning import BINARY, MaskMeaning
from .split import draw_subjects, part_numbers, scans_of_parts

__all__ = ["split_lesion_free"]

logger = logging.getLogger(__name__)


def split_lesion_free(
    scans: list[dict], val_size: float, test_size: float, seed: int, meaning: MaskMeaning = BINARY
) -> dict[str, list[dict]]:
    """Split scans as the paper does: validate and test on subjects with a lesion in each scan, train on the others.

    Subjects with a lesion in each scan who are drawn for neither are left out: they are never trained on.

    Args:
        scans: with masks.
        val_size: of the subjects with a lesion in each scan, those to validate on: a share (float below 1) or their
            number (int).
        test_size: those to test on, likewise.
        seed: the same seed and subjects give the same split.
        meaning: which numbers of the masks are the lesion.

    Returns:
        The items under `train`, `validate` and `test`.

    Raises:
        InputError: a part has no subject, a size is neither share nor number, or a mask is missing or unreadable.
    """
    unmasked = [scan["image"] for scan in scans if "label" not in scan]
    if unmasked:
        raise InputError(f"{unmasked[0]} has no mask: this split needs one of each scan.")
    healthy = {scan["subject"] for scan in label_by_mask(scans, meaning) if not scan["class_label"]}
    ill = sorted({scan["subject"] for scan in scans} - healthy)
    n_val, n_test = part_numbers(len(ill), val_size, test_size)
    if not healthy:
        raise InputError("Every scan has a lesion, so that no subject is left to train on: add those without.")
    if len(ill) < n_val + n_test:
        raise InputError(
            f"{len(ill)} subjects have a lesion in each scan, too few for {n_val} to validate and {n_test} to test "
            "on: lower val_size or test_size, or add scans."
        )
    drawn = draw_subjects(ill, n_val, n_test, seed)
    logger.info(
        f"{len(healthy)} subjects with a scan free of lesions are trained on; of {len(ill)} others, {n_val} validate, "
        f"{n_test} test and {len(drawn['train'])} are left out."
    )
    return scans_of_parts(scans, drawn | {"train": healthy})
